"""The learners `mlp` and `transformer`: they learn, keep to their budget, go on after a kill."""

from __future__ import annotations

import threading

import numpy as np
import polars as pl
import pytest

from luodi.contracts import (
    ROW,
    FitSettings,
    QuestionSettings,
    Quiet,
    Role,
    SplitSettings,
    TrainingError,
)
from luodi.data.roles import assign_roles
from luodi.tasks import find_task
from luodi.tasks.tabular.networks import MlpLearner, TransformerLearner, batch_rows, passes
from luodi.testing import Trial, check_task
from tests.tables import as_dataset, make_table

pytestmark = pytest.mark.train

TASKS = ("tabular-classification", "tabular-regression")
SMALL = {
    "mlp": {"width": 64, "members": 2, "bins": 8, "vector": 8, "epochs": 5},
    "transformer": {"width": 32, "depth": 1, "heads": 2, "bins": 8, "epochs": 5},
}


@pytest.mark.parametrize("learner", SMALL)
@pytest.mark.parametrize("name", TASKS)
def test_check_task(tmp_path, name, learner):
    trials = {learner: Trial(options=SMALL[learner])}
    check_task(find_task(name), as_dataset(make_table(), name), tmp_path, [learner], trials)


def fitted(tmp_path, learner, data, epochs=40, budget=None, progress=None, **options):
    task = find_task("tabular-regression")
    parts = task.split(data, SplitSettings())
    folder = tmp_path / "scratch"
    folder.mkdir(exist_ok=True)
    chosen = {**SMALL[learner.name], "epochs": epochs, **options}
    settings = FitSettings(
        task.schema(data), task.metrics[0], folder, threads=1, budget=budget, options=chosen
    )
    found = learner.fit(parts.train, parts.valid, settings, progress or Quiet())
    found.export(tmp_path / "export")
    predictor = learner.predictor.load(tmp_path / "export", 1)
    requests = task.requests(parts.test, settings.schema)
    scored = task.score(parts.test, predictor.predict(requests), settings.schema)
    return found, scored, (predictor, requests)


def bent_table(rows=900, seed=0):
    """A number that no sum of weights can follow: a bend, a jump, two columns together."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-1, 1, (2, rows))
    kind = rng.choice(["x", "y"], rows)
    y = np.abs(a) * 3 + (a > 0.5) + 2 * a * b * np.where(kind == "x", 1, -1)
    table = pl.DataFrame({ROW: np.arange(rows), "a": a, "b": b, "kind": kind, "y": y})
    return assign_roles(table, {Role.LABEL: "y"}, find_task("tabular-regression").roles)


@pytest.mark.parametrize("learner", [MlpLearner(), TransformerLearner()], ids=lambda one: one.name)
def test_what_bends_is_learnt(tmp_path, learner):
    found, scored, _ = fitted(tmp_path, learner, bent_table(), learning_rate=5e-3)
    r2 = 1 - ((scored.value - scored.truth) ** 2).mean() / scored.truth.var()
    assert r2 > 0.85  # a sum of weights reaches less than 0.3 here
    assert found.history[-1]["valid_loss"] < 0.5 * found.history[0]["valid_loss"]
    assert "train_loss" in found.history[0]


def test_values_never_seen_and_missing_ones_are_answered(tmp_path):
    _, _, (predictor, requests) = fitted(tmp_path, MlpLearner(), bent_table(300), epochs=3)
    request = dict(requests[0])
    answers = predictor.predict([
        {**request, "kind": "never seen"}, {**request, "kind": None}, {**request, "a": None},
        {**request, "a": 1e300}, {**request, "a": None, "b": None, "kind": None},
    ])  # fmt: skip
    assert np.isfinite([answer["value"] for answer in answers]).all()


@pytest.mark.parametrize("columns", [["a", "b"], ["kind"], ["note"]])
def test_tables_of_one_kind_of_column(tmp_path, columns):
    table = bent_table(200).table.with_columns(
        note=pl.Series([f"a remark of some length, number {n % 31} it is" for n in range(200)])
    )
    roles = {Role.LABEL: "y", Role.FEATURE: tuple(columns)}
    question = QuestionSettings(kinds={"note": "text"})
    data = assign_roles(table, roles, find_task(TASKS[1]).roles, question)
    for learner in (MlpLearner(), TransformerLearner()):
        folder = tmp_path / learner.name
        folder.mkdir()
        _, scored, _ = fitted(folder, learner, data, epochs=2)
        assert np.isfinite(scored.value).all()


class KilledError(Exception):
    pass


class Killer(Quiet):
    """Ends the training at its third pass, as a kill would: with what was saved by then."""

    def say(self, message):
        if "3" in message.split(":")[0]:
            raise KilledError


def test_a_killed_training_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    from luodi.training import recipe

    whole, one = tmp_path / "whole", tmp_path / "one"
    whole.mkdir()
    one.mkdir()
    data = bent_table(300)
    _, expected, _ = fitted(whole, MlpLearner(), data, epochs=5)
    defaults = recipe.Loop.__init__.__defaults__
    monkeypatch.setattr(recipe.Loop.__init__, "__defaults__", (*defaults[:-1], 0.0))
    with pytest.raises(KilledError):
        fitted(one, MlpLearner(), data, epochs=5, progress=Killer())
    assert list((one / "scratch").glob("checkpoint*"))
    told = []

    class Listener(Quiet):
        def say(self, message):
            told.append(message)

    _, found, _ = fitted(one, MlpLearner(), data, epochs=5, progress=Listener())
    assert any("checkpoint" in message for message in told)
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-4)


def test_the_budget_is_kept(tmp_path):
    import time

    start = time.monotonic()
    found, _, _ = fitted(tmp_path, MlpLearner(), bent_table(3000), epochs=80, budget=6.0,
                         width=256, members=32)  # fmt: skip
    assert time.monotonic() - start < 20  # a busy machine; without a budget it takes minutes
    assert len(found.history) < 80
    assert any(finding.code.startswith("budget") for finding in found.findings)


def test_heads_that_do_not_share_the_width_are_told_before_training(tmp_path):
    data, learner = as_dataset(make_table(), TASKS[0]), find_task(TASKS[0]).learners["transformer"]
    task = find_task(TASKS[0])
    settings = FitSettings(
        task.schema(data), task.metrics[0], tmp_path, options={"width": 64, "heads": 3}
    )
    with pytest.raises(TrainingError, match="width is 64, and heads 3"):
        learner.estimate(data, settings)


def test_several_threads_ask_one_predictor(tmp_path):
    _, _, (predictor, requests) = fitted(tmp_path, TransformerLearner(), bent_table(200), epochs=1)
    expected = [answer["value"] for answer in predictor.predict(requests)]
    found: dict[int, list[float]] = {}

    def ask(number):
        found[number] = [predictor.predict([request])[0]["value"] for request in requests]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for values in found.values():
        np.testing.assert_allclose(values, expected, rtol=1e-4)


def test_batches_and_passes_follow_the_rows():
    assert [batch_rows("auto", rows) for rows in (100, 3200, 10_000, 10**6)] == [32, 64, 256, 512]
    assert batch_rows(100, 10) == 100
    assert passes("auto", 100, 32) == 60
    assert passes("auto", 10**6, 512) == 10
    assert passes(5, 100, 32) == 5
