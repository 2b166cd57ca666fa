"""Made rows in a run: for learning alone, their gain measured, told in report and result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from luodi.contracts import DataError, ProjectError
from luodi.lifecycle import augmenting
from luodi.lifecycle.run import run_lifecycle
from luodi.project.file import load_project
from tests.reviews import write_reviews
from tests.tables import make_table
from tests.watcher import Watcher


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Any:
    monkeypatch.setenv("LUODI_HOME", str(folder / "home"))
    path = folder / "luodi.yaml"
    path.write_text(text, "utf-8")
    return run_lifecycle(load_project(path), Watcher())


REVIEWS = """
name: reviews
task: text-classification
data:
  source: reviews.csv
  columns: {text: review, label: sentiment}
  augment: AUGMENT
model: {learner: linear}
"""
RISKS = """
name: risks
task: tabular-classification
data:
  source: risks.csv
  columns: {label: risk, id: amount due}
  augment: AUGMENT
model: {learner: linear}
"""


def test_changed_texts_are_learnt_from_and_their_gain_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reviews(tmp_path / "reviews.csv", 240)
    plain = run(tmp_path, monkeypatch, REVIEWS.replace("AUGMENT", "{}"))
    assert not any(finding.code == "augmentation" for finding in plain.report.findings)
    outcome = run(
        tmp_path, monkeypatch, REVIEWS.replace("AUGMENT", "{text: {ways: synonyms, copies: 2}}")
    )
    report = outcome.report
    [finding] = [finding for finding in report.findings if finding.code == "augmentation"]
    assert finding.count == finding.details["texts"] > 50
    assert "gained" in finding.message
    assert finding.details["gain"]["metric"] == "accuracy"
    assert "linear" in finding.handled
    # The counts stay those of real rows: nothing made is validated or judged on.
    for part in ("train", "valid", "test"):
        assert report.data[part] == plain.report.data[part]
    table = next(s for s in report.sections if "made rows gained" in s.title)
    assert table.rows[0][0] == "accuracy"
    assert outcome.result["augmentation"]["counts"]["texts"] == finding.count
    sealed = json.loads((Path(outcome.result["bundle"]) / "data.json").read_text("utf-8"))
    assert sealed["made"]["texts"] == finding.count
    again = run(
        tmp_path, monkeypatch, REVIEWS.replace("AUGMENT", "{text: {ways: synonyms, copies: 2}}")
    )
    assert again.result["digest"] == outcome.result["digest"]


def test_rows_of_rare_classes_help_or_it_is_said_that_they_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_table(500, seed=4).drop("__row__")
    pl.concat([table.filter(risk="good"), table.filter(risk="bad").head(40)]).write_csv(
        tmp_path / "risks.csv"
    )
    outcome = run(tmp_path, monkeypatch, RISKS.replace("AUGMENT", "{table: {way: smote}}"))
    [finding] = [f for f in outcome.report.findings if f.code == "augmentation"]
    assert finding.details["rows"] > 50
    assert any(word in finding.message for word in ("gained", "harm"))


def test_where_all_is_even_nothing_is_made_and_nobody_is_warned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_table(500, seed=4).drop("__row__")
    even = [table.filter(risk=risk).head(100) for risk in ("good", "bad")]
    pl.concat(even).write_csv(tmp_path / "risks.csv")
    fits, score = [], augmenting._score

    def counted(*wanted: Any) -> Any:
        fits.append(wanted)
        return score(*wanted)

    monkeypatch.setattr(augmenting, "_score", counted)
    outcome = run(tmp_path, monkeypatch, RISKS.replace("AUGMENT", "{table: {way: smote}}"))
    [finding] = [f for f in outcome.report.findings if f.code == "augmentation"]
    assert (finding.count, finding.severity) == (0, "info")
    assert "None had to be made" in finding.message
    assert len(fits) == 1  # with nothing made there is nothing to compare


@pytest.mark.train
def test_rows_of_a_network_come_with_their_distance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_table(200, seed=4).drop("__row__", "note", "since").write_csv(tmp_path / "risks.csv")
    asked = "{table: {way: ctgan, ratio: 0.5, epochs: 1}}"
    outcome = run(tmp_path, monkeypatch, RISKS.replace("AUGMENT", asked))
    table = next(s for s in outcome.report.sections if "lie to training rows" in s.title)
    assert [row[0] for row in table.rows] == ["Made", "Held out, real"]
    assert outcome.result["augmentation"]["privacy"]["made"] > 50


def test_what_cannot_be_made_stops_the_run_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reviews(tmp_path / "reviews.csv", 120)
    with pytest.raises(DataError, match="no features"):
        run(tmp_path, monkeypatch, REVIEWS.replace("AUGMENT", "{table: {way: smote}}"))
    with pytest.raises(ProjectError, match="back_translation without there and back"):
        run(tmp_path, monkeypatch, REVIEWS.replace("AUGMENT", "{text: {ways: back_translation}}"))
    with pytest.raises(ProjectError, match="copies 0"):
        run(tmp_path, monkeypatch, REVIEWS.replace("AUGMENT", "{text: {copies: 0}}"))


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ("{table: {way: ctgan, epochs: 40}}", 1.0),
        ("{table: {way: ctgan, epochs: 400}}", 8.0),
        ("{table: {ratio: 0.9}}", 0.2),
    ],
)
def test_what_made_rows_take_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, made: float
) -> None:
    from luodi.lifecycle.check import check_project

    monkeypatch.setenv("LUODI_HOME", str(tmp_path / "home"))
    make_table(600, seed=4).drop("__row__").write_csv(tmp_path / "risks.csv")
    path = tmp_path / "luodi.yaml"

    def checked(augment: str, more: str = "") -> Any:
        path.write_text(RISKS.replace("AUGMENT", augment) + more, "utf-8")
        return check_project(load_project(path), Watcher())

    plain, richer = checked("{}"), checked(asked)
    assert plain.making == 0
    fits = sum(estimate.seconds for _, estimate in plain.estimates)
    assert richer.making > made + 2 * plain.estimates[-1][1].seconds * 0.9
    assert richer.seconds > fits + made
    assert richer.to_json()["estimate"]["making"] == richer.making
    # Each recipe learns from what was made as well.
    assert richer.estimates[-1][1].seconds >= plain.estimates[-1][1].seconds
    path.write_text(
        RISKS.replace("AUGMENT", asked).replace("  augment", "  split: {folds: 4}\n  augment")
    )
    folded = check_project(load_project(path), Watcher())
    assert folded.making > richer.making + 3 * made


def test_what_cannot_be_made_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from luodi.lifecycle.check import check_project

    monkeypatch.setenv("LUODI_HOME", str(tmp_path / "home"))
    make_table(200, seed=4).drop("__row__").write_csv(tmp_path / "risks.csv")
    path = tmp_path / "luodi.yaml"
    path.write_text(RISKS.replace("AUGMENT", "{text: {copies: 1}}"), "utf-8")
    with pytest.raises(DataError, match="no column of texts"):
        check_project(load_project(path), Watcher())
