"""How one field becomes numbers: learnt on the training part, the same in training and serving.

Every code is made by `learn` and read back by `from_json`; `encode` turns n values into (n, k)
float64. NumPy alone: the service runs this. Four flavours: `dense` for sums of weights (numbers in
comparable sizes, categories as ones and zeros, nothing missing), `trees` for splits (numbers as
they are, categories as codes, NaN where nothing is known), `bins` for cutting (as `trees`, and -1
for a category never seen; of a text its length alone), `tokens` for networks that embed each field
(numbers in comparable sizes, NaN where nothing is known, categories as places in a table).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Field, JsonValue
from luodi.contracts.numbers import SQUARABLE

Floats = NDArray[np.float64]
Flavour = Literal["dense", "trees", "bins", "tokens"]
_RAW = ("trees", "bins")

_MOST_ONES = 50
"""Categories that get a column of their own in a dense encoding; the rest share one."""
_MOST_CODES = 1000
"""Categories that get a code for trees, or a vector of a network."""
_RARE = 3
"""A network's category has so many rows at least: rarer ones teach it what to make of others."""
_FARTHEST = 5.0
"""A dense number lies at most so many standard deviations off: no single row may rule a sum."""
_BUCKETS = {"dense": 256, "trees": 32, "bins": 0, "tokens": 256}


class Code(Protocol):
    """How one field becomes numbers."""

    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """The field."""

    @property
    def columns(self) -> tuple[str, ...]:
        """A name for each of the k columns, for people."""

    def encode(self, values: Sequence[JsonValue]) -> Floats:
        """n values, None where nothing is known -> (n, k)."""


@dataclass(frozen=True)
class Number:
    """A number. Dense: standardised, the median where it is missing, and a flag for that.

    Tokens: standardised, NaN where it is missing. A long tail is damped by the signed logarithm
    first (`log`).
    """

    kind: ClassVar[str] = "number"
    name: str
    flavour: Flavour
    median: float = 0.0
    mean: float = 0.0
    scale: float = 1.0
    log: bool = False
    flag: bool = False

    @classmethod
    def learn(cls, field: Field, values: Sequence[JsonValue], flavour: Flavour) -> Self:
        """From the training part's values."""
        numbers = _numbers(values)
        there = numbers[np.isfinite(numbers)]
        if flavour in _RAW or not len(there):
            return cls(field.name, flavour)
        there = np.clip(there, -SQUARABLE, SQUARABLE)
        median, log = float(np.median(there)), _long_tailed(there)
        there = _damped(there) if log else there
        scale = float(there.std())
        return cls(field.name, flavour, median, float(there.mean()), scale if scale > 0 else 1.0,
                   log, flavour == "dense" and len(there) < len(numbers))  # fmt: skip

    @property
    def columns(self) -> tuple[str, ...]:
        """The number, and whether it was missing."""
        return (self.name, f"{self.name}?") if self.flag else (self.name,)

    def encode(self, values: Sequence[JsonValue]) -> Floats:
        """(n, 1) or, with the flag, (n, 2)."""
        numbers = _numbers(values)
        if self.flavour in _RAW:
            return numbers[:, None]
        missing = ~np.isfinite(numbers)
        filled = np.where(missing, self.median, numbers)
        filled = _damped(filled) if self.log else filled
        # Bounded before it is divided: the quotient of the largest floats is none.
        farthest = _FARTHEST * self.scale
        scaled = np.clip(filled - self.mean, -farthest, farthest) / self.scale
        if self.flavour == "tokens":
            scaled[missing] = math.nan
        return np.column_stack([scaled, missing]) if self.flag else scaled[:, None]


