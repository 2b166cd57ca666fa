"""Several learners of a task answer together. Each sees what the others miss; what each counts for
is learnt on the validation part (see `pooling.py`)."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from luodi.contracts import (
    Answer,
    BundleError,
    Compressible,
    Dataset,
    Estimate,
    Field,
    Finding,
    FitSettings,
    Fitted,
    Form,
    Learner,
    Member,
    Predictor,
    Preparing,
    Progress,
    Refitting,
    Request,
    Role,
    Schema,
    SearchSpace,
    Section,
    Table,
    say,
)
from luodi.tasks.classes import class_answers
from luodi.tasks.pooling import logs, pool_weights, pooled

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEAD = "ensemble.json"


class EnsemblePredictor:
    """Reads `ensemble.json` and a folder a member, each with that member's predictor.

    A task says which: `class MyEnsemble(EnsemblePredictor)` with its `kinds`.
    """

    kinds: ClassVar[Mapping[str, type[Predictor]]] = {}

    def __init__(
        self, members: Sequence[Predictor], weights: Sequence[float], labels: Sequence[str]
    ) -> None:
        self._members, self._weights = tuple(members), tuple(weights)
        self._labels = tuple(labels)

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `EnsembleFitted.export` wrote; members answer one after the other.

        Raises:
            BundleError: when the head is missing, or names what this task has no learner for.
        """
        try:
            head = json.loads((folder / HEAD).read_text("utf-8"))
            names = [str(member["name"]) for member in head["members"]]
            weights = [float(member["weight"]) for member in head["members"]]
            kinds = [cls.kinds[name] for name in names]
            labels = [str(label) for label in head["labels"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                say(
                    f"{folder} cannot be read as an exported ensemble: {error!r}",
                    f"{folder} 无法作为导出的集成模型读取：{error!r}",
                ),
                say(
                    f"Expected {HEAD} with members out of {', '.join(cls.kinds)}.",
                    f"应有 {HEAD}，成员为 {'、'.join(cls.kinds)} 中的若干个。",
                ),
                say("Export the model again.", "请重新导出模型。"),
            ) from error
        members = [
            kind.load(folder / name, threads) for kind, name in zip(kinds, names, strict=True)
        ]
        return cls(members, weights, labels)

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """Label and probabilities a request; and what else a member has to say of it."""
        return self.answer([item for _, item in self.prepare(requests)])

    @property
    def call_cost(self) -> int:
        """In the dearest member's units."""
        lead = self._members[0]
        return lead.call_cost if isinstance(lead, Preparing) else 0

    def prepare(self, requests: Sequence[Request]) -> list[tuple[int, tuple[Any, ...]]]:
        """The dearest member's cost, and what each member takes."""
        taken = [_prepared(member, requests) for member in self._members]
        costs = [cost for cost, _ in taken[0]]
        items = zip(*([item for _, item in each] for each in taken), strict=True)
        return list(zip(costs, items, strict=True))

    def answer(self, prepared: Sequence[tuple[Any, ...]]) -> list[Answer]:
        """The second step of `predict`."""
        if not prepared:
            return []
        told = [
            member.answer(items) if isinstance(member, Preparing) else member.predict(items)
            for member, items in zip(self._members, zip(*prepared, strict=True), strict=True)
        ]
        chance = pooled([log_chance(answers, self._labels) for answers in told], self._weights)
        own = class_answers(chance, self._labels)
        return [
            {**_beside(each), **answer}
            for answer, each in zip(own, zip(*told, strict=True), strict=True)
        ]

    def cost(self, request: Request) -> int:
        """The dearest member's."""
        return self._members[0].cost(request)


def _prepared(member: Predictor, requests: Sequence[Request]) -> Sequence[tuple[int, Any]]:
    if isinstance(member, Preparing):
        return member.prepare(requests)
    return [(member.cost(request), request) for request in requests]


def _beside(answers: Sequence[Answer]) -> Mapping[str, Any]:
    """What members say beside the label and its probabilities: of a text cut short, for one."""
    return {
        key: value
        for answer in answers
        for key, value in answer.items()
        if key not in ("label", "probabilities")
    }


def log_chance(answers: Sequence[Answer], labels: Sequence[str]) -> NDArray[np.float64]:
    """(n, k) log-probabilities of answers."""
    rows = [[answer["probabilities"][label] for label in labels] for answer in answers]
    return logs(np.array(rows, dtype=np.float64).reshape(len(answers), len(labels)))


@dataclass(frozen=True)
class EnsembleFitted:
    """Members on the disk, and what each counts for.

    Attributes:
        alone: each member's log loss and accuracy on the validation part, then the pool's.
    """

    members: Sequence[Member]
    weights: tuple[float, ...]
    labels: tuple[str, ...]
    alone: Sequence[tuple[float, float]] = ()

    @property
    def findings(self) -> Sequence[Finding]:
        """The members'."""
        return [finding for member in self.members for finding in member.findings]

    @property
    def history(self) -> Sequence[Mapping[str, float]]:
        """The dearest member's: epochs of one and strengths of another share no axis."""
        return self.members[0].history

    @property
    def licences(self) -> Mapping[str, str]:
        """The members'."""
        return {name: value for member in self.members for name, value in member.licences.items()}

    @property
    def answers(self) -> Sequence[Field]:
        """Nothing beyond the task's."""
        return ()

    @property
    def sections(self) -> Sequence[Section]:
        """Who is in it, and what each reached alone."""
        if not self.alone:
            return ()
        names = [*(member.name for member in self.members), say("together", "集成")]
        weights = [*(round(weight, 3) for weight in self.weights), None]
        return [
            Table(
                say("The ensemble's members", "集成的成员"),
                [
                    say("Member", "成员"), say("Weight", "权重"),
                    say("Log loss", "对数损失"), say("Accuracy", "准确率"),
                ],
                [
                    [name, weight, *figures]
                    for name, weight, figures in zip(names, weights, self.alone, strict=True)
                ],
                say(
                    "On the validation part, where the weights were learnt: log-probabilities are "
                    "multiplied with them, added, and made to sum to one again.",
                    "在学得权重的验证集上：各成员的对数概率乘以权重后相加，再归一化。",
                ),
            )
        ]  # fmt: skip

    def export(self, folder: Path) -> None:
        """`ensemble.json`, and a folder a member."""
        folder.mkdir(parents=True, exist_ok=True)
        for member in self.members:
            shutil.copytree(member.exported, folder / member.name)
        pairs = zip(self.members, self.weights, strict=True)
        head = {
            "labels": self.labels,
            "members": [{"name": member.name, "weight": weight} for member, weight in pairs],
        }
        (folder / HEAD).write_text(json.dumps(head, ensure_ascii=False), "utf-8")


class EnsembleLearner:
    """Trains its members, the cheapest first, and pools them.

    Args:
        learners: the members, the dearest to ask first.
        predictor: reads what they exported.
        requests: a table's rows as requests: that of the task.
    """

    name = "ensemble"
    version = 2
    refit_rows = 0  # it takes as long again: only where it is asked for
    refit_fits = 1.3

    def __init__(
        self,
        learners: Sequence[Learner],
        predictor: type[EnsemblePredictor],
        requests: Callable[[Dataset, Schema], list[Request]],
    ) -> None:
        self._learners = tuple(learners)
        self._requests = requests
        self.predictor: type[Predictor] = predictor

    @property
    def members(self) -> Sequence[str]:
        """Their names."""
        return [learner.name for learner in self._learners]

    @property
    def space(self) -> SearchSpace:
        """All that members know; a name that two know is set for both."""
        return {
            name: place
            for learner in reversed(self._learners)
            for name, place in learner.space.items()
        }

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """One after the other."""
        each = [learner.estimate(data, self._of(learner, settings)) for learner in self._learners]
        return Estimate(sum(one.seconds for one in each), max(one.bytes for one in each))

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> EnsembleFitted:
        """Train every member, then `combine` them."""
        models = self._each(settings, lambda learner, own: learner.fit(train, valid, own, progress))
        return self.combine(models, valid, settings)

    def refits(self, train: Dataset, valid: Dataset, settings: FitSettings) -> bool:
        """Where every member is to be had so."""
        return all(
            isinstance(each, Refitting) and each.refits(train, valid, self._of(each, settings))
            for each in self._learners
        )

    def refit(
        self,
        train: Dataset,
        valid: Dataset,
        settings: FitSettings,
        progress: Progress,
        chosen: Path,
    ) -> EnsembleFitted:
        """Every member from both parts, with the weights of the chosen ensemble."""

        def fit(learner: Learner, own: FitSettings) -> Fitted:
            assert isinstance(learner, Refitting)  # noqa: S101  # `refits` says so
            return learner.refit(train, valid, own, progress, chosen / learner.name)

        head = json.loads((chosen / HEAD).read_text("utf-8"))
        weight = {member["name"]: float(member["weight"]) for member in head["members"]}
        models = self._each(settings, fit)
        return EnsembleFitted(
            models,
            tuple(weight[model.name] for model in models),
            settings.schema.answer_field("label").categories,
        )

    def _each(
        self, settings: FitSettings, fit: Callable[[Learner, FitSettings], Fitted]
    ) -> list[Member]:
        """The members, the cheapest first, each in a folder of its own and in what is left of the
        budget."""
        started, models = time.monotonic(), []
        for learner in reversed(self._learners):
            own = self._of(learner, settings)
            if own.budget is not None:
                own = replace(own, budget=max(own.budget - (time.monotonic() - started), 0.0))
            own.folder.mkdir(exist_ok=True)
            fitted = fit(learner, own)
            exported = settings.folder / f"{learner.name}-export"
            shutil.rmtree(exported, ignore_errors=True)
            fitted.export(exported)
            models.append(
                Member(learner.name, exported, fitted.findings, fitted.history, fitted.licences)
            )
        return models[::-1]

    def combine(
        self, models: Sequence[Member], valid: Dataset, settings: FitSettings
    ) -> EnsembleFitted:
        """Ask each model about the validation part; weights with the lowest log loss."""
        labels = settings.schema.answer_field("label").categories
        place = {label: index for index, label in enumerate(labels)}
        names = valid.table[valid.column(Role.LABEL)].to_list()
        truth = np.array([place[name] for name in names], dtype=np.int64)
        requests = self._requests(valid, settings.schema)
        kinds = {learner.name: learner.predictor for learner in self._learners}
        told = []
        for model in models:
            predictor = kinds[model.name].load(model.exported, settings.threads)
            told.append(log_chance(predictor.predict(requests), labels))
        weights = pool_weights(told, truth)
        alone = [*told, logs(pooled(told, weights))] if len(truth) else []
        return EnsembleFitted(models, weights, labels, [_figures(each, truth) for each in alone])

    def forms(self) -> Sequence[Form]:
        """Those of the dearest member: the others are small."""
        lead = self._learners[0]
        return lead.forms() if isinstance(lead, Compressible) else ()

    def compress(
        self, exported: Path, form: Form, requests: Sequence[Request], folder: Path
    ) -> None:
        """The dearest member in another form, the others as they are."""
        lead = self._learners[0]
        assert isinstance(lead, Compressible)  # noqa: S101  # it had forms to offer
        shutil.copytree(exported, folder, ignore=shutil.ignore_patterns(lead.name))
        lead.compress(exported / lead.name, form, requests, folder / lead.name)

    def _of(self, learner: Learner, settings: FitSettings) -> FitSettings:
        options = {key: value for key, value in settings.options.items() if key in learner.space}
        return replace(settings, folder=settings.folder / learner.name, options=options)


def _figures(chance: NDArray[np.float64], truth: NDArray[np.int64]) -> tuple[float, float]:
    """Log loss and accuracy of (n, k) log-probabilities."""
    loss = -chance[np.arange(len(truth)), truth].mean()
    return float(loss), float((chance.argmax(axis=1) == truth).mean())
