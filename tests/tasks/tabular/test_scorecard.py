"""The scorecard: the filed table is what is served, to the point."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from luodi.contracts import (
    FitSettings,
    QuestionSettings,
    Quiet,
    Schema,
    SplitSettings,
    TrainingError,
)
from luodi.tasks import find_task
from luodi.tasks.tabular.reasons import Contributing
from luodi.tasks.tabular.scorecard import Scorecard
from luodi.testing import check_task
from tests.tables import as_dataset, make_table

TASK = find_task("tabular-classification")
LEARNER = TASK.learners["scorecard"]


def fit(folder, table=None, question=None, **options):
    """A fitted scorecard, its predictor and requests of the test part."""
    data = as_dataset(make_table() if table is None else table, TASK.name, question)
    parts, schema = TASK.split(data, SplitSettings()), TASK.schema(data)
    folder.mkdir(exist_ok=True)
    settings = FitSettings(schema, TASK.metrics[0], folder, options=options)
    fitted = LEARNER.fit(parts.train, parts.valid, settings, Quiet())
    fitted.export(folder / "export")
    predictor = LEARNER.predictor.load(folder / "export", 1)
    return fitted, predictor, TASK.requests(parts.test, schema)


def test_check_task(tmp_path):
    check_task(TASK, as_dataset(make_table(), TASK.name), tmp_path, ["scorecard"])


def test_points_added_up_by_hand_are_the_served_score(tmp_path):
    _, predictor, requests = fit(tmp_path, question=QuestionSettings(calibration="none"))
    with (tmp_path / "export" / "scorecard.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    base = int(lines[0]["points"])
    card: Scorecard = predictor.scorer
    matrix = predictor.matrix(requests)
    for row, answer in zip(matrix, predictor.predict(requests), strict=True):
        total = base
        for one in card.characteristics:
            label = one.bins[int(one.place(row[one.column : one.column + 1])[0])].label
            (line,) = (x for x in lines if (x["characteristic"], x["bin"]) == (one.name, label))
            total += int(line["points"])
        assert answer["points"] == total
        odds = (total - card.scale.offset) / card.scale.factor
        assert answer["probabilities"]["bad"] == pytest.approx(1 / (1 + math.exp(odds)))


def test_the_scale_is_the_one_asked_for(tmp_path):
    asked = {"base_score": 500, "base_odds": 10, "pdo": 50}
    question = QuestionSettings(calibration="none")
    _, predictor, requests = fit(tmp_path, question=question, **asked)
    answers = predictor.predict(requests)
    for answer in answers:
        odds = answer["probabilities"]["good"] / answer["probabilities"]["bad"]
        assert answer["points"] == pytest.approx(500 + 50 * math.log2(odds / 10))


@pytest.mark.parametrize("way", ["increasing", "decreasing"])
def test_an_asked_column_is_monotone_in_points(tmp_path, way):
    question = QuestionSettings(monotone={"age": way})
    _, predictor, requests = fit(tmp_path, question=question, trend="any")
    request = {**requests[0]}
    points = [predictor.predict([{**request, "age": float(age)}])[0]["points"]
              for age in range(15, 90)]  # fmt: skip
    steps = np.diff(points)
    # More of the event means fewer points.
    assert (steps <= 0).all() if way == "increasing" else (steps >= 0).all()
    assert (steps.any()) == (way == "increasing")  # the risk rises with age in these rows


def test_missing_and_unseen_have_bins_of_their_own(tmp_path):
    _, predictor, requests = fit(tmp_path)
    card: Scorecard = predictor.scorer
    by_name = {one.name: one for one in card.characteristics}
    city = by_name["city"]
    assert city.bins[-2].rows > 0  # missing was seen
    assert city.bins[-1].rows == 0
    assert city.bins[-1].points == 0  # never seen: as the average
    row = predictor.matrix([{**requests[0], "city": None}, {**requests[0], "city": "Ulan Bator"}])
    assert city.place(row[:, city.column]).tolist() == [len(city.bins) - 2, len(city.bins) - 1]


def test_contributions_add_up_to_the_points(tmp_path):
    _, predictor, requests = fit(tmp_path)
    card: Scorecard = predictor.scorer
    assert isinstance(card, Contributing)
    matrix = predictor.matrix(requests)
    assert card.contributions(matrix).sum(axis=1) == pytest.approx(card.points(matrix))
    reasons = predictor.explain(requests[:5], most=3)
    assert all(reason.unit == "points" for each in reasons for reason in each)
    for each in reasons:
        for reason in each:
            assert ("speaks against bad" in reason.text) == (reason.contribution > 0)


def test_the_report_shows_the_table_and_the_answers_name_points(tmp_path):
    fitted, predictor, _ = fit(tmp_path)
    table = next(s for s in fitted.sections if s.title == "Scorecard")
    card: Scorecard = predictor.scorer
    assert table.rows[0][-1] == card.base
    assert len(table.rows) == 1 + sum(
        len(one.bins) - (not one.groups) for one in card.characteristics
    )
    assert [field.name for field in fitted.answers] == ["points"]
    json.dumps(list(table.rows), allow_nan=False)


def test_three_labels_are_refused_in_words(tmp_path):
    with pytest.raises(TrainingError, match="tells two apart"):
        fit(tmp_path, make_table(labels=3))


def test_names_that_a_spreadsheet_would_run_are_made_harmless(tmp_path):
    table = make_table().rename({"city": "=cmd|'/c calc'!A0"})
    fit(tmp_path, table)
    text = (tmp_path / "export" / "scorecard.csv").read_text("utf-8-sig")
    assert "'=cmd" in text
    assert not any(line.startswith(("=", '"=')) for line in text.splitlines())


def test_columns_that_tell_nothing_leave_the_base(tmp_path):
    rng = np.random.default_rng(0)
    table = (
        make_table()
        .select("__row__", "risk", "amount due")
        .with_columns(noise=pl.Series(rng.integers(0, 2, 400)))
    )
    _, predictor, requests = fit(tmp_path, table, least_iv=9.0)
    card: Scorecard = predictor.scorer
    assert card.characteristics == ()
    assert {answer["points"] for answer in predictor.predict(requests)} == {card.base}


def test_weights_count(tmp_path):
    """Rows of weight 0 are as if they were not there."""
    table = make_table(300)
    spoilt = table.with_columns(
        risk=pl.when(pl.col("risk") == "bad").then(pl.lit("good")).otherwise(pl.lit("bad")),
        weight=pl.lit(0.0),
    )
    both = pl.concat([table.with_columns(weight=pl.lit(1.0)), spoilt])
    both = both.with_columns(pl.Series("__row__", np.arange(600)))
    data = as_dataset(both, TASK.name, weight="weight")
    schema: Schema = TASK.schema(data)
    settings = FitSettings(schema, TASK.metrics[0], tmp_path)
    whole = replace(data, table=data.table.head(300))
    first = LEARNER.fit(whole, whole, settings, Quiet())
    second = LEARNER.fit(data, whole, settings, Quiet())
    assert second.scorer.base == first.scorer.base
    assert [c.points.tolist() for c in second.scorer.characteristics] == [
        c.points.tolist() for c in first.scorer.characteristics
    ]


def test_dates_are_cut_at_days_and_booleans_are_yes_and_no(tmp_path):
    table = make_table(600)
    late = table["since"].str.slice(0, 10) > "2020-07-01"
    table = table.with_columns(
        risk=pl.when(late).then(pl.lit("bad")).otherwise(pl.lit("good")),
        since=pl.when(pl.col("__row__") % 7 == 0).then(None).otherwise(pl.col("since")),
    )
    _, predictor, _ = fit(tmp_path, table)
    by_name = {one.name: one for one in predictor.scorer.characteristics}
    day = by_name["since (day)"]
    # Days of these rows end at the 28th; up to 1 July every row is good.
    assert day.bins[0].label.removeprefix("x < ") in ("2020-06-29", "2020-06-30", "2020-07-01")
    assert day.bins[0].events == 0
    assert day.bins[-2].rows > 50  # missing days are missing, not zero


@pytest.mark.parametrize("seed", range(3))
def test_any_table_gets_a_card_and_finite_answers(tmp_path, seed):
    """Huge and tiny numbers, hundreds of categories, one value only, hardly any rows of a label."""
    rng = np.random.default_rng(seed)
    rows = [40, 90, 500][seed]
    event = rng.random(rows) < [0.5, 0.08, 0.02][seed]
    event[:6] = True
    some = rng.random(rows) < 0.5
    table = pl.DataFrame(
        {
            "__row__": np.arange(rows),
            "risk": np.where(event, "bad", "good"),
            "amount due": np.zeros(rows),
            "huge": np.where(some, 1e300, -1e300) * rng.random(rows),
            "tiny": rng.random(rows) * 1e-300,
            "列 . 名\n": [f"类{n % 300} 😀" for n in rng.integers(0, 1000, rows)],
            "nearly one": np.where(np.arange(rows) == 3, "b", "a"),
            "mostly missing": [1.5 if n % 17 == 0 else None for n in range(rows)],
            "flag": some,
        }
    )
    kinds = {"tiny": "number", "huge": "number", "列 . 名\n": "category",
             "nearly one": "category", "mostly missing": "number"}  # fmt: skip
    question = QuestionSettings(kinds=kinds, monotone={"huge": "increasing"})
    fitted, predictor, requests = fit(tmp_path, table, question)
    odd = {"huge": 1.7e308, "tiny": -5e-324, "列 . 名\n": "=1+1", "mostly missing": None}
    names = set(requests[0])
    requests = [*requests, {**requests[0], **{k: v for k, v in odd.items() if k in names}}]
    for answer in predictor.predict(requests):
        assert math.isfinite(answer["points"])
        assert 0 < answer["probabilities"]["bad"] < 1
    assert fitted.sections
