"""Boosted trees: stopped in time, held to directions, a budget and what was there before a kill."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.contracts import QuestionSettings, Quiet
from luodi.tasks.tabular import growing
from luodi.tasks.tabular.boosting import BoostingLearner
from tests.tasks.tabular.fits import fitting, nothing, sample

LEARNER = BoostingLearner()


def rows(count=600, seed=0, columns=3):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(count, columns))
    sums = 1.5 * matrix[:, 0] - matrix[:, 1] + rng.normal(0, 0.7, count)
    return matrix, sums


def fit(folder, matrix, truth, **more):
    folder.mkdir(exist_ok=True)
    labels = more.pop("labels", ("no", "yes"))
    part = sample(matrix, truth, more.pop("weight", None))
    return LEARNER.train(
        part, nothing(matrix), fitting(LEARNER, folder, matrix.shape[1], labels, **more)
    )


def test_noise_is_not_learnt(tmp_path):
    matrix, _ = rows()
    truth = np.random.default_rng(5).random(len(matrix)) < 0.3
    trained = fit(tmp_path, matrix, truth.astype(int))
    chance = trained.scorer.score(matrix)[:, 1]
    assert chance.std() < 0.08
    assert abs(chance.mean() - truth.mean()) < 0.02


def test_rare_events_keep_their_probability(tmp_path):
    matrix, sums = rows(3000)
    truth = (sums > np.quantile(sums, 0.97)).astype(int)
    trained = fit(tmp_path, matrix, truth)
    unseen, sums_too = rows(20_000, seed=9)
    chance = trained.scorer.score(unseen)[:, 1]
    share = (sums_too > np.quantile(sums, 0.97)).mean()
    assert abs(chance.mean() - share) < 0.2 * share


def test_a_direction_is_kept(tmp_path):
    rng = np.random.default_rng(1)
    matrix = rng.uniform(-2, 2, (800, 2))
    wave = matrix[:, 0] + 1.5 * np.sin(4 * matrix[:, 0])
    truth = (wave + rng.normal(0, 0.3, 800) > 0).astype(int)
    line = np.column_stack([np.linspace(-2, 2, 200), np.zeros(200)])
    free = fit(tmp_path / "free", matrix, truth).scorer.raw(line)
    assert (np.diff(free) < -0.1).any()
    question = QuestionSettings(monotone={"c0": "increasing"})
    held = fit(tmp_path / "held", matrix, truth, question=question).scorer.raw(line)
    assert (np.diff(held) >= 0).all()
    assert held[-1] > held[0] + 1


def test_a_direction_that_cannot_be_kept_is_told(tmp_path):
    matrix, sums = rows(200)
    truth = np.digitize(sums, [-0.5, 0.5])
    question = QuestionSettings(monotone={"c0": "increasing"})
    trained = fit(tmp_path, matrix, truth, labels=("a", "b", "c"), question=question)
    assert [finding.code for finding in trained.findings] == ["monotone-ignored"]


def test_a_number_far_from_zero_keeps_its_digits(tmp_path):
    matrix, sums = rows()
    trained = fit(tmp_path, matrix, 3e9 + sums, labels=())
    error = trained.scorer.score(matrix) - 3e9 - sums
    assert np.sqrt((error**2).mean()) < 0.7 * sums.std()


def test_a_weight_counts_as_so_many_rows(tmp_path):
    matrix, _ = rows(200)
    truth = np.arange(200) % 2  # that nothing tells of
    weight = np.where(truth == 1, 4.0, 1.0)
    chance = fit(tmp_path / "weighted", matrix, truth, weight=weight).scorer.score(matrix)[:, 1]
    assert abs(chance.mean() - weight[truth == 1].sum() / weight.sum()) < 0.05
    plain = fit(tmp_path / "none", matrix, truth, weight=np.zeros(200)).scorer.score(matrix)
    assert abs(plain[:, 1].mean() - truth.mean()) < 0.05


def test_a_budget_ends_it_and_is_told(tmp_path):
    matrix, sums = rows(400)
    trained = fit(tmp_path, matrix, (sums > 0).astype(int), budget=1e-6)
    assert [finding.code for finding in trained.findings] == ["budget-rounds"]
    assert np.isfinite(trained.scorer.score(matrix)).all()


class Killed(Exception):  # noqa: N818  # what a kill looks like from within
    pass


class Kill(Quiet):
    """Ends the process, so to say, in the middle of the third model."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def step(self, done, total, note=""):
        self.notes.append(note)
        if note.startswith("model 3 of 5, round 9,"):
            raise Killed


def test_what_was_grown_before_a_kill_is_not_grown_again(tmp_path, monkeypatch):
    monkeypatch.setattr(growing, "_KEEP", 0.0)
    monkeypatch.setattr(growing, "_EVERY", 0.0)
    monkeypatch.setattr(growing, "_TELL", 0.0)
    matrix, sums = rows(300)
    truth = (sums > 0).astype(int)
    options = {"rounds": 25}
    whole = fit(tmp_path / "whole", matrix, truth, options=options)
    with pytest.raises(Killed):
        fit(tmp_path / "cut", matrix, truth, progress=Kill(), options=options)
    told = Kill()
    told.step = lambda done, total, note="": told.notes.append(note)
    again = fit(tmp_path / "cut", matrix, truth, progress=told, options=options)
    assert told.notes[0].startswith("model 3 of 5, round 9,")
    assert [r["rounds"] for r in again.history[:2]] == [r["rounds"] for r in whole.history[:2]]
    wrong = (again.scorer.score(matrix)[:, 1] > 0.5) != truth
    assert wrong.mean() < 0.2


def test_progress_never_goes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(growing, "_TELL", 0.0)
    seen = []
    progress = Quiet()
    progress.step = lambda done, total, note="": seen.append(done / total)
    matrix, sums = rows(200)
    fit(tmp_path, matrix, (sums > 0).astype(int), progress=progress)
    assert seen[-1] == 1.0
    assert max(seen) == 1.0
    assert min(np.diff(seen)) > -0.15  # a model may turn out longer than the ones before


@pytest.mark.parametrize(("options", "most"), [({}, 10_000), ({"rounds": 700}, 4 * 5 * 700)])
def test_labels_that_are_told_apart_easily_do_not_grow_trees_for_ever(tmp_path, options, most):
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(1500, 4))
    truth = np.digitize(matrix[:, 0] + rng.normal(0, 0.02, 1500), [-1, 0, 1])
    labels = ("a", "b", "c", "d")
    trained = fit(tmp_path, matrix, truth, labels=labels, options=options)
    grown = 4 * sum(record["rounds"] for record in trained.history)
    assert grown <= most
    if options:  # who asks for more gets more
        assert grown > 10_000
    assert (trained.scorer.score(matrix).argmax(1) == truth).mean() > 0.95
