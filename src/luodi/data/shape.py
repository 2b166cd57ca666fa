"""The shape of delimited bytes, by signs alone: where records end, how many fields each has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_QUOTE, _LF, _CR = b'"'[0], b"\n"[0], b"\r"[0]


class Shape(NamedTuple):
    """Where records end, how many fields each has, whether its quotes follow the standard."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    fields: NDArray[np.int64]
    standard: bool


def last_record(raw: bytes, separator: str) -> tuple[int, bool]:
    """Where the last whole record of `raw` ends, 0 when none does; whether its quotes up to
    there follow the standard, without which such a place cannot be told from the bytes alone."""
    import numpy as np

    signs = np.frombuffer(raw, np.uint8)
    breaks = signs == _LF
    quotes = np.flatnonzero(signs == _QUOTE)
    if len(quotes):
        inside = np.zeros(len(signs), np.bool_)
        inside[quotes] = True
        breaks &= ~np.bitwise_xor.accumulate(inside)
    ends = np.flatnonzero(breaks)
    end = int(ends[-1]) + 1 if len(ends) else 0
    within = quotes[quotes < end]
    if not end:
        return 0, not len(quotes) or _quotes_at_edges(signs, quotes, separator.encode()[0])
    return end, not len(within) or _quotes_at_edges(signs[:end], within, separator.encode()[0])


def shape_of(raw: bytes, separator: int) -> Shape:
    """The shape of all records."""
    import numpy as np

    signs = np.frombuffer(raw, np.uint8)
    breaks = signs == _LF
    commas = signs == separator
    quotes = np.flatnonzero(signs == _QUOTE)
    standard = True
    if len(quotes):
        inside = np.zeros(len(signs), np.bool_)
        inside[quotes] = True
        inside = np.bitwise_xor.accumulate(inside)  # true from an opening quote to its closing one
        breaks &= ~inside
        commas &= ~inside
        standard = not inside[-1] and _quotes_at_edges(signs, quotes, separator)
    ends = np.flatnonzero(breaks)
    if not len(ends) or ends[-1] != len(signs) - 1:
        ends = np.append(ends, len(signs))
    starts = np.concatenate(([0], ends[:-1] + 1))
    places = np.flatnonzero(commas)
    fields = np.searchsorted(places, ends) - np.searchsorted(places, starts) + 1
    return Shape(starts, ends, fields, standard)


def _quotes_at_edges(signs: NDArray[np.uint8], quotes: NDArray[np.int64], separator: int) -> bool:
    """Every opening quote begins a field or follows a closing one; every closing one ends it."""
    import numpy as np

    opening, closing = quotes[0::2], quotes[1::2]
    edges = np.zeros(256, np.bool_)
    edges[[separator, _LF, _QUOTE]] = True
    before = signs[np.maximum(opening - 1, 0)]
    opens = (opening == 0) | edges[before]
    edges[_CR] = True
    after = signs[np.minimum(closing + 1, len(signs) - 1)]
    closes = (closing == len(signs) - 1) | edges[after]
    return bool(opens.all() and closes.all())


def blank_records(raw: bytes, shape: Shape) -> NDArray[np.bool_]:
    """Records of white space alone."""
    import numpy as np

    lengths = shape.ends - shape.starts
    blank: NDArray[np.bool_] = lengths == 0
    for index in np.flatnonzero((lengths > 0) & (lengths < 64) & (shape.fields == 1)):
        blank[index] = not raw[shape.starts[index] : shape.ends[index]].strip()
    return blank


def without_blank(raw: bytes, shape: Shape, blank: NDArray[np.bool_]) -> bytes:
    """The records that are not blank."""
    kept = zip(shape.starts[~blank].tolist(), shape.ends[~blank].tolist(), strict=True)
    return b"\n".join(raw[start:end] for start, end in kept)
