"""JSON documents as APIs and data frames write them: the rows are found, whatever they stand in."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from luodi.contracts import ROW, DataError
from luodi.data.sources import collect

FRAME = pd.DataFrame({"text": ["good", "bad", None], "n": [1.5, 2.0, 3.0]})
ROWS = [("good", 1.5), ("bad", 2.0), (None, 3.0)]
RECORDS = [{"text": text, "n": n} for text, n in ROWS]


def _read(value: object, folder: Path) -> tuple[list[tuple[object, ...]], list[str]]:
    text = value if isinstance(value, str) else json.dumps(value)
    (folder / "t.json").write_text(text, "utf-8")
    collected = collect("t.json", folder)
    return collected.table.drop(ROW).rows(), [finding.code for finding in collected.findings]


@pytest.mark.parametrize("orient", ["records", "columns", "split", "table"])
def test_what_pandas_writes(orient: str, tmp_path: Path) -> None:
    more = {"index": False} if orient == "table" else {}
    written = FRAME.to_json(orient=orient, **more)  # type: ignore[call-overload]
    rows, codes = _read(written, tmp_path)
    assert rows == ROWS
    assert codes == (["envelope"] if orient == "table" else [])


def test_columns_as_lists(tmp_path: Path) -> None:
    columns = {"text": [text for text, _ in ROWS], "n": [n for _, n in ROWS]}
    assert _read(columns, tmp_path) == (ROWS, [])


def test_an_envelope_is_opened_and_told(tmp_path: Path) -> None:
    rows, codes = _read({"total": 3, "next": None, "items": RECORDS}, tmp_path)
    assert (rows, codes) == (ROWS, ["envelope"])


def test_two_lists_are_not_chosen_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.json holds several lists of objects: a, b"):
        _read({"a": RECORDS, "b": RECORDS}, tmp_path)


@pytest.mark.parametrize(
    "value",
    [{"text": "good", "n": 1}, {"text": "good", "tags": ["a", "b"]}, {"a": {"x": 1}, "b": {"y": 2}},
     {"a": {"x": [1]}, "b": {"x": [2]}}, {"a": [1], "b": [1, 2]}],
)  # fmt: skip
def test_one_object_is_one_row(value: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps(value), "utf-8")
    table = collect("t.json", tmp_path).table.drop(ROW)
    assert table.height == 1
    assert table.columns == list(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3, r"t\.json is not a list of objects"),
        ([1], r"item 1 is no object"),
        ([{"a": 1}, []], r"item 2 is no object"),
        ({"columns": ["a", "b"], "data": [[1, 2], [3]]}, r"row 2 of data has 1 values.*2"),
        ({"columns": ["a", "a"], "data": [[1, 2]]}, r"repeated"),
    ],
)
def test_what_is_no_table_is_refused_in_words(value: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        _read(value, tmp_path)
