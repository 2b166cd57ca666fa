"""Words of free texts that only one label's rows have, and labels that texts call by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from luodi.data.leaks.evidence import COVERED, LEAST_ROWS, Evidence
from luodi.data.leaks.sides import PURE, Side, judged
from luodi.data.leaks.suspect import Truth

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_MOST_TEXTS = 5000
_MOST_CHARACTERS = 500
_WORD = re.compile(r"[^\W\d_\u4e00-\u9fff]{3,}|[\u4e00-\u9fff]+")


def telling_words(name: str, texts: pl.Series, truth: Truth) -> Iterator[Evidence]:
    """What names of labels, and the word that tells each label best, say in n texts.

    The word is chosen in one half of the texts and judged in the other. Of many texts some are
    looked at.
    """
    import numpy as np

    some = np.unique(np.linspace(0, len(texts) - 1, _MOST_TEXTS).astype(int))
    part = truth.of(some)
    if part is None:
        return
    said = texts[some].fill_null("").str.to_lowercase().str.slice(0, _MOST_CHARACTERS)
    for side in (*_names(said, part), *_words(said.to_list(), part)):
        if (found := judged(name, side, part)) is not None:
            yield found


def _names(texts: pl.Series, truth: Truth) -> Iterator[Side]:
    """The texts that hold a label's name: a word of three letters, or two Chinese characters."""
    import numpy as np

    for name in truth.names:
        word = name.strip().lower()
        if not any(len(part) >= 2 for part in _WORD.findall(word)):
            continue
        pattern = re.escape(word) if not word.isascii() else rf"\b{re.escape(word)}\b"
        rows = np.asarray(texts.str.contains(pattern).to_numpy(), bool)
        yield Side(rows, name, least=COVERED[0], how="word")


def _words(texts: Sequence[str], truth: Truth) -> Iterator[Side]:
    """The texts that hold the word by which a label is told best, by the other half."""
    import numpy as np

    words = [_of(text) for text in texts]
    halves = [np.arange(len(texts)) % 2 == half for half in (0, 1)]
    best = [_best(words, half, truth) for half in halves]
    for label in range(len(truth.names)):
        first, second = best[0].get(label), best[1].get(label)
        if first is not None and second is not None:
            rows = np.zeros(len(texts), bool)
            rows[1::2] = [first in found for found in words[1::2]]
            rows[0::2] = [second in found for found in words[0::2]]
            yield Side(rows, first if first == second else f"{first} / {second}", how="word")


def _of(text: str) -> set[str]:
    """Its words; of Chinese every two characters that stand together."""
    found = set()
    for word in _WORD.findall(text):
        if word[0] >= "\u4e00" and len(word) > 1 and word[0] <= "\u9fff":
            found |= {word[place : place + 2] for place in range(len(word) - 1)}
        else:
            found.add(word)
    return found


def _best(words: Sequence[set[str]], half: NDArray[np.bool_], truth: Truth) -> dict[int, str]:
    """Label -> the commonest word that only its texts of this half hold."""
    counts: Counter[str] = Counter()
    by_label: Counter[tuple[str, int]] = Counter()
    for row, label in enumerate(truth.codes.tolist()):
        if half[row]:
            counts.update(words[row])
            by_label.update((word, label) for word in words[row])
    best: dict[int, str] = {}
    for (word, label), times in by_label.most_common():
        if times < LEAST_ROWS // 2:
            break
        if label not in best and times >= PURE * counts[word]:
            best[label] = word
    return best
