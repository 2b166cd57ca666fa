"""How the versions of a model did on the same traffic, and whether the difference is chance.

Canaries answer other requests than the champion: their scores are compared by a permutation test
(Fisher 1935; Ernst 2004, "Permutation methods", Statistical Science 19). Shadows answer the same
requests: each request's difference may as well have had the other sign, and the signs are flipped.
The unit is the request: the rows of one are seldom independent of each other. Intervals are by the
bootstrap over requests (percentiles).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from luodi.contracts import JsonValue
from luodi.traffic.reading import read_feedback, read_traffic

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

DRAWS = 4000
LEAST = 20
"""Requests with feedback that each version needs before anything is said."""
_SEED = 7

Verdict = Literal["better", "worse", "undecided", "too few"]
Measure = Literal["accuracy", "absolute_error"]


@dataclass(frozen=True)
class Figures:
    """What one version did.

    Attributes:
        seconds: quantile -> seconds: p50, p95, p99; None without requests.
        judged: requests for which a true answer has arrived.
        score: the share of rows answered rightly, or their mean absolute error; None without any.
    """

    version: str
    arm: str
    requests: int
    failures: int
    seconds: Mapping[str, float | None]
    judged: int
    score: float | None

    def to_json(self) -> dict[str, JsonValue]:
        """The figures as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Compared:
    """A challenger held against the champion.

    Attributes:
        difference: the challenger's score minus the champion's; `low` and `high` hold 95 %.
        p_value: two-sided; None when there are too few requests.
        paired: both answered the same requests (a shadow).
        verdict: `better` and `worse` only when chance is ruled out at 5 %.
    """

    version: str
    measure: Measure
    paired: bool
    requests: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    verdict: Verdict = "too few"

    def to_json(self) -> dict[str, JsonValue]:
        """The comparison as JSON."""
        return asdict(self)


def compare_versions(
    home: Path,
    model: str,
    champion: str,
    challengers: Mapping[str, str],
    since: datetime | None = None,
) -> tuple[list[Figures], list[Compared]]:
    """What the champion and its challengers did since a time, and the tests between them.

    Args:
        challengers: version -> its mode, `canary` or `shadow`.
        since: when the route was set; earlier traffic was dealt otherwise.
    """
    import polars as pl

    traffic = read_traffic(home, model, since)
    dealt = traffic.filter(pl.col("arm") != "pinned")
    scores, measure = _scored(dealt, read_feedback(home, model))
    arms = {champion: "champion", **challengers}
    figures = [_figures(dealt, scores, version, arm) for version, arm in arms.items()]
    tests = [
        _compared(scores, champion, version, mode == "shadow", measure)
        for version, mode in challengers.items()
    ]
    return figures, tests


def _figures(dealt: pl.DataFrame, scores: pl.DataFrame, version: str, arm: str) -> Figures:
    import polars as pl

    rows = dealt.filter(pl.col("version") == version)
    requests = rows.unique(["request_id"], keep="first", maintain_order=True)
    seconds: dict[str, float | None] = {
        f"p{percent}": requests["seconds"].quantile(percent / 100) for percent in (50, 95, 99)
    }
    mine = scores.filter(pl.col("version") == version)
    failed = requests.filter(pl.col("failure") != "").height
    # Of all rows, not of requests: it is what the column of a report would say.
    total = float((mine["score"] * mine["rows"]).sum()) if mine.height else 0.0
    score = total / float(mine["rows"].sum()) if mine.height else None
    return Figures(version, arm, requests.height, failed, seconds, mine.height, score)


def _scored(dealt: pl.DataFrame, feedback: pl.DataFrame) -> tuple[pl.DataFrame, Measure]:
    """version, request_id, score (the mean over its rows), rows; and what the score is."""
    import polars as pl

    joined = dealt.filter(pl.col("output").is_not_null()).join(
        feedback.select("request_id", "row", "truth"), on=["request_id", "row"]
    )
    found = [
        (row["version"], row["request_id"], *_score(row["output"], row["truth"]))
        for row in joined.iter_rows(named=True)
    ]
    schema = {
        "version": pl.String,
        "request_id": pl.String,
        "score": pl.Float64,
        "error": pl.Boolean,
    }
    table = pl.DataFrame(found, schema=schema, orient="row").drop_nulls("score")
    measure: Measure = "absolute_error" if table["error"].any() else "accuracy"
    scores = table.group_by("version", "request_id", maintain_order=True).agg(
        pl.col("score").mean(), pl.len().alias("rows")
    )
    return scores, measure


