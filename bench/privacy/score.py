"""Precision and recall by kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.privacy.chinese import Labelled

Found = Sequence[tuple[str, int, int]]
"""(kind, start, end) each."""


@dataclass(frozen=True)
class Score:
    """How well one kind was found.

    Attributes:
        labelled: pieces of that kind in the texts.
        recall: share of them whose every letter and digit was found as that kind.
        touched: share of them of which any was.
        found: pieces that were found as that kind.
        precision: share of these that touch a labelled piece of that kind.
    """

    labelled: int
    recall: float
    touched: float
    found: int
    precision: float


def scores(texts: Sequence[Labelled], found: Sequence[Found]) -> Mapping[str, Score]:
    """The score of each kind that is labelled somewhere."""
    kinds = sorted({kind for text in texts for kind, _, _ in text.spans})
    return {kind: _score(kind, texts, found) for kind in kinds}


def _score(kind: str, texts: Sequence[Labelled], found: Sequence[Found]) -> Score:
    labelled = whole = touched = told = right = 0
    for text, spans in zip(texts, found, strict=True):
        true = [(start, end) for name, start, end in text.spans if name == kind]
        mine = [(start, end) for name, start, end in spans if name == kind]
        for start, end in true:
            signs = [at for at in range(start, end) if text.text[at].isalnum()]
            covered = sum(any(a <= at < b for a, b in mine) for at in signs)
            labelled, whole, touched = (
                labelled + 1,
                whole + (covered == len(signs)),
                touched + (covered > 0),
            )
        told += len(mine)
        right += sum(any(a < end and start < b for start, end in true) for a, b in mine)
    return Score(
        labelled,
        whole / labelled if labelled else 0.0,
        touched / labelled if labelled else 0.0,
        told,
        right / told if told else 0.0,
    )
