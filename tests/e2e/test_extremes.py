"""Tables at the ends of what numbers can be: nothing fails, warns, or prints what is no JSON."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

ROWS = 120
LARGEST = [1e308, -1e308, 0.0, 1.0, 1e-308, 5.0]
WARNED = {"PYTHONWARNINGS": "error::RuntimeWarning"}


def strict(text: str) -> Any:
    """The JSON in a text; NaN and Infinity, which Python would let through, are none."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def write(folder: Path, task: str, learner: str, source: str, **more: str) -> None:
    columns, rest = more.get("columns", "label: y"), more.get("rest", "")
    (folder / "luodi.yaml").write_text(
        f"name: p\ntask: {task}\nmodel: {{learner: {learner}}}\n"
        f"data: {{source: {source}, columns: {{{columns}}}{rest}}}\n"
    )


def refused_by_both(luodi, folder: Path, words: str, *more: str) -> None:
    """`check` refuses what the run would, in the same words."""
    for command in ("check", "run"):
        done = luodi(command, "--json", *more, cwd=folder)
        assert done.returncode == 1
        assert words in json.loads(done.stdout)["error"]["message"]


def extremes(folder: Path, label: str) -> None:
    """Parquet: in a CSV such numbers stay texts."""
    numbers = [LARGEST[i * 7 % 6] * (1 - i / 1000) for i in range(ROWS)]
    labels = [label.format(i * 11 % 17) for i in range(ROWS)]
    table = pl.DataFrame({"x": numbers, "z": [i * 5 % 13 for i in range(ROWS)], "y": labels})
    table.write_parquet(folder / "t.parquet")


@pytest.mark.parametrize(
    ("task", "learner", "label", "rest"),
    [
        ("tabular-classification", "linear", "c{0}", ""),
        ("tabular-classification", "boosting", "c{0}", ", clean: {outliers: clip}"),
        ("tabular-regression", "linear", "{0}.5", ", clean: {scale: minmax}"),
        ("tabular-regression", "forest", "{0}.5", ", clean: {scale: standard, missing: mean}"),
    ],
)
def test_the_largest_floats_are_learnt_from(luodi, tmp_path, task, learner, label, rest):
    extremes(tmp_path, label)
    write(tmp_path, task, learner, "t.parquet", rest=rest)
    done = luodi("run", "--json", cwd=tmp_path, **WARNED)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    result = strict(done.stdout)
    assert strict((Path(result["report"]).parent / "result.json").read_text("utf-8"))["run"]
    again = luodi("predict", result["bundle"], "t.parquet", "--json", cwd=tmp_path, **WARNED)
    assert again.returncode == 0, again.stdout + again.stderr
    assert strict(again.stdout)["rows"] == ROWS


def test_the_largest_floats_are_profiled(luodi, tmp_path):
    extremes(tmp_path, "c{0}")
    done = luodi("data", "profile", "t.parquet", "--json", cwd=tmp_path, **WARNED)
    assert done.returncode == 0, done.stdout + done.stderr
    column = next(c for c in strict(done.stdout)["columns"] if c["name"] == "x")
    assert column["minimum"] < -9.9e307
    assert column["maximum"] > 9.9e307
    assert abs(column["mean"]) < 1e307


@pytest.mark.parametrize(
    ("days", "bars"),
    [(["2024-05-01"], 1), (["2024-05-01 10:00:00.000001", "2024-05-01 10:00:00"], 2)],
)
def test_days_that_are_hardly_apart_are_profiled(luodi, tmp_path, days, bars):
    times = [dt.datetime.fromisoformat(day) for day in days * 40]
    pl.DataFrame({"day": times}).write_parquet(tmp_path / "t.parquet")
    done = luodi("data", "profile", "t.parquet", "--json", cwd=tmp_path, **WARNED)
    assert done.returncode == 0, done.stdout + done.stderr
    (column,) = strict(done.stdout)["columns"]
    assert column["distribution"]["counts"] == [40] * bars


def test_of_too_few_rows_what_cannot_be_told_is_null(luodi, tmp_path):
    table = pl.DataFrame({"x": [i * 7 % 11 for i in range(25)], "y": ["a", "b"] * 12 + ["rare"]})
    table.write_csv(tmp_path / "t.csv")
    write(tmp_path, "tabular-classification", "linear", "t.csv")
    done = luodi("run", "--json", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    result = strict(done.stdout)
    assert "nan" not in result["gate"]["reason"]


def test_p_values_are_numbers(luodi, tmp_path):
    lines = [f"{i + 1}.5e-{100 + i},{i % 3}e+2{i % 8}0" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["p,large", *lines]))
    done = luodi("data", "profile", "t.csv", "--json", cwd=tmp_path)
    assert [c["kind"] for c in strict(done.stdout)["columns"]] == ["number", "number"]


def test_few_texts_are_dealt_out_to_the_folds_that_there_are(luodi, tmp_path):
    texts = [f"{w} room {i}" for i, w in enumerate(["good", "bad"] * 6)]
    table = pl.DataFrame({"t": texts, "y": ["a", "b"] * 6})
    table.write_csv(tmp_path / "t.csv")
    rest = ", split: {folds: 2}, clean: {similarity: 1.0}"
    write(tmp_path, "text-classification", "naive", "t.csv", columns="text: t, label: y", rest=rest)
    done = luodi("run", "--json", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr


def test_a_table_without_a_column_to_learn_from_says_so(luodi, tmp_path):
    lines = [f"{'mf'[i % 2]},{'ab'[i * 7 % 11 > 5]}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["sex,y", *lines]))
    columns = "label: y, protected: sex"
    write(tmp_path, "tabular-classification", "linear", "t.csv", columns=columns)
    refused_by_both(luodi, tmp_path, "no column to learn from")


def test_check_refuses_a_scorecard_of_many_labels_as_the_run_would(luodi, tmp_path):
    extremes(tmp_path, "c{0}")
    write(tmp_path, "tabular-classification", "scorecard", "t.parquet")
    refused_by_both(luodi, tmp_path, "tells two apart")


def test_check_refuses_a_logarithm_of_what_has_none(luodi, tmp_path):
    extremes(tmp_path, "c{0}")
    write(tmp_path, "tabular-regression", "linear", "t.parquet", columns="label: x")
    refused_by_both(luodi, tmp_path, "model.target is log", "--set", "model.target=log")
