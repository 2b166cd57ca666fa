"""A kind of question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from luodi.contracts.learner import Adopting, Combining, Distilling

if TYPE_CHECKING:
    from luodi.contracts.dataset import Dataset, Parts, Role, RoleRule
    from luodi.contracts.finding import Finding
    from luodi.contracts.json import Answer, JsonValue, Request
    from luodi.contracts.learner import Learner
    from luodi.contracts.metric import Metric, Scored
    from luodi.contracts.predictor import Answering, Predictor
    from luodi.contracts.schema import Schema
    from luodi.contracts.section import Section
    from luodi.contracts.settings import CleanSettings, SplitSettings


class Task(Protocol):
    """A kind of question: which columns it needs, who can answer, and how answers are judged.

    A task says `class MyTask(Task)`: what has a body here is inherited.
    """

    @property
    def name(self) -> str:
        """As in the project file's `task`."""

    @property
    def roles(self) -> Mapping[Role, RoleRule]:
        """Which roles columns can play here."""

    @property
    def learners(self) -> Mapping[str, Learner]:
        """Who can answer; the naive and the linear baseline come first."""

    @property
    def baselines(self) -> Sequence[str]:
        """The learners that every run trains to compare with, the plainest first."""

    @property
    def auto(self) -> Sequence[str]:
        """The learners that `model.learner: auto` tries, the cheapest first."""
        return [
            name
            for name, learner in self.learners.items()
            if name != self.baselines[0] and not isinstance(learner, Adopting)
        ]

    @property
    def defaults(self) -> Mapping[str, JsonValue]:
        """What the project file leaves out: dotted path such as `data.clean.conflicts` -> value."""
        return {}

    @property
    def metrics(self) -> Sequence[Metric[Any]]:
        """What answers are judged by; the first is chosen on."""

    def inspect(self, data: Dataset, settings: CleanSettings) -> Sequence[Finding]:
        """What this kind of question cannot live with: one class only, too few rows a class."""

    def content(self, data: Dataset) -> Sequence[str]:
        """Each row's content as one text, labels left out: equal contents are copies."""

    def split(self, data: Dataset, settings: SplitSettings) -> Parts:
        """Deal the rows out, near-copies together."""

    def schema(self, data: Dataset) -> Schema:
        """One request, one answer, with examples taken from `data`."""

    def seen(self, schema: Schema, train: Dataset) -> Schema:
        """A schema of all parts with what the training part alone may tell: the values and
        examples of a request's fields. What a column is (its kind, whether it has gaps) and which
        labels there are is said of the whole table.
        """
        return schema

    def requests(self, data: Dataset, schema: Schema) -> list[Request]:
        """The rows as requests that fit `schema`, as a caller of the service would send them."""

    def score(self, data: Dataset, answers: Sequence[Answer], schema: Schema) -> Scored:
        """Answers to `requests(data, schema)` beside the rows' truth."""

    def sections(
        self, data: Dataset, answers: Sequence[Answer], scored: Any, level: float
    ) -> Sequence[Section]:
        """What the report shows of the answers, beyond the metrics; intervals hold at `level`."""

    def explanations(
        self, bundle: Answering, data: Dataset, scored: Any, seed: int
    ) -> Sequence[Section]:
        """What the report shows of why: asked of the packaged bundle, on rows of the test part."""
        return ()


@runtime_checkable
class Lean(Protocol):
    """What a Task is as well when its learners bring much that only training needs: a service
    finds the predictor without them.
    """

    def predictor(self, learner: str) -> type[Predictor]:
        """The class that reads what a learner exported: that of `learners[learner].predictor`.

        Raises:
            KeyError: there is no such learner.
        """


def pupil_of(task: Task, name: str) -> str:
    """The learner that one of this name can teach: itself, or the first of those that it combines;
    empty where there is none."""
    learner = task.learners.get(name)
    names = [name, *(learner.members if isinstance(learner, Combining) else ())]
    return next((each for each in names if isinstance(task.learners.get(each), Distilling)), "")
