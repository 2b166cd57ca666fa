"""Every row held out once, no unit torn, labels even; time runs forward only."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.contracts import COPIES, DataError, Dataset, Role, SplitSettings
from luodi.data.folds import deal, k_folds, nested_folds


def dataset(rows: int, seed: int = 1, groups: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    copies = np.arange(rows)
    copies[rows // 2 : rows // 2 + rows // 10] = copies[: rows // 10]  # near-copies
    columns = {
        "text": [f"text {n}" for n in range(rows)],
        "label": rng.choice(["a", "b", "c"], rows, p=[0.7, 0.25, 0.05]),
        "day": rng.integers(0, 1000, rows),
        COPIES: copies,
    }
    if groups:
        columns[COPIES] = np.arange(rows)
        columns["who"] = rng.integers(0, groups, rows)
    return Dataset(pl.DataFrame(columns), {Role.TEXT: ("text",), Role.LABEL: ("label",)})


def test_each_row_is_held_out_once_and_copies_stay_together() -> None:
    data = dataset(500)
    folds = k_folds(data, 5, SplitSettings(), "label")
    assert np.array_equal(np.sort(np.concatenate([fold.held for fold in folds])), np.arange(500))
    copies = data.table[COPIES].to_numpy()
    for fold in folds:
        assert not set(copies[fold.train]) & set(copies[fold.held])
        assert len(fold.train) + len(fold.held) == 500
    sizes = [len(fold.held) for fold in folds]
    assert max(sizes) - min(sizes) <= 2
    for label in "abc":
        counts = [(data.table["label"].to_numpy()[fold.held] == label).sum() for fold in folds]
        assert max(counts) - min(counts) <= 2
    assert [f.held.tolist() for f in k_folds(data, 5, SplitSettings(), "label")] == [
        f.held.tolist() for f in folds
    ]
    other = k_folds(data, 5, SplitSettings(seed=8), "label")
    assert other[0].held.tolist() != folds[0].held.tolist()


def test_groups_stay_together() -> None:
    data = dataset(600, groups=40)
    who = data.table["who"].to_numpy()
    for fold in k_folds(data, 4, SplitSettings(group="who"), "label"):
        assert not set(who[fold.train]) & set(who[fold.held])
        assert 100 < len(fold.held) < 200


def test_time_runs_forward() -> None:
    data = dataset(600)
    day, copies = data.table["day"].to_numpy(), data.table[COPIES].to_numpy()
    folds = k_folds(data, 4, SplitSettings(time="day"))
    assert len(folds) == 4
    for fold in folds:
        assert not set(copies[fold.train]) & set(copies[fold.held])
        # What is learnt from came before all of what is held out, near-copies' latest row.
        last = max(day[copies == unit].max() for unit in copies[fold.train])
        assert last <= max(day[fold.held])
    assert [len(f.train) for f in folds] == sorted(len(f.train) for f in folds)


def test_nested() -> None:
    data = dataset(400)
    copies = data.table[COPIES].to_numpy()
    for fold in nested_folds(data, 4, 3, SplitSettings(), "label"):
        inner = np.concatenate([part.held for part in fold.inner])
        assert np.array_equal(np.sort(inner), fold.train)
        for part in fold.inner:
            assert not set(part.train) & set(fold.held)
            assert not set(copies[part.train]) & set(copies[part.held])


@pytest.mark.parametrize(("rows", "count"), [(3, 5), (10, 1), (0, 2)])
def test_too_few(rows: int, count: int) -> None:
    with pytest.raises(DataError, match="folds"):
        k_folds(dataset(rows), count)


@settings(deadline=None)
@given(
    units=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    labels=st.lists(st.integers(0, 3), min_size=60, max_size=60),
    count=st.integers(2, 6),
    seed=st.integers(0, 9),
)
def test_deal_tears_no_unit(units: list[int], labels: list[int], count: int, seed: int) -> None:
    _, numbers = np.unique(units, return_inverse=True)
    fold = deal(numbers, np.array(labels[: len(units)]), count, seed)
    assert ((fold >= 0) & (fold < count)).all()
    for unit in set(numbers.tolist()):
        assert len(set(fold[numbers == unit].tolist())) == 1


@settings(deadline=None)
@given(labels=st.lists(st.integers(0, 5), min_size=2, max_size=80), count=st.integers(2, 6))
def test_single_rows_are_dealt_evenly(labels: list[int], count: int) -> None:
    fold = deal(np.arange(len(labels)), np.array(labels), count, 7)
    for label in set(labels):
        counts = np.bincount(fold[np.array(labels) == label], minlength=count)
        assert counts.max() - counts.min() <= 1
    sizes = np.bincount(fold, minlength=count)
    assert sizes.max() - sizes.min() <= 1
