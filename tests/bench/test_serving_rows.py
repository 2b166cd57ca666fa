"""The bench of rows: a peer's number read as our label, the better form of each compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.serving.rows.contestants import Reading, contestants
from bench.serving.rows.results import goals, make_table

LABELS = ("benign", "malignant")


def reading(folder: Path, base: float = 0.0, scale: float = 0.2) -> Reading:
    (folder / "trees.json").write_text(json.dumps({"base": [base], "scale": scale}))
    return Reading(folder, LABELS)


@pytest.mark.parametrize(
    ("base", "probability", "label"),
    [(0.0, 0.6, "malignant"), (0.0, 0.4, "benign"), (-1.0, 0.6, "benign"), (1.0, 0.4, "malignant"),
     (-1.0, 1.0, "malignant"), (1.0, 0.0, "benign")],
)  # fmt: skip
def test_the_base_that_luodi_adds_is_added(
    tmp_path: Path, base: float, probability: float, label: str
) -> None:
    assert reading(tmp_path, base).label(probability) == label


def test_everybody_is_asked_for_the_same_row(tmp_path: Path) -> None:
    row, bodies = json.dumps({"a": 1.0, "b": 2.0}), {}
    for name, contestant in contestants(reading(tmp_path), 2).items():
        bodies[name] = json.loads(contestant.body(row))
    assert bodies["luodi"] == bodies["luodi-wide"] == {"inputs": [{"a": 1.0, "b": 2.0}]}
    assert bodies["mlflow"] == {"inputs": [[1.0, 2.0]]}
    assert bodies["bentoml"] == {"rows": [[1.0, 2.0]]}


def found(name: str, rate: float, others: float = 0.1) -> dict[str, Any]:
    step = {"answered": int(rate * 10), "cpu_seconds": 10.0, "p99_ms": 9.0, "p50_ms": 1.0}
    return {
        "contestant": name, "title": name, "throughput": rate, "others_before": others,
        "ladder": [step], "half": step, "closed": {"throughput": rate, "agree": 1.0},
        "memory_bytes": 10**8, "first_answer_seconds": 1.0,
    }  # fmt: skip


def test_the_better_form_of_each_is_compared() -> None:
    measured = [found("luodi", 500.0), found("luodi-wide", 900.0), found("mlflow", 100.0),
                found("mlflow-wide", 200.0)]  # fmt: skip
    mlflow, by_processor, bentoml = goals(measured)
    assert (mlflow["found"], mlflow["verdict"]) == (4.5, "missed")
    assert by_processor["found"] == 4.5
    assert bentoml["verdict"] == "not measured"


def test_a_busy_machine_shows_nothing() -> None:
    assert goals([found("luodi", 900.0, 3.0), found("mlflow", 100.0)])[0]["verdict"].startswith(
        "not shown"
    )


def test_the_page_says_what_was_found() -> None:
    measured = [found("luodi", 900.0), found("bentoml", 100.0)]
    facts = {
        "date": "2026-01-01", "machine": {"processor": "x", "cores": 2, "commit": "abc"},
        "rows": 569, "trees": 10, "window_seconds": 4.0,
    }  # fmt: skip
    page = make_table({**facts, "measurements": measured, "goals": goals(measured)})
    assert "| requests a second, over bentoml: 5 or more | 9.0 | met |" in page
