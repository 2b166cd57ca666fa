"""No copy on two sides; shares kept; the same rows whenever asked again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.contracts import COPIES, ROW, DataError, Dataset, Parts, Role, SplitSettings
from luodi.data.split import careless_split, limit, split


def dataset(
    labels: Sequence[object], copies: Sequence[int] | None = None, **more: object
) -> Dataset:
    columns = {"label": labels, COPIES: copies or list(range(len(labels))), **more}
    table = pl.DataFrame(columns, strict=False).with_row_index(ROW)
    return Dataset(table, {Role.LABEL: ("label",)})


def rows(part: Dataset) -> list[int]:
    return part.table[ROW].to_list()


def sides(parts: Parts, column: str) -> list[set[object]]:
    return [set(part.table[column].to_list()) for part in (parts.train, parts.valid, parts.test)]


def disjoint(sets: Sequence[set[object]]) -> bool:
    return sum(map(len, sets)) == len(set().union(*sets))


def test_shares_are_exact_and_alike_in_every_label() -> None:
    data = dataset(["a"] * 700 + ["b"] * 250 + ["c"] * 50)
    parts = split(data, SplitSettings(), "label")
    assert (parts.train.rows, parts.valid.rows, parts.test.rows) == (700, 100, 200)
    assert Counter(parts.test.table["label"].to_list()) == {"a": 140, "b": 50, "c": 10}
    assert Counter(parts.valid.table["label"].to_list()) == {"a": 70, "b": 25, "c": 5}
    assert sorted(rows(parts.train) + rows(parts.valid) + rows(parts.test)) == list(range(1000))
    assert rows(parts.test) == sorted(rows(parts.test))


def test_the_seed_decides_and_nothing_else() -> None:
    data = dataset(["a", "b"] * 100)
    once, again = (split(data, SplitSettings(seed=3), "label") for _ in range(2))
    other = split(data, SplitSettings(seed=4), "label")
    assert rows(once.test) == rows(again.test) != rows(other.test)


def test_groups_and_copies_tie_rows_together_by_turns() -> None:
    # Rows 0-1 are copies, 1-2 of one group, 2-3 copies again: one unit of four.
    data = dataset(
        ["a"] * 40, [0, 0, 1, 1, *range(2, 38)], user=["u", "v", "v", "w", *map(str, range(36))]
    )
    for seed in range(20):
        parts = split(data, SplitSettings(seed=seed, group="user"), "label")
        assert disjoint(sides(parts, COPIES))
        assert disjoint(sides(parts, "user"))
        assert any(
            {0, 1, 2, 3} <= set(rows(part)) for part in (parts.train, parts.valid, parts.test)
        )


def test_rows_without_a_group_are_groups_by_themselves() -> None:
    data = dataset(["a"] * 100, user=[None] * 50 + [str(n // 5) for n in range(50)])
    parts = split(data, SplitSettings(group="user"), "label")
    assert parts.test.rows == 20
    assert 0 < parts.test.table["user"].null_count() < 50


def test_every_label_keeps_a_row_to_learn_from() -> None:
    data = dataset([*("a" * 20), *"bcdefghijk"])
    for seed in range(10):
        parts = split(data, SplitSettings(seed=seed, test=0.4), "label")
        assert set(parts.train.table["label"]) == set("abcdefghijk")
        assert parts.test.rows == 12


def test_the_same_seed_on_every_machine() -> None:
    parts = split(dataset(["a"] * 20), SplitSettings(), "label")
    assert (rows(parts.test), rows(parts.valid)) == ([1, 12, 13, 18], [2, 5])


@pytest.mark.parametrize(
    "times",
    [
        [f"2024-01-{day:02}" for day in range(1, 31)],
        [f"2024/1/{day} 08:00" if False else f"2024/1/{day}" for day in range(1, 31)],
        [f"2024年1月{day}日" for day in range(1, 31)],
        [f"2024-01-{day:02}T08:30:00" for day in range(1, 31)],
        list(range(100, 130)),
        [float(day) for day in range(30)],
    ],
)
def test_the_latest_rows_are_the_test_part(times: list[object]) -> None:
    order = np.random.default_rng(1).permutation(30)
    data = dataset(["a"] * 30, when=[times[place] for place in order])
    parts = split(data, SplitSettings(time="when"), "label")
    rank = {row: int(order[row]) for row in range(30)}
    assert sorted(rank[row] for row in rows(parts.test)) == list(range(24, 30))
    assert sorted(rank[row] for row in rows(parts.valid)) == [21, 22, 23]


def test_a_unit_goes_where_its_latest_row_belongs() -> None:
    copies = list(range(30))
    copies[2] = copies[29]  # an early row with a copy at the very end
    data = dataset(["a"] * 30, copies, when=list(range(30)))
    parts = split(data, SplitSettings(time="when"), "label")
    assert {2, 29} <= set(rows(parts.test))
    assert max(rows(parts.train)) < 25


def test_official_tables_are_taken_as_they_are() -> None:
    data, test, valid = dataset(["a", "b"] * 50), dataset(["a", "b"]), dataset(["b", "a"])
    parts = split(data, SplitSettings(), "label", test=test)
    assert parts.test is test
    assert (parts.train.rows, parts.valid.rows) == (90, 10)
    parts = split(data, SplitSettings(), "label", test=test, valid=valid)
    assert parts.valid is valid
    assert parts.train.rows == 100


@pytest.mark.parametrize(
    ("data", "change", "words"),
    [
        (dataset(["a", "b"]), {}, "cannot be split|none is left"),
        (dataset(["a"] * 50, [0] * 50), {}, "none is left for valid"),
        (dataset(["a"] * 50), {"valid": 0.6, "test": 0.5}, "shares"),
        (dataset(["a"] * 50), {"test": -0.1}, "shares"),
        (dataset(["a"] * 50), {"group": "user"}, "data.split.group names the column user"),
        (dataset(["a"] * 50), {"time": "when"}, "data.split.time names the column when"),
        (
            dataset(["a"] * 9, when=["2024-01-01"] * 8 + ["soon"]),
            {"time": "when"},
            "1 values.*'soon'",
        ),
        (dataset(["a"] * 9, when=[None] * 9), {"time": "when"}, "9 values"),
        (dataset(["a"] * 45 + ["z"] * 5, when=list(range(50))), {"time": "when"}, "label z"),
    ],
)
def test_what_cannot_be_done_is_said(data: Dataset, change: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        split(data, SplitSettings(**change), "label")  # type: ignore[arg-type]


@settings(deadline=None)
@given(
    pairs=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 25)), min_size=12, max_size=80),
    seed=st.integers(0, 5),
    valid=st.sampled_from([0.0, 0.1, 0.3]),
    test=st.sampled_from([0.1, 0.2, 0.4]),
)
def test_no_unit_straddles_and_no_row_is_lost(
    pairs: list[tuple[str, int]], seed: int, valid: float, test: float
) -> None:
    data = dataset([label for label, _ in pairs], [copy for _, copy in pairs])
    wanted = SplitSettings(valid=valid, test=test, seed=seed)
    try:
        parts = split(data, wanted, "label")
    except DataError:
        return
    assert disjoint(sides(parts, COPIES))
    assert sorted(rows(parts.train) + rows(parts.valid) + rows(parts.test)) == list(
        range(len(pairs))
    )
    assert set(parts.train.table["label"]) == {label for label, _ in pairs}
    assert parts.test.rows <= round(test * len(pairs)) + 1
    assert parts.valid.rows <= round(valid * len(pairs)) + 1


def test_a_careless_split_puts_copies_on_both_sides() -> None:
    labels = ["a"] * 500 + ["b"] * 500
    train, test = careless_split(1000, labels, SplitSettings())
    assert (len(train), len(test)) == (800, 200)
    assert sorted([*train, *test]) == list(range(1000))
    assert sum(row < 500 for row in test) == 100
    copies = np.arange(1000) // 2
    assert len(set(copies[train]) & set(copies[test])) > 50
    assert np.array_equal(careless_split(1000, labels, SplitSettings())[1], test)
    assert len(careless_split(10, None, SplitSettings())[1]) == 2


def test_a_limit_keeps_shares_order_and_rare_labels() -> None:
    data = dataset(["a"] * 900 + ["b"] * 99 + ["c"])
    sample = limit(data, 100, 7, "label")
    counts = Counter(sample.table["label"].to_list())
    assert sample.rows == 100
    assert counts["c"] == 1
    assert abs(counts["a"] - 90) <= 1
    assert rows(sample) == sorted(rows(sample))
    assert rows(limit(data, 100, 7, "label")) == rows(sample)
    assert rows(limit(data, 100, 8, "label")) != rows(sample)
    assert limit(data, 1000, 7, "label") is data
    assert limit(data, 10, 7, None).rows == 10
    with pytest.raises(DataError, match="2 rows for 3 labels"):
        limit(data, 2, 7, "label")
