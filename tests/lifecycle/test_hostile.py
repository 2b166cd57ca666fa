"""The hostile corpus beyond reading: a look and a check end in words or in counts, never otherwise.

What is asserted of each: an error of Luodi's own that names the file, or a result that is JSON, a
page, and an account in which rows in are rows kept and rows dropped by reason.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from luodi.cli.watching import TerminalObserver
from luodi.contracts import LuodiError, Quiet
from luodi.evaluation.page.profile import render_profile
from luodi.lifecycle.check import check_project
from luodi.lifecycle.looking import look
from luodi.project.file import load_project
from tests.data.test_hostile import CELL, HOSTILE


@pytest.mark.parametrize("name", HOSTILE)
def test_a_look_at_the_corpus(name: str, tmp_path: Path) -> None:
    file, raw, words = HOSTILE[name]
    (tmp_path / file).write_bytes(raw)
    try:
        looked = look(file, tmp_path, {}, Quiet())
    except LuodiError as error:
        assert words  # what can be read can be looked at
        assert file in str(error)  # noqa: PT017
        return
    assert not words
    document = looked.to_json()
    json.dumps(document, allow_nan=False)
    page = render_profile(document, looked.findings)
    assert "</html>" in page
    assert len(page) < 64 << 20
    assert looked.rows == 2
    assert (len(looked.columns) == 10_000) == (name == "ten thousand columns")


# A cell among good ones: what it is, and what a reader of files may meet.
CELLS = {
    "a mebibyte": CELL,
    "a mebibyte without a blank": "x" * (1 << 20),
    "a formula": "=cmd|' /C calc'!A0",
    "a page": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a template": "{{ 7 * 7 }} ${HOME} %(a)s {0}",
    "signs that turn": "\u202egood\u202c \u200b\u2066x",
    "control signs": "a\x01\x02\x1b[31mred\x7f",
    "marks upon marks": "Z" + "\u0301" * 5000,
    "beyond the plane": "𝕬𝖓𝖓 👩‍👩‍👧‍👦" * 50,
    "no character": "\ufffe\uffff\U0010ffff",
    "a path": "../../../../etc/passwd",
    "a command": "'; DROP TABLE runs; --",
    "quotes": '"""""\\"\\',
    "a number that is none": "NaN",
    "a number without end": "1e999",
    "many digits": "9" * 5000,
}


def rows_with(cell: str) -> list[tuple[str, str]]:
    good = [(f"the {noun} was {how} number {n}", how)
            for n, noun in enumerate(("room", "food", "staff", "view", "bed") * 8)
            for how in ("good", "bad")]  # fmt: skip
    return [*good, (cell, "good"), ("an ordinary text", cell)]


@pytest.mark.parametrize("task", ["text-classification", "tabular-classification"])
@pytest.mark.parametrize("name", CELLS)
def test_a_check_of_rows_with_a_hostile_cell(name: str, task: str, tmp_path: Path) -> None:
    rows = rows_with(CELLS[name])
    lines = [json.dumps({"a": text, "b": label}) for text, label in rows]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    columns = "{text: a, label: b}" if task.startswith("text") else "{label: b}"
    (tmp_path / "luodi.yaml").write_text(
        f"name: x\ntask: {task}\ndata: {{source: rows.jsonl, columns: {columns}}}\n", "utf-8"
    )
    project = load_project(tmp_path)
    try:
        checked = check_project(project, TerminalObserver(silent=True))
    except LuodiError as error:
        assert str(error)  # noqa: PT017
        assert len(str(error)) < 20_000  # noqa: PT017  # a message, not the cell
        return
    document = checked.to_json()
    json.dumps(document)
    counts = document["data"]
    assert counts["rows"] == len(rows) == counts["kept"] + sum(counts["dropped"].values())
    for finding in checked.clean.findings:
        assert len(finding.message) < 20_000
