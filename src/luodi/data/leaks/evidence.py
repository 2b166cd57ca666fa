"""What a column tells of the label, how much of it is too much, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from luodi.contracts import Finding, Severity, say

CODE = "target-leak"
LEAST_ROWS = 10
"""Rows that a side must have, and a label, before anything is said of them."""
CHANCE = 1e-9
"""A flag whose rows all carry one label by less than this chance is no coincidence."""
Measured = Literal["auc", "balanced_accuracy", "r2", "concordance", "purity"]
How = Literal["values", "missing", "flag", "index", "word", "bands", "sum"]
_BOUNDS: dict[Measured, tuple[float, float]] = {
    "auc": (0.97, 0.998),
    "balanced_accuracy": (0.97, 0.99),
    "r2": (0.98, 0.9995),
    "concordance": (0.99, 0.998),
}
"""From which value on a column alone is told, and refused."""
_INDEX_BOUND = 0.9
"""A running number has no business to know the label at all: far less is enough to refuse it."""
RATIO = 30.0
"""So many times as often among the rows of one label as among the others, at the least: a test of
ten times is held to be conclusive (Jaeschke, Guyatt and Sackett, JAMA 1994)."""
COVERED = (0.1, 0.25)
"""The share of a label's rows from which a side that is so sure is told, and refused."""
COVERED_USUAL = 0.75
"""The same of a label that most rows carry: women with small children are all married."""


@dataclass(frozen=True)
class Evidence:
    """What one column alone can tell of the label; of a sum, what `column` and `others` can.

    Attributes:
        rows: those that it was measured on; of a side, its own.
        hits: of a side: those that carry `label`.
        coverage: of a side: the share of the label's rows that it holds.
        sure: of a side: no chance, and no test, however good, sets such rows apart.
    """

    column: str
    how: How
    measured: Measured
    value: float
    rows: int
    label: str = ""
    shown: str = ""
    hits: int = 0
    coverage: float = 0.0
    sure: bool = False
    others: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All that take part."""
        return (self.column, *self.others)

    @property
    def severity(self) -> Severity:
        """`error` for what no honest column can do."""
        if self.measured == "purity":
            return "error" if self.sure else "warning"
        if self.how == "index":
            return "error" if self.value >= _INDEX_BOUND else "info"
        told, refused = _BOUNDS[self.measured]
        if self.how == "missing" and self.measured == "concordance":
            # A column that began later lacks the low values of a target that rises with time.
            return "warning" if self.value >= refused else "info"
        return "error" if self.value >= refused else "warning" if self.value >= told else "info"


def finding(e: Evidence, allowed: bool) -> Finding:
    """The evidence in words, with what to do; told and no more where it is allowed."""
    severity = "info" if allowed else e.severity
    return Finding(
        code=CODE if severity != "warning" else "near-leak",
        severity=severity,
        count=e.rows,
        message=_told(e),
        columns=e.columns,
        remedy=_remedy(e),
        handled=say("Allowed by the project file.", "项目文件已允许。") if allowed else "",
        details={"how": e.how, "measured": e.measured, "value": e.value, "rows": e.rows}
        | ({"coverage": e.coverage} if e.measured == "purity" else {}),
    )


def _told(e: Evidence) -> str:
    alone = f"{e.measured} {e.value:.3f}"
    match e.how:
        case "index":
            return say(
                f"{e.column} is a running number, and knows the label ({alone} alone): the rows "
                "are sorted by it.",
                f"{e.column} 是流水号，却能预测标签（单独 {e.measured} 为 {e.value:.3f}）："
                "数据按标签排过序。",
            )
        case "missing":
            return say(
                f"Whether {e.column} is missing tells the label ({alone} alone).",
                f"{e.column} 是否缺失即可预测标签（单独 {e.measured} 为 {e.value:.3f}）。",
            )
        case "bands":
            return say(
                f"{e.column} tells which range the target lies in ({alone}): is it made from it?",
                f"{e.column} 决定了目标所在的区间（{e.measured} 为 {e.value:.3f}）："
                "它由目标得出吗？",
            )
        case "sum":
            return say(
                f"The target is {e.shown} ({alone}).",
                f"目标等于 {e.shown}（{e.measured} 为 {e.value:.3f}）。",
            )
        case "flag" | "word":
            return _told_by_side(e)
        case _:
            return say(
                f"{e.column} alone predicts the label with {e.measured} {e.value:.4f}: is it known "
                "before the answer is?",
                f"仅凭 {e.column} 就能以 {e.measured} {e.value:.4f} 预测标签："
                "它在结果出现之前就已知吗？",
            )


def _told_by_side(e: Evidence) -> str:
    if e.how == "word":
        which = say(f"{e.column} that says {e.shown!r}", f"{e.column} 含“{e.shown}”")
    else:
        which = f"{e.column} = {e.shown}"
    if e.hits == e.rows:
        return say(
            f"All {e.rows} rows with {which} carry the label {e.label}.",
            f"{which} 的 {e.rows} 行全部带标签 {e.label}。",
        )
    return say(
        f"{e.hits} of the {e.rows} rows with {which} carry the label {e.label}: "
        f"{e.coverage:.0%} of all that do.",
        f"{which} 的 {e.rows} 行中有 {e.hits} 行带标签 {e.label}，"
        f"占该标签全部行的 {e.coverage:.0%}。",
    )


def _remedy(e: Evidence) -> str:
    names = ", ".join(e.columns)
    out = e.columns[-1]
    return say(
        f"Take it out (data.kinds: {{{out}: ignore}}), or, when it is known in time, allow it "
        f"(data.leaks: {{allow: [{names}]}}).",
        f"请去掉该列（data.kinds: {{{out}: ignore}}）；若确实事先可知，请允许"
        f"（data.leaks: {{allow: [{names}]}}）。",
    )
