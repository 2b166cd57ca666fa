"""Text classification: a text in, one of a few labels out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from luodi.contracts import (
    COPIES,
    Answer,
    Answering,
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
)
from luodi.tasks.classes import favourable_place, inspect_labels, unseen_labels


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
        """Their heavy libraries load when they fit."""
        from luodi.tasks.ensemble import EnsembleLearner
        from luodi.tasks.text_classification.ensemble import TextEnsemblePredictor
        from luodi.tasks.text_classification.given import GivenLearner
        from luodi.tasks.text_classification.linear import LinearLearner
        from luodi.tasks.text_classification.naive import NaiveLearner
        from luodi.tasks.text_classification.transformer import TransformerLearner

        linear, transformer = LinearLearner(), TransformerLearner()
        every: tuple[Learner, ...] = (
            NaiveLearner(),
            linear,
            transformer,
            EnsembleLearner([transformer, linear], TextEnsemblePredictor, self.requests),
            GivenLearner(),
        )
        return {learner.name: learner for learner in every}

    @cached_property
    def metrics(self) -> Sequence[Metric[Any]]:
        """Accuracy is chosen on. Not the cost of wrong labels: no text is answered by it."""
        from luodi.evaluation.fairness import FAIRNESS
        from luodi.evaluation.metrics import CLASSIFICATION, EXPECTED_COST

        return (*(metric for metric in CLASSIFICATION if metric is not EXPECTED_COST), *FAIRNESS)

    def inspect(self, data: Dataset, settings: CleanSettings) -> Sequence[Finding]:
        """One class, rare classes, labels that are no classes."""
        labels = data.table[data.column(Role.LABEL)].drop_nulls().to_list()
        found = inspect_labels(labels, data.column(Role.LABEL), settings)
        return [*found, *unseen_labels(labels, data.question)]

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
        seen = data.table[data.column(Role.LABEL)].drop_nulls().unique().to_list()
        labels = tuple(sorted({*seen, *data.question.labels}))
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

    def requests(self, data: Dataset, schema: Schema) -> list[Request]:
        """A text a row."""
        return [{"text": text} for text in self.content(data)]

    def score(self, data: Dataset, answers: Sequence[Answer], schema: Schema) -> Classified:
        """Labels and probabilities beside the truth."""
        import numpy as np

        from luodi.data.groups import groups_of
        from luodi.data.weights import row_weights

        labels = schema.answer_field("label").categories
        place = {label: index for index, label in enumerate(labels)}
        truth = data.table[data.column(Role.LABEL)].to_list()
        table = data.table
        return Classified(
            weight=row_weights(data),
            cluster=table[COPIES].to_numpy() if COPIES in table.columns else np.arange(data.rows),
            truth=np.array([place[name] for name in truth], dtype=np.int64),
            predicted=np.array([place[a["label"]] for a in answers], dtype=np.int64),
            probability=np.array(
                [[a["probabilities"][name] for name in labels] for a in answers], dtype=np.float64
            ).reshape(len(answers), len(labels)),
            labels=labels,
            groups=groups_of(data),
            favourable=favourable_place(labels, data.question),
        )

    def sections(
        self, data: Dataset, answers: Sequence[Answer], scored: Classified, level: float
    ) -> Sequence[Section]:
        """Per class, confusion, calibration, the most confident mistakes."""
        from luodi.data.privacy import Masked
        from luodi.evaluation.classification import sections

        return sections(Masked(self.content(data)), answers, scored, level)

    def explanations(
        self, bundle: Answering, data: Dataset, scored: Classified, seed: int
    ) -> Sequence[Section]:
        """What carried the surest right and the surest wrong answers."""
        from luodi.data.privacy import mask
        from luodi.evaluation.texts import carried

        return carried(bundle, [mask(text) for text in self.content(data)], scored)


task = TextClassification()
