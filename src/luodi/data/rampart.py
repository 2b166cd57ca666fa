"""English names and addresses by Rampart, a six-layer token classifier of 15 MB.

Source: National Design Studio, Rampart (2026), CC BY 4.0; run here by our own code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.data.not_people import BEFORE, BEHIND, COUNTRIES, TITLES_BEHIND
from luodi.data.privacy import Span
from luodi.data.windows import same_length, windows

_TOKENS, _OVERLAP = 480, 64
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[0-9]+|[^\w\s]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏͰ-ϿЀ-ӿ]")
_CHINESE = re.compile(r"[㐀-鿿]")
# Chosen on the larger of two labelled sets, and judged on the other (bench/privacy).
_SURE, _PLACE, _PHONE = 0.6, 0.5, 0.5
# The model reads without case, so case is evidence of its own: a word in capitals within a
# sentence is a name far sooner than one that begins it, and that sooner than a small one.
_SMALL, _FIRST, _WITHIN = 0.4, 0.2, 0.08
# A small word among capitals is hardly a name, nor is what "the" stands before; a word in capitals
# right behind a name is mostly its next part.
_SMALL_AMONG, _BEHIND_THE, _NEXT = 0.9, 0.3, 0.02
_ARTICLE = re.compile(r"\b[Tt]he $")
_TITLE = re.compile(r"\b(?:mr|mrs|ms|miss|mx|dr|prof|sir|madam)\b\.? $", re.IGNORECASE)
_SOCIAL_SECURITY = re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}")
_VERSION = re.compile(r"[0-9]\.$")  # what follows is the rest of a version or an amount
_NAME_LABELS = ("GIVEN_NAME", "SURNAME")
_STREET_LABELS = ("BUILDING_NUMBER", "STREET_NAME", "SECONDARY_ADDRESS")
_PHONE_LABELS = ("PHONE",)
_PLACE_LABELS = (*_STREET_LABELS, "CITY", "STATE", "ZIP_CODE")


class RampartFinder:
    """Finds NAME and ADDRESS in texts that are mostly of Latin letters."""

    fillers: Mapping[str, str] = {
        "NAME": "John Smith", "ADDRESS": "12 Main Street, Springfield", "EMAIL": "john@example.com",
        "PHONE": "555-123-4567", "": "1234567",
    }  # fmt: skip

    def __init__(self, folder: Path, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        labels = json.loads((folder / "config.json").read_text("utf-8"))["id2label"]
        self._names = _columns(labels, _NAME_LABELS)
        self._streets = _columns(labels, _STREET_LABELS)
        self._places = _columns(labels, _PLACE_LABELS)
        self._phones = _columns(labels, _PHONE_LABELS)
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cls, self._sep = map(self._tokenizer.token_to_id, ("[CLS]", "[SEP]"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def reads(self, text: str) -> bool:
        """Whether Latin letters outnumber Chinese characters."""
        latin = len(_LATIN.findall(text))
        return latin > 1 and latin > len(_CHINESE.findall(text))

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """For each text its names and addresses."""
        encoded = [self._tokenizer.encode(text, add_special_tokens=False) for text in texts]
        pieces = [
            (row, start, end)
            for row, code in enumerate(encoded)
            for start, end in windows(len(code.ids), _TOKENS, _OVERLAP)
        ]
        chances = [np.zeros((len(code.ids), 4), np.float32) for code in encoded]
        ids = [code.ids for code in encoded]
        for places in same_length([end - start for _, start, end in pieces]):
            batch = [pieces[place] for place in places]
            rows = np.array(
                [[self._cls, *ids[row][start:end], self._sep] for row, start, end in batch],
                np.int64,
            )  # (batch, tokens + 2)
            for (row, start, end), told in zip(batch, self._chances(rows), strict=True):
                held = chances[row][start:end]
                np.maximum(held, told[1:-1], out=held)
        return [
            _spans(text, code.offsets, told)
            for text, code, told in zip(texts, encoded, chances, strict=True)
        ]

    def _chances(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """(batch, tokens, 4): how likely each token is of a name, a street, an address, a phone."""
        feed = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        scores: NDArray[np.float32] = self._session.run(None, feed)[0]
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        kinds = (self._names, self._streets, self._places, self._phones)
        return np.stack([scores[..., columns].sum(-1) for columns in kinds], -1)


def _columns(labels: dict[str, str], wanted: Sequence[str]) -> list[int]:
    return [int(place) for place, label in labels.items() if label[2:] in wanted]


def _spans(
    text: str, offsets: Sequence[tuple[int, int]], chances: NDArray[np.float32]
) -> list[Span]:
    """A word is what its likeliest token is; words of a kind that stand together are one span."""
    words = [match.span() for match in _WORD.finditer(text)]
    told = np.zeros((len(words), 4), np.float32)
    place = 0
    for (start, end), token in zip(offsets, chances, strict=True):
        while place < len(words) - 1 and words[place][1] <= start:
            place += 1
        if words and start < words[place][1] and words[place][0] < end:
            np.maximum(told[place], token, out=told[place])
    names = _named(text, words, told[:, 0])
    phones = _phones(text, words, told[:, 3])
    taken = [*names, *phones]
    addresses = _addresses(text, words, told[:, 1], told[:, 2], taken)
    return sorted([*taken, *addresses], key=lambda span: span.start)


def _named(text: str, words: Sequence[tuple[int, int]], chances: NDArray[np.float32]) -> list[Span]:
    sure = {
        text[start:end]
        for (start, end), chance in zip(words, chances, strict=True)
        if chance >= _SURE and end - start > 2 and text[start].isupper()
    }
    small = text == text.lower()
    spans: list[tuple[int, int]] = []
    for (start, end), chance in zip(words, chances, strict=True):
        if not text[start].isalpha():
            continue
        joins = bool(spans) and _one_name(text[spans[-1][1] : start])
        needed = _threshold(text, start, small)
        if joins and text[start].isupper():
            needed = min(needed, _NEXT)
        # A name that is sure once is a name wherever else it stands.
        if chance < needed and text[start:end] not in sure:
            continue
        if joins:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [
        Span("NAME", start, _with_titles(text, end))
        for start, end in spans
        if end - start > 1 and not _no_person(text, start, end)
    ]


def _no_person(text: str, start: int, end: int) -> bool:
    return (
        text[start:end].lower() in COUNTRIES
        or BEHIND.match(text, end) is not None
        or BEHIND.search(text, start, end) is not None
        or BEFORE.search(text, max(0, start - 8), start) is not None
    )


def _with_titles(text: str, end: int) -> int:
    behind = TITLES_BEHIND.match(text, end)
    return behind.end() if behind else end


def _threshold(text: str, start: int, small: bool) -> float:
    """From which chance on the word at `start` is of a name; `small`: there are no capitals."""
    if not text[start].isupper():
        return _SMALL if small else _SMALL_AMONG
    before = text[:start].rstrip(" ")
    if _TITLE.search(text, max(0, start - 8), start):
        return 0.0
    if _ARTICLE.search(text, max(0, start - 5), start):
        return _BEHIND_THE
    return _FIRST if not before or before[-1] in '.!?\n"“>:' else _WITHIN


def _one_name(between: str) -> bool:
    """Blanks, or an initial with its point: "Faina D. Yefremova" is one name."""
    return bool(re.fullmatch(r"[ ]{1,2}|\.? ?-?|[ ]\w\.? |\. ", between))


def _phones(
    text: str, words: Sequence[tuple[int, int]], chances: NDArray[np.float32]
) -> list[Span]:
    """Digits that the words around them make a phone, whatever their form."""
    spans: list[tuple[int, int]] = []
    for (start, end), chance in zip(words, chances, strict=True):
        if chance < _PHONE or not text[start].isdigit():
            continue
        if spans and re.fullmatch(r"[ ().+/x-]{0,3}", text[spans[-1][1] : start]):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [
        Span("PHONE", start, end)
        for start, end in spans
        if 6 <= sum(map(str.isdigit, text[start:end])) <= 20
        and not _SOCIAL_SECURITY.fullmatch(text, start, end)
        and not _VERSION.search(text, max(0, start - 4), start)
    ]


def _addresses(
    text: str,
    words: Sequence[tuple[int, int]],
    streets: NDArray[np.float32],
    places: NDArray[np.float32],
    taken: Sequence[Span],
) -> list[Span]:
    """Parts of an address with little between them; a town alone is no address."""
    spans: list[tuple[int, int, bool]] = []
    for (start, end), street, part in zip(words, streets, places, strict=True):
        if part < _PLACE or not text[start].isalnum():
            continue
        exact = bool(street >= _PLACE)
        if spans and re.fullmatch(r"[\s,.;#>?&/-]{0,6}", text[spans[-1][1] : start]):
            spans[-1] = (spans[-1][0], end, spans[-1][2] or exact)
        else:
            spans.append((start, end, exact))
    return [
        Span("ADDRESS", start, end)
        for start, end, exact in spans
        if exact
        and end - start > 4
        and all(end <= other.start or other.end <= start for other in taken)
    ]
