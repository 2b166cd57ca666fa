"""Texts in pieces that can be moved, and what may stand for a piece."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from luodi.contracts import DataError, say

_LATIN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CHINESE = re.compile(r"[㐀-鿿]")
_LONGEST = 6
"""Characters of the longest Chinese word that is looked up."""


class Words:
    """Groups of words of one meaning, and how a text falls into words.

    Chinese is cut by the longest word that is known, else sign by sign: what is replaced must be
    known anyhow, and what is moved may be a sign.
    """

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        self._others: dict[str, list[str]] = {}
        for group in groups:
            for word in group:
                others = [other for other in group if other != word]
                known = self._others.setdefault(word.lower(), [])
                known += [other for other in others if other not in known]

    def synonyms(self, word: str) -> Sequence[str]:
        """Other words of the same meaning, cased as this one; empty where none is known."""
        others = self._others.get(word.lower(), ())
        if word.istitle() and word.isascii():
            return [other[:1].upper() + other[1:] for other in others]
        if word.isupper() and word.isascii() and len(word) > 1:
            return [other.upper() for other in others]
        return others

    def cut(self, text: str) -> list[str]:
        """The text's pieces, in order: words, and what stands between them. Joined, the text."""
        pieces: list[str] = []
        at = 0
        while at < len(text):
            if match := _LATIN.match(text, at):
                end = match.end()
                if _CHINESE.match(text[at]):
                    end = at + self._length(text, at, end)
            else:
                end = at + 1
            pieces.append(text[at:end])
            at = end
        return pieces

    def _length(self, text: str, at: int, end: int) -> int:
        for length in range(min(_LONGEST, end - at), 1, -1):
            if text[at : at + length] in self._others:
                return length
        return 1


def is_word(piece: str) -> bool:
    """Whether a piece is a word rather than what stands between words."""
    return piece[0].isalpha()


def is_chinese(piece: str) -> bool:
    """Whether a piece begins with a Chinese character."""
    return _CHINESE.match(piece) is not None


def read_groups(path: Path) -> list[list[str]]:
    """Groups of words of one meaning, a group a line, parted by blanks, tabs or commas.

    A line of Cilin's kind (a code and an equals sign before the words) is read as well; a word of
    several English words is written with low lines.

    Raises:
        DataError: when the file cannot be read, or has no group of two words.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            say(f"{path} cannot be read: {error}.", f"无法读取 {path}：{error}。"),
            say("Expected a text file of synonyms, UTF-8.", "应为 UTF-8 的同义词文本文件。"),
        ) from error
    groups = [_group(line) for line in lines if line.strip() and not line.startswith("#")]
    groups = [group for group in groups if len(group) > 1]
    if not groups:
        raise DataError(
            say(f"{path} has no synonyms.", f"{path} 中没有同义词。"),
            say(
                "Expected words of one meaning on a line, parted by blanks.",
                "每行应为以空格分隔的同义词。",
            ),
        )
    return groups


def _group(line: str) -> list[str]:
    line = re.sub(r"^[A-Za-z]{1,2}[0-9A-Za-z]{0,8}[=#@] ", "", line)
    return [word.replace("_", " ") for word in re.split(r"[\s,，、]+", line.strip()) if word]


@cache
def own_groups() -> list[list[str]]:
    """The groups that come with Luodi: common words, English and Chinese."""
    text = resources.files("luodi.data.augment").joinpath("synonyms.txt").read_text("utf-8")
    return [_group(line) for line in text.splitlines() if line and not line.startswith("#")]


def sound_alikes() -> Mapping[str, str]:
    """Chinese character -> others that are typed by the same keys (its reading without tone)."""
    return _sounds()


@cache
def _sounds() -> dict[str, str]:
    text = resources.files("luodi.data.augment").joinpath("sounds.txt").read_text("utf-8")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            signs = line.split()[1]
            found |= {sign: signs.replace(sign, "") for sign in signs}
    return found
