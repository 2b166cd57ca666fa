"""One way to answer a task's question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, runtime_checkable

from luodi.contracts.json import JsonValue

if TYPE_CHECKING:
    from luodi.contracts.dataset import Dataset
    from luodi.contracts.finding import Finding
    from luodi.contracts.json import Answer, Request
    from luodi.contracts.metric import Metric
    from luodi.contracts.predictor import Predictor
    from luodi.contracts.progress import Progress
    from luodi.contracts.schema import Field, Schema
    from luodi.contracts.section import Section
    from luodi.contracts.settings import ColumnKind


@dataclass(frozen=True)
class Choice:
    """One of a few values; the first is the default. What is not `searched` can be set alone; what
    is `listed` can be set to a list of positive numbers or of names as well.
    """

    values: tuple[JsonValue, ...]
    searched: bool = True
    listed: Literal["", "numbers", "names"] = ""

    @property
    def default(self) -> JsonValue:
        """What is used when nothing is searched."""
        return self.values[0]


@dataclass(frozen=True)
class Range:
    """A number between two ends, both included; `log` searches by orders of magnitude. What is not
    `searched` can be set alone.
    """

    low: float
    high: float
    default: float
    log: bool = False
    whole: bool = False
    searched: bool = True


SearchSpace = Mapping[str, Choice | Range]
"""Option name -> its values; those of the places that are `searched` are worth trying."""


@dataclass(frozen=True)
class Estimate:
    """What a fit will take on this machine: seconds, and bytes of memory at the peak."""

    seconds: float
    bytes: int


@dataclass(frozen=True)
class FitSettings:
    """Everything a fit depends on besides the rows: same settings, same rows, same model.

    Attributes:
        schema: the task's schema, made from all rows that may be learnt from.
        metric: what is chosen on, over the validation part.
        folder: a scratch folder that outlives a kill: checkpoints go here, and a second fit with
            the same folder goes on from them.
        budget: seconds that the fit may take; None for no limit.
        base: what a learner of a pretrained model starts from.
        licence: `commercial` refuses a base that may not be used so.
        options: values of the learner's search space.
    """

    schema: Schema
    metric: Metric  # type: ignore[type-arg]  # of whatever the task scores
    folder: Path
    seed: int = 7
    threads: int = 1
    budget: float | None = None
    base: str | None = None
    licence: str = "any"
    options: Mapping[str, JsonValue] = field(default_factory=dict)

    def chosen(self, space: SearchSpace) -> dict[str, JsonValue]:
        """A value for every name of `space`: the option where one is set, else the default."""
        return {name: self.options.get(name, place.default) for name, place in space.items()}


class Fitted(Protocol):
    """A model in memory, ready to be written."""

    @property
    def findings(self) -> Sequence[Finding]:
        """What was noticed while fitting: texts cut short, rows left out for the budget."""

    @property
    def history(self) -> Sequence[Mapping[str, float]]:
        """A record an epoch or so, keys such as step, seconds, train_loss, valid_accuracy."""

    @property
    def licences(self) -> Mapping[str, str]:
        """Name of each part that others made -> its licence (SPDX)."""

    def export(self, folder: Path) -> None:
        """Write the files that the learner's predictor reads, without torch, without pickle."""


@runtime_checkable
class Telling(Protocol):
    """What a Fitted is as well when there is more to it than its task knows."""

    @property
    def sections(self) -> Sequence[Section]:
        """What the report shows of the model itself."""

    @property
    def answers(self) -> Sequence[Field]:
        """Fields of its answers beyond those of the task's schema."""


class Learner(Protocol):
    """One way to answer: naive, linear, transformer, boosting, ..."""

    @property
    def name(self) -> str:
        """As in the project file's `model.learner`."""

    @property
    def version(self) -> int:
        """Raised when the same settings would give another model; earlier runs are then redone."""

    @property
    def space(self) -> SearchSpace:
        """What can be set and searched."""

    @property
    def predictor(self) -> type[Predictor]:
        """The class that reads what `Fitted.export` wrote."""

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """What fitting on `data` will take, without fitting."""

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> Fitted:
        """Learn from `train`; choose on `valid` alone."""


