"""Columns may be called what our own code would call a column that it makes."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

NAMES = [
    "n", "count", "rows", "value", "len", "index", "literal", "times", "key", "label", "text",
    "row", "variable", "type", "values", "proportion", "groups",
]  # fmt: skip


def write(path: Path, label: str) -> None:
    """Numbers, categories, texts and gaps in turn; every other row is an event."""
    draw = random.Random(1)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(NAMES)
        for n in range(200):
            event = n % 2
            words = ["good", "bad", "tall", "small", "box", "shop"][event:]
            cells = [
                round(draw.gauss(event, 2), 3), draw.choice("abc"),
                " ".join(draw.choices(words, k=6)), draw.choice(["", *range(9)]),
            ]  # fmt: skip
            row = [cells[place % 4] for place in range(len(NAMES))]
            row[NAMES.index(label)] = ("quiet", "event")[event]
            table.writerow(row)


@pytest.mark.parametrize(("task", "label"), [("text", "count"), ("text", "n"), ("tabular", "rows")])
def test_no_name_of_a_column_is_ours(task, label, luodi, tmp_path):
    write(tmp_path / "rows.csv", label)
    text = "text: text, " if task == "text" else ""
    (tmp_path / "luodi.yaml").write_text(
        f"name: a\ntask: {task}-classification\nmodel: {{learner: linear}}\n"
        f"data: {{source: rows.csv, columns: {{{text}label: {label}}}, "
        "anonymity: {quasi_identifiers: [groups, count]}}\n".replace(
            "count]", "rows]" if label == "count" else "count]"
        )
    )
    done = luodi("run", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
