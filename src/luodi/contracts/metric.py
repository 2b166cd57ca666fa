"""How answers are held against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Grouping:
    """What a column divides rows into: `index` (n,) points into `values`."""

    values: tuple[str, ...]
    index: NDArray[np.int64]
    protected: bool = False


@dataclass(frozen=True)
class Scored:
    """Answers beside the truth, as arrays over n rows. Tasks of other kinds subclass this.

    Attributes:
        weight: (n,) what each row counts for; ones when the project names no weight column.
        cluster: (n,) rows of one number are near-copies or of one group: they are no independent
            evidence, so resampling takes them together.
        groups: a column that the project measures by (`slice`, `protected`) -> its groups.
    """

    weight: NDArray[np.float64]
    cluster: NDArray[np.int64]
    groups: Mapping[str, Grouping] = field(default_factory=dict, kw_only=True)

    @property
    def rows(self) -> int:
        """n."""
        return len(self.weight)


@dataclass(frozen=True)
class Classified(Scored):
    """Classes: `truth` (n,) and `predicted` (n,) index `labels`; `probability` is (n, k).

    Of two labels the second is the positive one, the event. `costs` (k, k) is what an answer
    (column) costs where another is true (row); None when the project names no costs.
    `favourable` is the label that people would rather be answered with.
    """

    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probability: NDArray[np.float64]
    labels: tuple[str, ...]
    costs: NDArray[np.float64] | None = field(default=None, kw_only=True)
    favourable: int = field(default=1, kw_only=True)


@dataclass(frozen=True)
class Valued(Scored):
    """Numbers: `truth` (n,) and `value` (n,).

    `low` and `high` (n,) are the ends of each answer's own interval, which was made to hold the
    truth with the chance `coverage`; None where answers have none.
    """

    truth: NDArray[np.float64]
    value: NDArray[np.float64]
    low: NDArray[np.float64] | None = field(default=None, kw_only=True)
    high: NDArray[np.float64] | None = field(default=None, kw_only=True)
    coverage: float = field(default=0.9, kw_only=True)


ScoredT_contra = TypeVar("ScoredT_contra", bound=Scored, contravariant=True)


class Metric(Protocol, Generic[ScoredT_contra]):
    """One number about scored answers, for many weightings at once.

    Taking weights, not rows, lets one function serve the point value (all ones), sample weights,
    slices (zeros and ones) and the bootstrap (counts of a resample).
    """

    @property
    def name(self) -> str:
        """The field's short name: accuracy, macro_f1, rmse, ..."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value is better."""

    def compute(self, scored: ScoredT_contra, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The metric under each weighting: (b, n) weights -> (b,) values, NaN where undefined."""


@dataclass(frozen=True)
class Interval:
    """A value and the interval that holds it at a confidence `level`, such as 0.95."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def to_json(self) -> dict[str, float]:
        """As in result.json."""
        return {"value": self.value, "low": self.low, "high": self.high, "level": self.level}