def _score(output: str, truth: str) -> tuple[float | None, bool]:
    """One row's score: 1 or 0 for a label, the absolute error for a number; and which it is."""
    answer: dict[str, Any] = json.loads(output)
    told: dict[str, Any] = json.loads(truth)
    name, right = next(iter(told.items()))
    given = answer.get(name)
    if given is None:
        return None, False
    if isinstance(given, dict):  # scores: the label that has the most
        scores: dict[str, float | None] = given
        given = max(scores, key=lambda label: scores[label] or 0.0)
    if _is_number(right) and _is_number(given):
        return abs(float(right) - float(given)), True
    return float(str(right) == str(given)), False


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compared(
    scores: pl.DataFrame, champion: str, version: str, paired: bool, measure: Measure
) -> Compared:
    import polars as pl

    ours, theirs = (scores.filter(pl.col("version") == each) for each in (version, champion))
    if paired:
        both = ours.join(theirs, on="request_id", suffix="_champion")
        if both.height < LEAST:
            return Compared(version, measure, True, both.height)
        gaps = (both["score"] - both["score_champion"]).to_numpy()
        return _judged(version, measure, both.height, _flipped(gaps))
    if min(ours.height, theirs.height) < LEAST:
        return Compared(version, measure, False, min(ours.height, theirs.height))
    drawn = _permuted(ours["score"].to_numpy(), theirs["score"].to_numpy())
    return _judged(version, measure, min(ours.height, theirs.height), drawn)


@dataclass(frozen=True)
class _Drawn:
    """A difference, the differences that chance alone gives, and those of resampled requests."""

    difference: float
    chance: NDArray[np.float64]
    again: NDArray[np.float64]
    paired: bool


def _permuted(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> _Drawn:
    import numpy as np

    random = np.random.default_rng(_SEED)
    pooled, size = np.concatenate([ours, theirs]), len(ours)
    chance, again = np.empty(DRAWS), np.empty(DRAWS)
    for draw in range(DRAWS):
        random.shuffle(pooled)
        chance[draw] = pooled[:size].mean() - pooled[size:].mean()
        first = ours[random.integers(0, size, size)]
        second = theirs[random.integers(0, len(theirs), len(theirs))]
        again[draw] = first.mean() - second.mean()
    return _Drawn(float(ours.mean() - theirs.mean()), chance, again, False)


def _flipped(gaps: NDArray[np.float64]) -> _Drawn:
    import numpy as np

    random = np.random.default_rng(_SEED)
    chance, again = np.empty(DRAWS), np.empty(DRAWS)
    for draw in range(DRAWS):
        chance[draw] = (gaps * random.choice((-1.0, 1.0), len(gaps))).mean()
        again[draw] = gaps[random.integers(0, len(gaps), len(gaps))].mean()
    return _Drawn(float(gaps.mean()), chance, again, True)


def _judged(version: str, measure: Measure, requests: int, drawn: _Drawn) -> Compared:
    import numpy as np

    # One more in both places: the order that was seen is one of those that chance could give.
    # The little that is added forgives rounding: equal differences must count as equal.
    beyond = np.abs(drawn.chance) >= abs(drawn.difference) - 1e-12
    p_value = (1 + int(beyond.sum())) / (1 + len(drawn.chance))
    low, high = (float(end) for end in np.quantile(drawn.again, (0.025, 0.975)))
    verdict: Verdict = "undecided"
    if p_value < 0.05 and drawn.difference:
        up = drawn.difference > 0
        verdict = "better" if up == (measure == "accuracy") else "worse"
    return Compared(
        version, measure, drawn.paired, requests, drawn.difference, low, high, p_value, verdict
    )
