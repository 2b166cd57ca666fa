"""What folds said: the record of it, and how it is told."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from luodi.contracts import Finding, Interval, JsonValue, Section, Table, say

Searched = Literal["", "anew", "kept", "defaults"]
_SHOWN = 3


@dataclass(frozen=True)
class Crossed:
    """What the folds said.

    Attributes:
        folds: how many; `nested` inner ones to choose by in each, 0 for none.
        rows: that were dealt out to them.
        metrics: name -> the mean over the folds, with its interval.
        scores: a record a fold: learner, train, held (rows), metrics; options that were searched.
        made: whether rows were made in each fold, as for the model.
        search: whether settings were searched `anew` in each fold, or `kept` as the search on the
            validation part found them; `defaults` where those of combined models are not taken
            along; nothing where none were searched.
    """

    folds: int
    nested: int
    rows: int
    metrics: Mapping[str, Interval]
    scores: Sequence[Mapping[str, Any]]
    made: bool = False
    search: Searched = ""

    def to_json(self) -> dict[str, JsonValue]:
        """As it stands in result.json."""
        from luodi.evaluation.plain import plain

        found: dict[str, JsonValue] = plain(asdict(self))
        return found


def crossed_findings(
    crossed: Crossed | None, held: Mapping[str, Interval], metric: str
) -> list[Finding]:
    """A held-out score that lies beyond what the folds give owes something to the deal."""
    if crossed is None or metric not in held or metric not in crossed.metrics:
        return []
    folds, value = crossed.metrics[metric], held[metric].value
    if not (value < folds.low or value > folds.high):
        return []
    return [
        Finding(
            "folds-differ",
            "warning",
            crossed.folds,
            say(
                f"{metric} is {value:.3f} on the test part and {folds.value:.3f} "
                f"[{folds.low:.3f}, {folds.high:.3f}] over {crossed.folds} folds of the others.",
                f"{metric} 在测试集上为 {value:.3f}，在其余数据的 {crossed.folds} 折上为 "
                f"{folds.value:.3f} [{folds.low:.3f}, {folds.high:.3f}]。",
            ),
            remedy=say(
                "The test part is easier or harder than the others: trust the worse of the two.",
                "测试集比其余数据更容易或更难：请以较差的一个为准。",
            ),
        )
    ]


def crossed_sections(crossed: Crossed | None, held: Mapping[str, Interval]) -> list[Section]:
    """The folds beside the held-out score, and one under another."""
    if crossed is None:
        return []
    rows: list[list[JsonValue]] = []
    for name, interval in crossed.metrics.items():
        values = [v for s in crossed.scores if math.isfinite(v := number(s["metrics"].get(name)))]
        spread = statistics.stdev(values) if len(values) > 1 else None
        other = held[name].to_json() if name in held else None
        rows.append([name, interval.to_json(), spread, other])
    note = say(
        f"{crossed.rows} rows of the training and validation parts, dealt out to {crossed.folds} "
        "folds, near-copies and groups together; everything was learnt anew in each. The interval "
        "is that of the mean, corrected for folds that share rows (Nadeau and Bengio 2003). The "
        "gate judges the test part alone.",
        f"训练与验证部分的 {crossed.rows} 行分为 {crossed.folds} 折，近似重复与同组的行在同一折；"
        "每折都重新学习全部步骤。区间针对均值，并按各折共用数据作了修正（Nadeau 与 Bengio 2003）。"
        "门槛只看测试部分。",
    ) + _way(crossed)
    shown = list(crossed.metrics)[:_SHOWN]
    folds: list[list[JsonValue]] = [
        [str(n), s["learner"], s["train"], s["held"], *(s["metrics"].get(name) for name in shown)]
        for n, s in enumerate(crossed.scores, start=1)
    ]
    head = [say("Metric", "指标"), say("Mean over folds", "各折均值"),
            say("Standard deviation", "标准差"), say("Test part", "测试集")]  # fmt: skip
    each = [say("Fold", "折"), say("Learner", "学习器"), say("Learnt from", "训练行数"),
            say("Held out", "留出行数"), *shown]  # fmt: skip
    return [
        Table(say("Cross-validation", "交叉验证"), head, rows, note),
        Table(say("Fold by fold", "逐折结果"), each, folds),
    ]


def _way(crossed: Crossed) -> str:
    """What was done in each fold beside learning, and what was not."""
    said = {
        "": "",
        "anew": say(
            " Settings were searched anew in each, on the fold's own rows.",
            "每折都在自身的行内重新搜索设置。",
        ),
        "kept": say(
            " Settings are those that the search found on rows which these folds hold out: the "
            "figures flatter it. data.split.nested searches anew in each.",
            "设置沿用搜索的结果，而搜索用过这些折留出的行，数字会偏乐观；"
            "data.split.nested 会在每折重新搜索。",
        ),
        "defaults": say(
            " The models that are combined have their default settings here, not those that the "
            "search found.",
            "此处被组合的模型使用默认设置，而非搜索所得的设置。",
        ),
    }
    nested = say(
        f" In each, the learner was chosen anew by {crossed.nested} inner folds.",
        f"每折内用 {crossed.nested} 个内层折重新选择学习器。",
    )
    made = say(
        " Rows were made from each fold's own rows, to learn from alone.",
        "每折都用自身的行生成数据，且仅用于学习。",
    )
    return (
        (nested if crossed.nested else "") + (made if crossed.made else "") + said[crossed.search]
    )


def number(value: JsonValue) -> float:
    """A metric as it was kept: nothing where it could not be told."""
    return float("nan") if value is None else float(value)
