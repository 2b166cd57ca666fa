"""Costs held against the labels that the rows carry: one that is not named would cost nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from luodi.contracts import Dataset, Mistake, ProjectError, Role, say
from luodi.project.mistakes import WRONG_ANSWERS, nearest, one_of
from luodi.project.schema import Project


def check_costs(project: Project, data: Dataset) -> None:
    """Nothing where the project names no costs.

    Raises:
        ProjectError: costs that do not fit the labels, each with its line.
    """
    if not project.costs:
        return
    found = data.table.get_column(data.column(Role.LABEL)).drop_nulls().unique().to_list()
    labels = sorted({*map(str, found), *project.data.labels})
    if mistakes := list(_mistakes(project, labels)):
        raise ProjectError(str(project.path), mistakes)


def _mistakes(project: Project, labels: Sequence[str]) -> Iterator[Mistake]:
    costs, shown = project.costs, ", ".join(labels[:20])
    if set(costs) <= {*WRONG_ANSWERS.values()}:
        if len(labels) != 2:
            yield project.mistake(
                "costs",
                say(f"costs of two wrong answers, and {len(labels)} labels: {shown}",
                    f"只有两种判错的成本，而类别有 {len(labels)} 个：{shown}"),
                say("a line for each label: what any other answer costs where it is true, or "
                    "{answer: cost, ...}",
                    "每个类别一行：实际为该类别时任何其他回答的成本，或 {回答: 成本, ...}"),
            )  # fmt: skip
        return
    yield from _unlike(project, "costs", costs, labels)
    for label, of in costs.items():
        if isinstance(of, Mapping) and label in labels:
            yield from _unlike(project, f"costs.{label}", of, [x for x in labels if x != label])


def _unlike(
    project: Project, where: str, costs: Mapping[str, object], labels: Sequence[str]
) -> Iterator[Mistake]:
    """Names that are no labels, and labels that are not named."""
    for name in costs:
        if name not in labels:
            found = say("no such label", "没有此类别")
            yield project.mistake(
                f"{where}.{name}", found, one_of(labels[:20]), nearest(name, labels)
            )
    if lacking := [label for label in labels if label not in costs]:
        found = say(f"no cost for {', '.join(lacking)}", f"缺少成本：{'、'.join(lacking)}")
        yield project.mistake(where, found, say("a cost for each", "每个类别都应有成本"))