def _numbers(values: Sequence[JsonValue]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _damped(numbers: Floats) -> Floats:
    return np.asarray(np.sign(numbers) * np.log1p(np.abs(numbers)))


def _long_tailed(numbers: Floats) -> bool:
    """Whether the logarithm makes the spread more even: less skew, both sides considered."""
    return bool(abs(skew(numbers)) > 2 and abs(skew(_damped(numbers))) < abs(skew(numbers)) / 2)


def skew(numbers: Floats) -> float:
    """The third moment in standard deviations; 0 for numbers that are all alike."""
    spread = numbers.std()
    return float((((numbers - numbers.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0


@dataclass(frozen=True)
class Category:
    """One of a few values. A value never seen is `other` where that exists, else none of them.

    Dense: a column a value, and one for missing where that was seen. Trees: the value's place.
    Tokens: its place from 1; 0 for a value never seen, or too rare; the last place for missing.
    """

    kind: ClassVar[str] = "category"
    name: str
    flavour: Flavour
    values: tuple[str, ...]
    other: bool = False
    missing: bool = False

    @classmethod
    def learn(cls, field: Field, values: Sequence[JsonValue], flavour: Flavour) -> Self:
        """The training part's values, the commonest first."""
        counts = Counter(str(value).strip() for value in values if value is not None)
        ordered = [name for name, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))]
        if flavour == "tokens":
            ordered = [name for name in ordered if counts[name] >= _RARE]
        most = _MOST_ONES if flavour == "dense" else _MOST_CODES
        missing = any(value is None for value in values)
        return cls(field.name, flavour, tuple(ordered[:most]), len(ordered) > most, missing)

    @property
    def columns(self) -> tuple[str, ...]:
        """A name a column."""
        if self.flavour != "dense":
            return (self.name,)
        return (
            *(f"{self.name}={value}" for value in self.values),
            *([f"{self.name}=…"] if self.other else []),
            *([f"{self.name}?"] if self.missing else []),
        )

    @property
    def slots(self) -> int:
        """Places that the tokens flavour tells apart."""
        return len(self.values) + 2

    def encode(self, values: Sequence[JsonValue]) -> Floats:
        """(n, 1) codes, or (n, k) ones and zeros."""
        if self.flavour == "tokens":
            places = {name: index for index, name in enumerate(self.values, start=1)}
            none = self.slots - 1
            known = [none if v is None else places.get(str(v).strip(), 0) for v in values]
            return np.array(known, np.float64).reshape(-1, 1)
        place = {name: index for index, name in enumerate(self.values)}
        unseen = len(self.values) if self.other else -1
        lacking = len(self.values) + self.other if self.missing else -1
        found = np.array(
            [lacking if v is None else place.get(str(v).strip(), unseen) for v in values],
            dtype=np.int64,
        )
        if self.flavour == "trees":
            codes = found.astype(np.float64)
            codes[(found < 0) | (found == lacking)] = math.nan
            return codes[:, None]
        if self.flavour == "bins":
            codes = np.array([float(place.get(str(v).strip(), unseen)) for v in values])
            codes[[v is None for v in values]] = math.nan
            return codes[:, None]
        ones = np.zeros((len(found), len(self.columns)))
        rows = np.flatnonzero(found >= 0)
        ones[rows, found[rows]] = 1
        return ones


@dataclass(frozen=True)
class Boolean:
    """Yes or no. Dense: 1, -1, 0 where nothing is known. Trees: 1, 0, NaN. Tokens: 1, -1, NaN."""

    kind: ClassVar[str] = "boolean"
    name: str
    flavour: Flavour

    @classmethod
    def learn(cls, field: Field, values: Sequence[JsonValue], flavour: Flavour) -> Self:
        """Nothing is to be learnt."""
        return cls(field.name, flavour)

    @property
    def columns(self) -> tuple[str, ...]:
        """The field."""
        return (self.name,)

    def encode(self, values: Sequence[JsonValue]) -> Floats:
        """(n, 1)."""
        no = 0.0 if self.flavour in _RAW else -1.0
        none = 0.0 if self.flavour == "dense" else math.nan
        return np.array([[none if v is None else 1.0 if v else no] for v in values]).reshape(-1, 1)


@dataclass(frozen=True)
class Date:
    """A day, maybe with a time: how long ago, and where in the year, the week and the day."""

    kind: ClassVar[str] = "date"
    name: str
    flavour: Flavour
    start: float = 0.0
    span: float = 1.0

    @classmethod
    def learn(cls, field: Field, values: Sequence[JsonValue], flavour: Flavour) -> Self:
        """The first day and the whole span of the training part."""
        days = np.array([_day(value)[0] for value in values])
        there = days[np.isfinite(days)]
        if not len(there):
            return cls(field.name, flavour)
        return cls(field.name, flavour, float(there.min()), max(float(np.ptp(there)), 1.0))

    @property
    def columns(self) -> tuple[str, ...]:
        """A name a column."""
        parts = ("day", "month", "day of month", "weekday", "hour")
        return tuple(f"{self.name} ({part})" for part in parts)

    def encode(self, values: Sequence[JsonValue]) -> Floats:
        """(n, 5)."""
        parts = np.array([_day(value) for value in values]).reshape(-1, 5)
        parts[:, 0] = (parts[:, 0] - self.start) / self.span
        if self.flavour not in _RAW:
            parts[:, 1:] = parts[:, 1:] / np.array([12.0, 31.0, 7.0, 24.0]) - 0.5
            parts = np.nan_to_num(np.clip(parts, -_FARTHEST, _FARTHEST))
        return parts


def _day(value: JsonValue) -> tuple[float, float, float, float, float]:
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return (math.nan,) * 5
    day = when.toordinal() + when.hour / 24
    return (day, float(when.month), float(when.day), float(when.weekday()), float(when.hour))


@dataclass(frozen=True)
class Text:
    """A text: its n-grams, hashed into buckets, each weighed by how rare it is, length 1."""

    kind: ClassVar[str] = "text"
    name: str
    flavour: Flavour
    rarity: tuple[float, ...]

    @classmethod
    def learn(cls, field: Field, values: Sequence[JsonValue], flavour: Flavour) -> Self:
        """How many of the training part's texts know each bucket."""
        buckets = _BUCKETS[flavour]
        known = (_hashed(values, buckets) > 0).sum(axis=0)
        rarity = np.log((1 + len(values)) / (1 + known)) + 1
        return cls(field.name, flavour, tuple(rarity.tolist()))

    @property
    def columns(self) -> tuple[str, ...]:
        """A name a bucket, and the length."""
        return (*(f"{self.name} #{b}" for b in range(len(self.rarity))), f"{self.name} (length)")

    def encode(self, values: Sequence[JsonValue]) -> Floats:
        """(n, buckets + 1); bins: (n, 1), the length in characters."""
        if self.flavour == "bins":
            return np.array([[0.0 if value is None else float(len(value))] for value in values])
        found = np.log1p(_hashed(values, len(self.rarity))) * np.array(self.rarity)
        found /= np.maximum(np.sqrt((found**2).sum(axis=1, keepdims=True)), 1e-12)
        length = np.log1p([0 if value is None else len(value) for value in values]) / 5
        return np.column_stack([found, length])


def _hashed(values: Sequence[JsonValue], buckets: int) -> Floats:
    from luodi.tasks.text_classification.ngrams import hashed_ngrams

    if not buckets:
        return np.zeros((len(values), 0))
    row, hashed = hashed_ngrams([value or "" for value in values], 3, True)
    cell = row * buckets + (hashed % np.uint32(buckets)).astype(np.int64)
    counts = np.bincount(cell, minlength=len(values) * buckets).reshape(len(values), buckets)
    return counts.astype(np.float64)


KINDS: Mapping[str, Any] = {code.kind: code for code in (Number, Category, Boolean, Date, Text)}


def learn_code(field: Field, values: Sequence[JsonValue], flavour: Flavour) -> Code:
    """The code of a field, from its values in the training part."""
    code: Code = KINDS[field.kind].learn(field, values, flavour)
    return code


def code_to_json(code: Code) -> dict[str, JsonValue]:
    """The code as JSON, with its kind."""
    return {"kind": code.kind, **asdict(code)}  # type: ignore[call-overload]


def code_from_json(value: Mapping[str, JsonValue]) -> Code:
    """The code that `code_to_json` wrote."""
    content = {n: tuple(v) if isinstance(v, list) else v for n, v in value.items() if n != "kind"}
    code: Code = KINDS[value["kind"]](**content)
    return code
