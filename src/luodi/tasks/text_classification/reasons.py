"""Which characters or words of a text carried the answer, by leaving them out.

Each piece of the text is left out in turn; what the answered label's log-odds lose by it is the
piece's contribution (occlusion: Zeiler and Fergus 2014; on texts: Li, Monroe and Jurafsky 2016).
It asks the model that serves, whatever it is made of.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from luodi.contracts import Answer, Predictor, Reason, Request, say

PIECES = 48
"""A text is cut into so many pieces at the most: each costs one more answer."""

# A word of a script with spaces, a single Han, kana or hangul character, or a mark.
_PIECE = re.compile(
    r"[^\W\u2e80-\u9fff\u3040-\u30ff\uac00-\ud7af]+|[\u2e80-\u9fff\u3040-\u30ff\uac00-\ud7af]"
)
_TINY = 1e-6


class Piece(NamedTuple):
    """Characters `start` to `end` of a text."""

    start: int
    end: int


def pieces_of(text: str, most: int = PIECES) -> list[Piece]:
    """The text's words and characters; neighbours are joined where there are too many."""
    found = [Piece(*match.span()) for match in _PIECE.finditer(text)]
    if len(found) <= most:
        return found
    size = math.ceil(len(found) / most)
    return [
        Piece(found[at].start, found[min(at + size, len(found)) - 1].end)
        for at in range(0, len(found), size)
    ]


def explain_texts(
    predictor: Predictor, requests: Sequence[Request], most: int
) -> list[list[Reason]]:
    """The `most` weightiest pieces of each request's text."""
    return [_explain(predictor, str(request["text"]), most) for request in requests]


def _explain(predictor: Predictor, text: str, most: int) -> list[Reason]:
    pieces = pieces_of(text)
    asked = [text, *(text[: piece.start] + text[piece.end :] for piece in pieces)]
    whole, *without = predictor.predict([{"text": variant} for variant in asked])
    label = whole["label"]
    base = _odds(whole, label)
    moved = [base - _odds(answer, label) for answer in without]
    joined = _joined(text, pieces, moved)
    weightiest = sorted(joined, key=lambda item: -abs(item[1]))[:most]
    return [
        Reason(
            field="text",
            value=text[piece.start : piece.end],
            contribution=weight,
            unit="log-odds",
            text=_in_words(text[piece.start : piece.end], weight, label),
            start=piece.start,
            end=piece.end,
        )
        for piece, weight in weightiest
        if abs(weight) > _TINY
    ]


def _odds(answer: Answer, label: str) -> float:
    chance = min(max(float(answer["probabilities"][label]), _TINY), 1 - _TINY)
    return math.log(chance / (1 - chance))


def _joined(
    text: str, pieces: Sequence[Piece], moved: Sequence[float]
) -> list[tuple[Piece, float]]:
    """Neighbouring characters that pull the same way, by a fair share each, are one word."""
    strongest = max((abs(weight) for weight in moved), default=0.0)
    found: list[tuple[Piece, float]] = []
    for piece, weight in zip(pieces, moved, strict=True):
        if found:
            last, total = found[-1]
            touching = last.end == piece.start and last.end - last.start < 6
            if touching and total * weight > 0 and min(abs(total), abs(weight)) > strongest / 4:
                found[-1] = (Piece(last.start, piece.end), total + weight)
                continue
        found.append((piece, weight))
    return found


def _in_words(piece: str, weight: float, label: str) -> str:
    shown = piece if len(piece) <= 40 else piece[:39] + "…"
    way = say("for" if weight > 0 else "against", "支持" if weight > 0 else "不支持")
    return say(
        f"“{shown}” speaks {way} {label} ({weight:+.3g} log-odds).",
        f"“{shown}”{way} {label}（{weight:+.3g} 对数几率）。",
    )
