"""The bench on tables: what it computes, and that it can say no."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from bench.tabular.__main__ import _options, turns
from bench.tabular.arithmetic import auc, difference, over_seeds
from bench.tabular.ours import project_file
from bench.tabular.probe import as_request, spread
from bench.tabular.results import OURS, THEIRS, by_table, compared, judged, medians, page
from bench.tabular.tables import TABLES, fetch
from luodi.contracts import Field, MissingPartError, Schema

GERMAN = TABLES[0]


def measured(contestant, scores, seconds, one_row, memory, **more):
    return {
        "table": "german", "seed": 1, "contestant": contestant, "scores": scores,
        "fit_seconds": seconds, "whole_seconds": seconds * 2, "peak_mib": memory,
        "one_row": {"median_ms": one_row}, "one_row_model": {"median_ms": one_row / 2},
        **more,
    }  # fmt: skip


@pytest.fixture
def test_table(tmp_path):
    path = tmp_path / "test.csv"
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(300) < 0.4, "bad", "good")
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([[GERMAN.label], *([label] for label in labels)])
    return path, labels == "bad", rng


def test_auc_is_that_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    truth, scores = rng.random(200) < 0.3, rng.integers(0, 12, 200).astype(float)
    assert auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))
    assert np.isnan(auc(np.ones(3, bool), np.zeros(3)))


def test_a_difference_and_its_interval(test_table):
    _, truth, rng = test_table
    good, poor = truth + rng.normal(0, 0.5, 300), truth + rng.normal(0, 3, 300)
    found = difference(truth, good, poor)
    assert found.low > 0
    assert difference(truth, poor, good).high < 0
    same = difference(truth, good, good)
    assert (same.low, same.value, same.high) == (0, 0, 0)


def test_an_interval_over_seeds():
    found = over_seeds([0.7, 0.8, 0.75])
    half = 4.303 * np.std([0.7, 0.8, 0.75], ddof=1) / np.sqrt(3)
    assert (found.low, found.high) == pytest.approx((0.75 - half, 0.75 + half))
    assert over_seeds([0.7]).low == float("-inf")


def test_goals_are_met_and_missed(test_table):
    path, truth, rng = test_table
    scores = (truth + rng.normal(0, 0.5, 300)).tolist()
    ours = measured("luodi", scores, 2.0, 0.5, 50.0)
    theirs = measured("autogluon", scores, 60.0, 100.0, 1600.0)
    for one in (ours, theirs):
        one["judged"] = judged(GERMAN, path, one)
    found = compared(GERMAN, path, ours, theirs)
    assert all(found["met"].values())
    assert found["ratio"]["one_row"] == 200
    slow = compared(GERMAN, path, ours | {"fit_seconds": 7.0, "peak_mib": 200.0}, theirs)
    assert slow["met"] == {"auc": True, "fit_seconds": False, "one_row": True, "peak_mib": False}
    worse = ours | {"scores": rng.random(300).tolist()}
    worse["judged"] = judged(GERMAN, path, worse)
    assert not compared(GERMAN, path, worse, theirs)["met"]["auc"]


def test_the_page_tells_what_was_not_met(test_table):
    path, truth, _ = test_table
    labels = np.where(truth, "bad", "good").tolist()
    ours = measured("luodi", truth.astype(float).tolist(), 2.0, 0.5, 50.0, labels=labels)
    ours["judged"] = judged(GERMAN, path, ours)
    assert ours["judged"] == {"auc": 1.0, "error": 0.0}
    alone = [
        ours | {"contestant": f"exported-{name}", "seed": seed, "judged": {"auc": value}}
        for seed, good in ((1, 1.0), (2, 0.5))
        for name, value in (("boosting", good), ("forest", 0.6), ("linear", 0.7))
    ]
    alone.pop()  # a learner with fewer seeds is not shown beside
    tables = by_table(alone)
    assert tables[0]["value"] == 0.75
    assert tables[0]["beside"] == {"boosting": 0.75, "forest": 0.6}
    theirs = measured("autogluon", truth.astype(float).tolist(), 10.0, 100.0, 1600.0)
    theirs["judged"] = judged(GERMAN, path, theirs)
    beside = [compared(GERMAN, path, ours, theirs)]
    text = page(
        {
            "date": "2026-01-01", "machine": {"processor": "P", "cores": 2, "commit": "abc"},
            "threads": 2, "note": "", "tables": tables, "autogluon": "1", "seconds": 60,
            "compared": beside, "medians": medians(beside),
        }
    )  # fmt: skip
    assert "| german | auc | at least 0.79 | 0.7500 [" in text
    assert "not met" in text
    assert "not fit_seconds" in text


def test_medians_are_taken_over_three_seeds_and_the_ratio_is_theirs():
    def at(seed: int, seconds: float, apart: float) -> dict:
        takes = {"fit_seconds": 1.0, "whole_seconds": 9.0, "one_row": 0.5, "peak_mib": 40.0}
        return {
            "table": "german", "seed": seed, "auc": {"luodi": 0.8 + apart, "autogluon": 0.8},
            "difference": {"value": apart, "low": apart - 0.02, "high": apart + 0.02},
            "takes": {"luodi": takes, "autogluon": {**takes, "fit_seconds": seconds,
                                                    "one_row": 100.0, "peak_mib": 900.0}},
        }  # fmt: skip

    (row,) = medians([at(1, 5.0, -0.01), at(2, 30.0, -0.011), at(3, 40.0, -0.012)])
    assert row["ratio"]["fit_seconds"] == 30.0
    assert row["seeds"] == [1, 2, 3]
    # No seed by itself tells them apart; the three together do.
    assert row["difference"]["high"] < 0
    assert row["met"] == {"auc": False, "fit_seconds": True, "one_row": True, "peak_mib": True}
    (alone,) = medians([at(1, 5.0, -0.01)])
    assert alone["difference"]["high"] == pytest.approx(0.01)
    assert not alone["met"]["fit_seconds"]


def test_three_seeds_are_measured_beside_unless_told_otherwise():
    asked = list(turns(_options([])))
    beside = [(table.name, seed) for table, seed, who in asked if who == THEIRS]
    assert len(beside) == 3 * 5
    assert {seed for _, seed in beside} == {1, 2, 3}
    assert len([1 for *_, who in turns(_options(["--autogluon-seeds", "1"])) if who == OURS]) == 5


def test_the_bounds_are_those_that_were_asked_for():
    asked = {table.name: (table.metric, table.bound) for table in TABLES}
    assert asked == {
        "german": ("auc", 0.79), "credit_data": ("auc", 0.84), "lending_club": ("auc", 0.74),
        "uci_default": ("auc", 0.78), "ai4i2020": ("auc", 0.975), "pima": ("error", 0.20),
    }  # fmt: skip
    assert sum(table.beside for table in TABLES) == 5
    assert not TABLES[-1].met(0.21)
    assert TABLES[-1].met(0.2)


def test_rows_are_asked_as_the_schema_wants_them():
    schema = Schema((Field("a", "number"), Field("b", "category"), Field("c", "boolean")), ())
    assert as_request({"a": "1.5", "b": "", "c": "True", "y": "1"}, schema) == {
        "a": 1.5, "b": None, "c": True,
    }  # fmt: skip
    assert spread([0.001] * 99 + [1.0])["p99_ms"] == 1000


def test_a_project_is_made_for_the_official_rows():
    made = json.loads(project_file(GERMAN, 3, 2))
    assert made["data"]["test"] == "test.csv"
    assert made["data"]["split"]["seed"] == 3


def test_a_table_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.tabular.tables._ROOT", tmp_path / "deep" / "down")
    monkeypatch.delenv("LUODI_BENCH_DATA", raising=False)
    with pytest.raises(MissingPartError, match="LUODI_BENCH_DATA"):
        fetch("data:nowhere/at-all.csv", tmp_path / "out", tmp_path)
