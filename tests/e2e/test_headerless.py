"""A company's file without a header line: learnt from, then asked about, and nothing else said."""

from __future__ import annotations

import json

import pytest

from tests.reviews import PROJECT, write_project


@pytest.mark.parametrize(
    ("header", "columns"),
    [("[n, review, sentiment]", None), ("false", "{text: column_2, label: column_3}")],
)
def test_rows_without_names_are_learnt_from_and_asked_about(luodi, tmp_path, header, columns):
    text = PROJECT.replace("data:\n", f"data:\n  header: {header}\n")
    if columns:
        text = text.replace("{text: review, label: sentiment}", columns)
    folder = write_project(tmp_path / "p", text, rows=240)
    rows = (folder / "reviews.csv").read_text("utf-8").splitlines(keepends=True)[1:]
    (folder / "reviews.csv").write_text("".join(rows), "utf-8")
    (folder / ".luodi").mkdir()  # a home of its own
    done = luodi("run", "--json", "-q", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "new.csv").write_text('1,"great, lovely lamp"\n2,"terrible, broken lamp"\n')
    asked = luodi("predict", "shop-reviews", "new.csv", cwd=folder)
    assert asked.returncode == 0, asked.stderr
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    assert [answer["label"] for answer in answers] == ["good", "bad"]
