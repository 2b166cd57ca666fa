"""A student beside its teacher: what was found of both, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from luodi.contracts import Finding, JsonValue, Section, Table, say

if TYPE_CHECKING:
    from luodi.lifecycle.training import Trained


@dataclass(frozen=True)
class Side:
    """One of the two, on the validation part.

    Attributes:
        learner: that made it.
        rows_a_second: on one thread, like lengths together.
        score: the metric that is chosen on.
        memory: bytes of a process that holds this model alone; 0 where it could not be measured.
        bytes: of its files.
        gate: the gate's lines held against the validation part, as `Verdict.to_json` has them.
    """

    learner: str
    rows_a_second: float
    score: float
    memory: int
    bytes: int
    gate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        """The lines that do not hold, in words."""
        return [line["reason"] for line in self.gate.get("lines", ()) if not line["passed"]]


@dataclass(frozen=True)
class Distilled:
    """What came of teaching a smaller model.

    Attributes:
        model: what the run goes on with: the student, or the teacher.
        asked: whether one was asked for at all.
        refused: why the teacher is kept; empty where the student takes its place.
        sides: teacher and student; nothing where no student came about.
        changed: the share of validation answers in which they differ.
        rows: of the validation part that were asked.
    """

    model: Trained
    asked: bool = False
    refused: str = ""
    sides: Sequence[Side] = ()
    changed: float = 0.0
    rows: int = 0

    def to_json(self) -> dict[str, JsonValue]:
        """As in result.json."""
        found: dict[str, JsonValue] = {
            "served": not self.refused,
            "refused": self.refused,
            "changed": self.changed,
            "rows": self.rows,
        }
        names = ("teacher", "student")
        return found | {n: asdict(side) for n, side in zip(names, self.sides, strict=False)}

    def in_words(self) -> str:
        """What was done, in a sentence."""
        if self.refused:
            return say(
                f"The smaller model does not take the place of its teacher: {self.refused}.",
                f"较小的模型未能取代教师模型：{self.refused}。",
            )
        teacher, student = self.sides
        times = student.rows_a_second / teacher.rows_a_second
        return say(
            f"A smaller model takes its teacher's place: {times:.1f} times as fast, score "
            f"{student.score:.4f} against {teacher.score:.4f} on the validation part.",
            f"较小的模型取代了教师模型：速度为其 {times:.1f} 倍，验证集得分 {student.score:.4f}"
            f"（教师 {teacher.score:.4f}）。",
        )


def distilled_findings(found: Distilled) -> list[Finding]:
    """That a student is served, or why not."""
    if not found.asked:
        return []
    if not found.refused:
        return [Finding("distilled", "info", found.rows, found.in_words())]
    remedy = say(
        "Raise model.distil.cost or model.distil.layers, or leave model.distil out.",
        "请调高 model.distil.cost 或 model.distil.layers，或去掉 model.distil。",
    )
    return [Finding("distil-left-out", "warning", found.rows, found.in_words(), remedy=remedy)]


def distilled_sections(found: Distilled) -> list[Section]:
    """Teacher and student, one under the other."""
    if not found.sides:
        return []
    head = [
        say("Model", "模型"), say("Rows a second", "每秒行数"), say("Memory, MB", "内存（MB）"),
        say("Files, MB", "文件（MB）"), say("Score", "得分"),
        say("Gate, on the validation part", "门槛（验证部分）"), say("Served", "部署"),
    ]  # fmt: skip
    names = say("teacher", "教师"), say("student", "学生")
    served = (bool(found.refused), not found.refused)
    note = say(
        f"In float32, on {found.rows} rows of the validation part, the speed on one thread. "
        f"{found.changed:.1%} of the answers differ. The student learnt what the teacher says of "
        "the training part, never the test part.",
        f"float32，验证部分 {found.rows} 行，速度为单线程；{found.changed:.1%} 的答案不同。"
        "学生模型学习教师模型对训练部分的回答，从未使用测试部分。",
    )
    rows: list[list[JsonValue]] = [
        [
            f"{name} ({side.learner})", round(side.rows_a_second),
            round(side.memory / 1e6) or None, round(side.bytes / 1e6, 1), side.score,
            side.failed[0] if side.failed else say("holds", "满足"),
            say("yes", "是") if taken else say("no", "否"),
        ]
        for name, side, taken in zip(names, found.sides, served, strict=True)
    ]  # fmt: skip
    return [Table(say("A smaller model, taught by the chosen one", "由所选模型教出的小模型"),
                  head, rows, note)]  # fmt: skip
