"""Findings are shown with examples, within the width of the terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from luodi.cli.findings import show_findings
from luodi.contracts import Finding, JsonValue

TEXT = "这家酒店的早餐非常丰富，房间也很干净，总体来说我觉得这次购物体验很好，会推荐给朋友们"


def shown(width: int, *findings: Finding, remarks: bool = False) -> list[str]:
    screen = Console(file=StringIO(), width=width, highlight=False)
    show_findings(screen, findings, remarks)
    return screen.file.getvalue().splitlines()  # type: ignore[attr-defined]


def warned(*examples: dict[str, JsonValue]) -> Finding:
    return Finding("copies", "warning", 9, "9 rows.", examples)


@pytest.mark.parametrize("width", [40, 80])
def test_two_rows_each_on_one_line(width: int) -> None:
    rows = [{"row": n, "text": TEXT, "label": "good", "times": 2} for n in (4, 7, 9)]
    head, first, second = shown(width, warned(*rows))
    assert head == "! 9 rows."
    assert first.startswith("    row 4 · good · times 2 · 这家")
    assert second.startswith("    row 7 · ")
    for line in (first, second):
        assert line.endswith("…")
        assert cell_len(line) <= width


def test_a_record_of_several_rows_shows_the_rows() -> None:
    record = {"row": [4, 7, 9], "text": ["a b", "a  b!", "a b?"], "label": ["x", "x", "y"]}
    assert shown(80, warned(record))[1:] == ["    row 4 · x · a b", "    row 7 · x · a b!"]


def test_other_records_name_their_values() -> None:
    conflict = {"text": "so so", "labels": {"bad": 1, "good": 2}}
    skewed = {"column": "city", "stability index": 0.23811, "missing": "-0.6%"}
    assert shown(80, warned(conflict, skewed))[1:] == [
        "    bad 1, good 2 · so so",
        "    city · stability index 0.2381 · missing -0.6%",
    ]


def test_a_remark_is_counted_but_for_how_rows_were_read() -> None:
    read = Finding("encoding", "info", 1, "a.csv is GB18030.", ({"row": 1},))
    other = Finding("classes", "info", 2, "2 classes.", ({"row": 1},))
    assert shown(80, read, other) == ["· a.csv is GB18030.", "· 1 remark more"]
    assert shown(80, read, other, remarks=True) == ["· a.csv is GB18030.", "· 2 classes."]


def test_a_text_cannot_steer_the_terminal() -> None:
    (_, line) = shown(80, warned({"row": 1, "text": "[red]a\x1b[2Jb[/]\u202ec"}))
    assert line == "    row 1 · [red]a\ufffd[2Jb[/]\ufffdc"
