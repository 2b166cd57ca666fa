"""Learning once more from all rows: honest about rows that were learnt from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from luodi.contracts import (
    COPIES,
    ROW,
    FitSettings,
    QuestionSettings,
    Quiet,
    Refitting,
    Role,
    SplitSettings,
)
from luodi.data.roles import assign_roles
from luodi.tasks import find_task
from luodi.tasks.tabular.folds import by_strength
from luodi.tasks.tabular.sums import LinearScorer
from luodi.tasks.tabular.target import Classes
from tests.tables import as_dataset, make_table
from tests.tasks.tabular.fits import sample

TASK = find_task("tabular-classification")
LEARNERS = ["linear", "scorecard", "boosting", "forest"]


def parts_of(data, valid=0.25):
    parts = TASK.split(data, SplitSettings(valid=valid, test=0.2))
    return parts.train, parts.valid, parts.test


def settings(data, folder, **options):
    folder.mkdir(parents=True, exist_ok=True)
    return FitSettings(TASK.schema(data), TASK.metrics[0], folder, options=options)


def noise(rows, copies=1, seed=0):
    """Labels that nothing tells; each row `copies` times over."""
    rng = np.random.default_rng(seed)
    table = pl.DataFrame(
        {
            ROW: np.arange(rows * copies),
            COPIES: np.repeat(np.arange(rows), copies),
            "a": np.repeat(rng.normal(size=rows), copies),
            "b": np.repeat(rng.normal(size=rows), copies),
            "label": np.repeat(np.where(rng.random(rows) < 0.3, "yes", "no"), copies),
        }
    )
    return assign_roles(table, {Role.LABEL: "label"}, TASK.roles, QuestionSettings(positive="yes"))


@pytest.mark.parametrize("name", LEARNERS)
def test_a_model_is_learnt_from_both_parts_and_answers(name, tmp_path):
    data = as_dataset(make_table(240), TASK.name)
    train, valid, test = parts_of(data)
    learner = TASK.learners[name]
    assert isinstance(learner, Refitting)
    asked = settings(data, tmp_path / "s")
    assert learner.refits(train, valid, asked)
    found = []
    for number in range(2):  # the same rows, the same model
        fitted = learner.refit(
            train, valid, replace(asked, folder=tmp_path / f"s{number}"), Quiet(), tmp_path
        )
        fitted.export(tmp_path / f"x{number}")
        predictor = learner.predictor.load(tmp_path / f"x{number}", 1)
        found.append(predictor.predict(TASK.requests(test, asked.schema)))
    assert found[0] == found[1]
    scored = TASK.score(test, found[0], asked.schema)
    assert float(TASK.metrics[0].compute(scored, scored.weight[None, :])[0]) > 0.75
    words = [finding.message for finding in fitted.findings if finding.code == "calibration"]
    assert words
    assert "validation" not in words[0]


def test_the_linear_weights_are_those_of_all_rows(tmp_path):
    data = as_dataset(make_table(300), TASK.name)
    train, valid, _ = parts_of(data)
    both = replace(train, table=pl.concat([train.table, valid.table]))
    learner = TASK.learners["linear"]
    asked = settings(data, tmp_path, strengths=(0.3,))
    again = learner.refit(train, valid, asked, Quiet(), tmp_path)
    whole = learner.fit(both, valid, asked, Quiet())
    assert np.allclose(again.scorer.weights, whole.scorer.weights)


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("name", ["boosting", "forest", "linear"])
def test_rows_learnt_by_heart_do_not_make_it_sure_of_itself(name, copies, tmp_path):
    """Were calibration learnt on what the model learnt from, a forest would be sure of noise."""
    data = noise(200, copies)
    train, valid, _ = parts_of(data)
    learner = TASK.learners[name]
    asked = settings(data, tmp_path / "s", **({"min_rows": 1} if name == "forest" else {}))
    fitted = learner.refit(train, valid, asked, Quiet(), tmp_path)
    fitted.export(tmp_path / "x")
    fresh = noise(400, seed=1)
    answers = learner.predictor.load(tmp_path / "x", 1).predict(TASK.requests(fresh, asked.schema))
    scored = TASK.score(fresh, answers, asked.schema)
    loss = next(metric for metric in TASK.metrics if metric.name == "log_loss")
    share = 0.3
    prior = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert float(loss.compute(scored, scored.weight[None, :])[0]) < prior + 0.06


def test_it_is_not_to_be_had_for_numbers_or_for_too_few_of_a_label(tmp_path):
    learner = TASK.learners["linear"]
    data = noise(60)
    train, valid, _ = parts_of(data)
    assert learner.refits(train, valid, settings(data, tmp_path))
    few = data.take(np.flatnonzero(data.table["label"].to_numpy() == "no"))
    some = data.take(np.flatnonzero(data.table["label"].to_numpy() == "yes")[:9])
    rare = replace(few, table=pl.concat([few.table, some.table]))
    train, valid = rare.take(np.arange(0, rare.rows, 2)), rare.take(np.arange(1, rare.rows, 2))
    assert not learner.refits(train, valid, settings(data, tmp_path))
    regression = find_task("tabular-regression")
    numbers = as_dataset(make_table(200), regression.name)
    parts = regression.split(numbers, SplitSettings(valid=0.25))
    asked = FitSettings(regression.schema(numbers), regression.metrics[0], tmp_path)
    assert not regression.learners["linear"].refits(parts.train, parts.valid, asked)


def test_networks_are_stopped_by_the_validation_part_and_are_not_refit():
    assert not isinstance(TASK.learners["mlp"], Refitting)
    assert not isinstance(TASK.learners["naive"], Refitting)


def test_a_strength_is_judged_on_rows_that_it_has_not_seen():
    """A model that knows its rows by heart is worthless to others, and is found to be."""
    rng = np.random.default_rng(0)
    rows = sample(np.arange(100.0)[:, None], rng.integers(0, 2, 100))

    def path(learnt):
        def by_heart(matrix):
            known = dict(zip(learnt.matrix[:, 0], learnt.truth, strict=True))
            sure = np.array([known.get(value, 0.5) for value in matrix[:, 0]])
            return np.column_stack([1 - sure, sure])

        heart = LinearScorer(np.zeros((1, 1)), np.zeros(1), np.zeros(1), False)
        object.__setattr__(heart, "score", by_heart)
        yield 1.0, heart

    found = by_strength(rows, path, Classes(("no", "yes")), seed=7)
    assert found.losses[1.0] == pytest.approx(np.log(2))
    assert np.allclose(found.scores[1.0], 0.5)


def test_copies_stay_on_one_side_of_a_fold():
    rows = sample(
        np.repeat(np.arange(50.0), 4)[:, None],
        np.arange(200) % 2,
        cluster=np.repeat(np.arange(50), 4),
    )
    met = []

    def path(learnt):
        met.append(set(learnt.cluster.tolist()))
        yield 1.0, LinearScorer(np.zeros((1, 1)), np.zeros(1), np.zeros(1), False)

    by_strength(rows, path, Classes(("no", "yes")), seed=7, repeats=1)
    assert len(met) == 5
    assert all(len(seen) == 40 for seen in met)
