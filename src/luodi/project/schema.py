"""The project file's shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator

from luodi.contracts import (
    Calibration,
    GateRule,
    Language,
    Mistake,
    QuestionSettings,
    TargetScale,
    parse_rule,
)
from luodi.project.data_settings import DataSettings
from luodi.project.mistakes import WRONG_ANSWERS
from luodi.project.places import Places
from luodi.project.quantities import Duration, Size, parse_duration, parse_size
from luodi.project.serve_settings import ServeSettings
from luodi.project.strict import Names, Strict, written_label

__all__ = [
    "DataSettings",
    "Duration",
    "ModelSettings",
    "Project",
    "ServeSettings",
    "Size",
    "parse_duration",
    "parse_size",
]


def _costs(value: object) -> object:
    """The bank's words for the two wrong answers are the field's own. Any other name is a label,
    spelt as the table's reader sees it.
    """
    if not isinstance(value, Mapping):
        return value
    named = {
        WRONG_ANSWERS.get(str(name), str(written_label(name))): cost for name, cost in value.items()
    }
    return {
        name: {str(written_label(answer)): each for answer, each in cost.items()}
        if isinstance(cost, Mapping)
        else cost
        for name, cost in named.items()
    }


Cost = Annotated[float, Field(ge=0)]


class SearchSettings(Strict):
    """How many settings of each learner are tried, its defaults the first of them. A budget holds
    for all trials of a learner together, and may end them sooner.
    """

    trials: int = Field(default=30, ge=2, le=10_000)


def _distil(value: object) -> object:
    """`true` leaves the student's size to the learner; a number says its layers."""
    if isinstance(value, bool):
        return {} if value else None
    return {"layers": value} if isinstance(value, int | float | str) else value


class DistilSettings(Strict):
    """A smaller model, taught by the one that was chosen, is served in its place where it costs at
    most so much of the metric that is chosen on.
    """

    layers: int | None = Field(default=None, ge=1)
    cost: float = Field(default=0.01, ge=0, lt=1)


class ModelSettings(Strict):
    """Who learns, from what, for how long."""

    learner: Names = ("auto",)
    base: str | None = None
    budget: Duration | None = None
    search: SearchSettings | None = None
    licence: Literal["any", "commercial"] = "any"
    seed: int = Field(default=7, ge=0, lt=2**32)
    threads: int | None = Field(default=None, ge=1)
    calibration: Calibration = "auto"
    coverage: float = Field(default=0.9, gt=0, lt=1)
    target: TargetScale = "none"
    refit: Literal["auto"] | bool = "auto"
    distil: Annotated[DistilSettings | None, BeforeValidator(_distil)] = None
    options: dict[str, Any] = Field(default_factory=dict)


class Project(Strict):
    """The validated project file, frozen. Made by `load_project`."""

    name: str = Field(pattern=r"^[^\W_][\w.-]*$", max_length=80)
    task: str
    language: Language | None = None
    data: DataSettings
    model: ModelSettings = ModelSettings()
    gate: dict[str, GateRule] = Field(default_factory=dict)
    costs: Annotated[dict[str, Cost | dict[str, Cost]], BeforeValidator(_costs)] = Field(
        default_factory=dict
    )
    serve: ServeSettings = ServeSettings()

    _path: Path = PrivateAttr(default=Path("luodi.yaml"))
    _places: Places = PrivateAttr(default_factory=Places)

    @field_validator("gate", mode="before")
    @classmethod
    def _rules(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {metric: _rule(str(metric), rule) for metric, rule in value.items()}

    @property
    def question(self) -> QuestionSettings:
        """What the task is told of the question beside the columns' roles."""
        data = self.data
        return QuestionSettings(
            kinds=data.kinds,
            labels=data.labels,
            positive=data.positive,
            favourable=data.favourable,
            costs=self.costs,
            leaks=data.leaks.allow,
            monotone=data.monotone,
            calibration=self.model.calibration,
            coverage=self.model.coverage,
            target=self.model.target,
        )

    @property
    def path(self) -> Path:
        """The project file."""
        return self._path

    @property
    def root(self) -> Path:
        """The folder that the file stands in: relative paths start here."""
        return self._path.parent

    def line(self, where: str) -> int | None:
        """The line of a dotted path; None when it is not in the file."""
        return self._places.line(where)

    def mistake(self, where: str, found: str, expected: str, near: str = "") -> Mistake:
        """A mistake at a dotted path, with its line or the option that it came from."""
        return self._places.mistake(where, found, expected, near)


def _rule(metric: str, value: object) -> object:
    # A rule that does not parse is told with the other mistakes, by its own line.
    try:
        return parse_rule(metric, value)
    except ValueError:
        return GateRule(metric)
