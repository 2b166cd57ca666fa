"""A file that a person fills goes to all rows of its contents; slips are told with their line."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import polars as pl
import pytest

from luodi.contracts import ROW, DataError, Dataset, Role
from luodi.data.corrections import (
    confirmed,
    content_key,
    correct,
    read_corrections,
    write_suspicious,
)

TEXTS = ["好书", "好书 ", 'bad, "quoted"\nthing', "=1+1", "fine"]


def dataset() -> Dataset:
    table = pl.DataFrame({"text": TEXTS, "label": ["neg", "neg", "pos", "pos", "pos"]})
    return Dataset(table.with_row_index(ROW), {Role.TEXT: ("text",), Role.LABEL: ("label",)})


def written(path: Path) -> list[dict[str, str]]:
    rows = [
        {
            "row": n + 1,
            "key": content_key(text),
            "given": label,
            "suggested": "pos" if label == "neg" else "neg",
            "confidence": "0.9",
            "content": text,
        }
        for n, (text, label) in enumerate(
            zip(TEXTS, ["neg", "neg", "pos", "pos", "pos"], strict=True)
        )
        if n != 1
    ]
    write_suspicious(path, rows)
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


def fill(
    path: Path, rows: list[dict[str, str]], encoding: str = "utf-8-sig", separator: str = ","
) -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [("utf-8-sig", ","), ("utf-8-sig", ";"), ("gb18030", ","), ("gb18030", ";"), ("utf-16", "\t")],
)
def test_there_and_back(tmp_path: Path, encoding: str, separator: str) -> None:
    path = tmp_path / "s.csv"
    rows = written(path)
    assert rows[2]["content"] == "'=1+1"  # no formula in a spreadsheet
    assert rows[1]["content"] == TEXTS[2]
    rows[0]["corrected"], rows[1]["corrected"], rows[3]["corrected"] = "pos", "neg", "pos"
    fill(path, rows, encoding, separator)
    corrections = read_corrections(path, "s.csv")
    mended, findings = correct(dataset(), TEXTS, corrections)
    # Both copies of the first text are corrected; "fine" was looked at and is right.
    assert mended.table["label"].to_list() == ["pos", "pos", "neg", "pos", "pos"]
    assert [finding.code for finding in findings] == ["corrections"]
    assert findings[0].count == 3
    assert findings[0].details == {"neg → pos": 2, "pos → neg": 1}
    assert confirmed(TEXTS, mended.table["label"].to_list(), corrections) == [
        True, True, True, False, True,
    ]  # fmt: skip


def test_a_spreadsheet_leaves_keys_alone(tmp_path: Path) -> None:
    keys = {content_key(str(n)) for n in range(20_000)}
    assert len(keys) == 20_000
    assert all(key.isalpha() and len(key) == 12 for key in keys)
    # Files that were written with hexadecimal keys are read as before.
    path = tmp_path / "s.csv"
    rows = written(path)
    earlier = [hashlib.sha256(text.strip().encode()).hexdigest()[:12] for text in TEXTS]
    rows[0] |= {"key": earlier[0], "corrected": "pos"}
    fill(path, rows)
    [(key, given)] = read_corrections(path, "s.csv").decided
    assert (key, given) == (content_key(TEXTS[0]), "neg")


def test_what_fits_no_row_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    rows = written(path)
    for row in rows:
        row["corrected"] = "pos"
    rows[0]["key"] = "0" * 12
    fill(path, rows)
    _, findings = correct(dataset(), TEXTS, read_corrections(path, "s.csv"))
    assert {f.code: f.count for f in findings}["corrections-unmatched"] == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"corrected": "positive"}, "line 2: positive"),
        ({"key": None}, "no column key"),
    ],
)
def test_slips_are_told(tmp_path: Path, change: dict[str, str | None], told: str) -> None:
    path = tmp_path / "s.csv"
    rows = written(path)
    for name, value in change.items():
        if value is None:
            rows = [{k: v for k, v in row.items() if k != name} for row in rows]
        else:
            rows[0][name] = value
    fill(path, rows)
    with pytest.raises(DataError, match=told):
        correct(dataset(), TEXTS, read_corrections(path, "s.csv"))


def test_two_decisions_for_one_content(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    rows = written(path)
    rows[0]["corrected"] = "pos"
    fill(path, [rows[0], rows[0] | {"corrected": "neg"}])
    with pytest.raises(DataError, match="otherwise"):
        read_corrections(path, "s.csv")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_corrections(tmp_path / "none.csv", "none.csv")