@runtime_checkable
class Refitting(Protocol):
    """What a Learner is as well when a model that was chosen can be learnt once more from all rows
    that were held back for choosing, and be no worse known for it.

    Attributes:
        refit_rows: up to so many rows, both parts together, it is done unasked: beyond, the rows
            held back are too few of all to be missed.
        refit_fits: what it takes at the most, in fits: a budget must leave so much.
    """

    refit_rows: int
    refit_fits: float

    def refits(self, train: Dataset, valid: Dataset, settings: FitSettings) -> bool:
        """Whether it is to be had for this question, and from these rows."""

    def refit(
        self,
        train: Dataset,
        valid: Dataset,
        settings: FitSettings,
        progress: Progress,
        chosen: Path,
    ) -> Fitted:
        """Learn from both parts. Whatever `fit` learns on `valid` beside choosing (calibration, a
        threshold) is learnt on rows that the model asked about had not seen: of others of its
        making, or of the one that was chosen.

        Args:
            chosen: the folder that `fit` exported that one to.
        """


@dataclass(frozen=True)
class Member:
    """A model that others answer together with.

    Attributes:
        name: the learner that made it.
        exported: the folder that its predictor reads.
        findings, history, licences: as in Fitted.
    """

    name: str
    exported: Path
    findings: Sequence[Finding] = ()
    history: Sequence[Mapping[str, float]] = ()
    licences: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Combining(Protocol):
    """What a Learner is as well when it answers with models of other learners of its task together:
    those that a run has trained already need not be trained again. `fit` trains them itself.
    """

    @property
    def members(self) -> Sequence[str]:
        """The learners whose models are combined, the dearest to ask first."""

    def combine(self, models: Sequence[Member], valid: Dataset, settings: FitSettings) -> Fitted:
        """One model of all; what each counts for is learnt on `valid`, which none was taught."""


@runtime_checkable
class Monotone(Protocol):
    """What a Learner is as well when its answers rise or fall with a column throughout, where the
    question's `monotone` asks for it.
    """

    keeps_monotone: ClassVar[Literal[True]]


@dataclass(frozen=True)
class Form:
    """How a model's numbers are kept and what computes with them.

    Attributes:
        name: as in the project file's `serve.form`: float32, int8, bfloat16.
        runtime: as in `serve.runtime`: onnxruntime, openvino.
        method: how the numbers were made smaller: dynamic, calibrated; empty where they were not.
    """

    name: str
    runtime: str
    method: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.name, self.method, self.runtime)))


@runtime_checkable
class Compressible(Protocol):
    """What a Learner is as well when its models can be kept in several forms."""

    def forms(self) -> Sequence[Form]:
        """Those that this machine can make and run; first the one that `Fitted.export` writes."""

    def compress(
        self, exported: Path, form: Form, requests: Sequence[Request], folder: Path
    ) -> None:
        """Write the model that was exported to `exported` to `folder`, in another form.

        Args:
            requests: rows of the training part, for whatever must be calibrated.
        """


@runtime_checkable
class Distilling(Protocol):
    """What a Learner is as well when it can be taught by what another model answers, in fewer
    layers than it has by itself: a student, smaller and quicker than its teacher.

    Attributes:
        distil_fits: what it takes at the most, in fits of its own.
    """

    distil_fits: float

    def distil(
        self,
        train: Dataset,
        valid: Dataset,
        settings: FitSettings,
        progress: Progress,
        answers: Sequence[Answer],
        layers: int | None,
    ) -> Fitted:
        """Learn from what the teacher says of `train`; choose on `valid` alone.

        Args:
            answers: the teacher's to the rows of `train`, in their order.
            layers: how many the student has; None for about half of its own.

        Raises:
            TrainingError: it has no more layers than that.
        """


@dataclass(frozen=True)
class Foreign:
    """What a model that was trained elsewhere says of itself.

    Attributes:
        kind: what it is, for a person: `LightGBM text model`.
        columns: name and kind of each column of a table that it reads, in its order; a name is
            empty where the model does not tell it. Empty for a model that reads one text.
        labels: what its outputs stand for, in their order; empty where it does not say.
    """

    kind: str
    columns: tuple[tuple[str, ColumnKind], ...] = ()
    labels: tuple[str, ...] = ()


@runtime_checkable
class Adopting(Protocol):
    """What a Learner is as well when it learns nothing: `settings.base` is a model that was trained
    elsewhere, which `fit` takes over as it is.

    Its space knows `labels`, the names of the model's outputs in their order, and, on tables,
    `columns`, the fields that it reads in its order.
    """

    def look(self, path: Path) -> Foreign:
        """What is at `path`.

        Raises:
            BaseModelError: nothing that can be taken over, with what could.
        """
