"""How answers are held against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Scored:
    """Answers beside the truth, as arrays over n rows. Tasks of other kinds subclass this.

    Attributes:
        weight: (n,) what each row counts for; ones when the project names no weight column.
        cluster: (n,) rows of one number are near-copies or of one group: they are no independent
            evidence, so resampling takes them together.
    """

    weight: NDArray[np.float64]
    cluster: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """n."""
        return len(self.weight)


@dataclass(frozen=True)
class Classified(Scored):
    """Classes: `truth` (n,) and `predicted` (n,) index `labels`; `probability` is (n, k)."""

    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probability: NDArray[np.float64]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Valued(Scored):
    """Numbers: `truth` (n,) and `value` (n,)."""

    truth: NDArray[np.float64]
    value: NDArray[np.float64]


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
