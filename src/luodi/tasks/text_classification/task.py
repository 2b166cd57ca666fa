"""Text classification: a text in, one of a few labels out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    COPIES,
    Answer,
    Classified,
    CleanSettings,
    Dataset,
    Field,
    Finding,
    Learner,
    Metric,
    Parts,
    Request,
    Role,
    RoleRule,
    Schema,
    Section,
    SplitSettings,
    Task,
    say,
)

if TYPE_CHECKING:
    from collections import Counter


class TextClassification(Task):
    """Which of these labels does a text carry?"""

    name = "text-classification"
    baselines: Sequence[str] = ("naive", "linear")
    roles: Mapping[Role, RoleRule] = {
        Role.TEXT: RoleRule(required=True, meaning="the text to be classified"),
        Role.LABEL: RoleRule(required=True, meaning="the label to be learnt"),
        Role.GROUP: RoleRule(meaning="rows of one group stay on one side of a split"),
        Role.TIME: RoleRule(meaning="when the row arose"),
        Role.WEIGHT: RoleRule(meaning="what the row counts for in the evaluation"),
        Role.SLICE: RoleRule(many=True, meaning="measured by its values"),
        Role.PROTECTED: RoleRule(many=True, meaning="fairness is measured by its values"),
        Role.ID: RoleRule(meaning="names the row; never learnt from"),
    }

    @cached_property
    def learners(self) -> Mapping[str, Learner]:
        """Naive, linear, transformer; their heavy libraries load when they fit."""
        from luodi.tasks.text_classification.linear import LinearLearner
        from luodi.tasks.text_classification.naive import NaiveLearner
        from luodi.tasks.text_classification.transformer import TransformerLearner

        every: tuple[Learner, ...] = (NaiveLearner(), LinearLearner(), TransformerLearner())
        return {learner.name: learner for learner in every}

    @cached_property
    def metrics(self) -> Sequence[Metric[Any]]:
        """Accuracy is chosen on."""
        from luodi.evaluation.metrics import CLASSIFICATION

        return CLASSIFICATION

    def inspect(self, data: Dataset, settings: CleanSettings) -> Sequence[Finding]:
        """One class, rare classes, labels that are no classes."""
        from collections import Counter

        labels = data.table[data.column(Role.LABEL)].drop_nulls().to_list()
        counts = Counter(label for label in labels if label.strip())
        findings = [_shares(counts)]
        if len(counts) < 2:
            findings.append(_one_class(counts))
        elif len(counts) > max(50, data.rows // 2):
            findings.append(_no_classes(counts, data.column(Role.LABEL)))
        elif rare := {k: n for k, n in counts.items() if n < settings.min_rows_per_class}:
            findings.append(_rare(rare, settings))
        return findings

    def content(self, data: Dataset) -> Sequence[str]:
        """The text itself."""
        return [text or "" for text in data.table[data.column(Role.TEXT)].to_list()]

    def split(self, data: Dataset, settings: SplitSettings) -> Parts:
        """Stratified by label, near-copies together."""
        from luodi.data.split import split

        return split(data, settings, stratify=data.column(Role.LABEL))

    def schema(self, data: Dataset) -> Schema:
        """One text in; label and probabilities out."""
        text = data.column(Role.TEXT)
        labels = tuple(sorted(data.table[data.column(Role.LABEL)].drop_nulls().unique().to_list()))
        texts = [item for item in data.table[text].head(200).to_list() if item and item.strip()]
        example = min(texts, key=lambda item: abs(len(item) - 40), default="")
        aliases = () if text == "text" else (text,)
        return Schema(
            request=(Field("text", "text", example=example, aliases=aliases),),
            answer=(
                Field("label", "category", categories=labels),
                Field("probabilities", "scores", categories=labels),
            ),
        )

    def requests(self, data: Dataset) -> list[Request]:
        """A text a row."""
        return [{"text": text} for text in self.content(data)]

    def score(self, data: Dataset, answers: Sequence[Answer], schema: Schema) -> Classified:
        """Labels and probabilities beside the truth."""
        import numpy as np

        labels = schema.answer_field("label").categories
        place = {label: index for index, label in enumerate(labels)}
        truth = data.table[data.column(Role.LABEL)].to_list()
        weights = data.columns(Role.WEIGHT)
        table = data.table
        return Classified(
            weight=table[weights[0]].cast(float).to_numpy() if weights else np.ones(data.rows),
            cluster=table[COPIES].to_numpy() if COPIES in table.columns else np.arange(data.rows),
            truth=np.array([place[name] for name in truth], dtype=np.int64),
            predicted=np.array([place[a["label"]] for a in answers], dtype=np.int64),
            probability=np.array(
                [[a["probabilities"][name] for name in labels] for a in answers], dtype=np.float64
            ).reshape(len(answers), len(labels)),
            labels=labels,
        )

    def sections(
        self, data: Dataset, answers: Sequence[Answer], scored: Classified, level: float
    ) -> Sequence[Section]:
        """Per class, confusion, calibration, the most confident mistakes."""
        from luodi.data.privacy import mask
        from luodi.evaluation.classification import sections

        return sections([mask(text) for text in self.content(data)], answers, scored, level)


def _shares(counts: Counter[str]) -> Finding:
    total = sum(counts.values())
    commonest = counts.most_common(10)
    told = ", ".join(f"{label} {count / max(total, 1):.1%}" for label, count in commonest)
    return Finding(
        code="classes",
        severity="info",
        count=len(counts),
        message=say(f"{len(counts)} classes: {told}.", f"{len(counts)} 个类别：{told}。"),
        details={"counts": dict(counts.most_common(200))},
    )


def _one_class(counts: Counter[str]) -> Finding:
    only = next(iter(counts), say("none", "无"))
    return Finding(
        code="one-class",
        severity="error",
        count=sum(counts.values()),
        message=say(
            f"All rows carry one label ({only}): there is nothing to tell apart.",
            f"所有行只有一个标签（{only}），没有可区分的内容。",
        ),
        remedy=say("Add rows of at least one other class.", "请补充至少另一个类别的数据。"),
    )


def _no_classes(counts: Counter[str], column: str) -> Finding:
    return Finding(
        code="label-is-no-class",
        severity="error",
        count=len(counts),
        columns=(column,),
        message=say(
            f"The label column {column} has {len(counts)} different values: these are no classes.",
            f"标签列 {column} 有 {len(counts)} 个不同取值，不像类别。",
        ),
        remedy=say(
            "Name the right column under data.columns.label.",
            "请在 data.columns.label 指定正确的列。",
        ),
    )


def _rare(rare: Mapping[str, int], settings: CleanSettings) -> Finding:
    told = ", ".join(f"{label} ({count})" for label, count in list(rare.items())[:10])
    least = settings.min_rows_per_class
    handled = {
        "keep": say("kept", "保留"),
        "drop": say("their rows are dropped", "删除这些行"),
        "refuse": "",
    }[settings.rare_classes]
    return Finding(
        code="rare-classes",
        severity="error" if settings.rare_classes == "refuse" else "warning",
        count=sum(rare.values()),
        message=say(
            f"{len(rare)} classes have fewer than {least} rows: {told}.",
            f"{len(rare)} 个类别少于 {least} 行：{told}。",
        ),
        examples=tuple({"label": label, "rows": count} for label, count in list(rare.items())[:10]),
        remedy=say(
            "Collect more rows, merge classes, or set data.clean.rare_classes.",
            "请收集更多数据、合并类别，或设置 data.clean.rare_classes。",
        ),
        handled=handled,
    )


task = TextClassification()
