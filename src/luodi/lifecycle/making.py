"""What made rows will cost a run: to make them, to measure their gain, and to learn from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from luodi.lifecycle.augmenting import judge_of
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.recipes import recipes
from luodi.lifecycle.training import Cut, fit_settings

if TYPE_CHECKING:
    from luodi.data.augment.cost import Cost


def made_rows(place: RunPlace, cut: Cut) -> Cost | None:
    """What making takes by itself; None where the project asks for nothing.

    Raises:
        DataError: for what cannot be made of these rows.
    """
    wanted = place.project.data.augment
    if not wanted.asked:
        return None
    from luodi.data.augment.cost import cost
    from luodi.data.augment.rows import check_augment

    check_augment(cut.taught.train, wanted, place.project.root)
    return cost(cut.taught.train, wanted)


def with_made(cut: Cut, cost: Cost | None) -> Cut:
    """The cut as large as it will be: rows that are there stand for those that are to be made."""
    if cost is None or not cost.rows or not cut.taught.train.rows:
        return cut
    import polars as pl

    train = cut.taught.train
    more = train.table.sample(cost.rows, with_replacement=True, seed=0)
    larger = replace(train, table=pl.concat([train.table, more]))
    return replace(cut, taught=replace(cut.taught, train=larger))


def making_seconds(place: RunPlace, cut: Cut, larger: Cut, cost: Cost | None) -> float:
    """To make the rows, once and in each fold, and what two fits take that measure their gain.

    Args:
        larger: the cut with the rows that are to be made.
    """
    if cost is None:
        return 0.0
    judge, _ = judge_of(place, cut)
    learner = place.task.learners[judge.learner]
    settings = fit_settings(place, judge, cut, place.home)
    fits = [learner.estimate(each.taught.train, settings).seconds for each in (cut, larger)]
    split = place.project.data.split
    choosing = split.nested if split.nested and len(recipes(place.project, place.task)) > 1 else 0
    times = 1 + (split.folds or 0) * (1 + choosing)
    return times * cost.seconds + sum(fits)
