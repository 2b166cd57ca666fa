"""Models side by side: the same to the bit, stopped together, in the reader's language."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest

from luodi.contracts import Quiet, TrainingError, use_language
from luodi.tasks.tabular import growing
from luodi.tasks.tabular.boosting import BoostingLearner
from luodi.tasks.tabular.lightgbm_training import Booster
from tests.tasks.tabular.fits import fitting, nothing, sample

LEARNER = BoostingLearner()


def rows(count=400, seed=0):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(count, 4))
    return matrix, matrix[:, 0] - matrix[:, 1] + rng.normal(0, 0.7, count)


def fit(folder, matrix, truth, labels=("no", "yes"), **more):
    folder.mkdir(exist_ok=True)
    given = fitting(LEARNER, folder, matrix.shape[1], labels, **more)
    return LEARNER.train(sample(matrix, truth), nothing(matrix), given)


class Told(Quiet):
    """What was told, and in which threads."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.threads: set[str] = set()

    def step(self, done, total, note=""):
        self.notes.append(note)
        self.threads.add(threading.current_thread().name.partition("_")[0])


@pytest.mark.parametrize("labels", [("no", "yes"), ("a", "b", "c"), ()])
def test_models_are_the_same_however_many_grow_at_a_time(tmp_path, labels):
    matrix, sums = rows()
    truth = np.digitize(sums, [0.0, 1.0][: len(labels) - 1]) if labels else sums
    alone, two, many = (
        fit(tmp_path / str(threads), matrix, truth, labels, threads=threads)
        for threads in (1, 2, 8)
    )
    assert alone.scorer.trees.text == two.scorer.trees.text == many.scorer.trees.text
    for one, other in zip(alone.history, two.history, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_one_thread_is_not_left_for_another(tmp_path, monkeypatch):
    monkeypatch.setattr(growing, "_TELL", 0.0)
    matrix, sums = rows(100)
    truth = (sums > 0).astype(int)
    for threads, names in ((1, {"MainThread"}), (2, {"MainThread", "grow"})):
        told = Told()
        fit(tmp_path / str(threads), matrix, truth, threads=threads, progress=told)
        assert told.threads == names


def test_many_cells_are_grown_by_all_threads_one_model_at_a_time(tmp_path, monkeypatch):
    from luodi.tasks.tabular import tree_rules

    monkeypatch.setattr(tree_rules, "_ALONE", 100)
    monkeypatch.setattr(growing, "_TELL", 0.0)
    matrix, sums = rows(100)
    told = Told()
    fit(tmp_path, matrix, (sums > 0).astype(int), threads=2, progress=told)
    assert told.threads == {"MainThread"}


def test_threads_speak_the_reader_s_language(tmp_path, monkeypatch):
    monkeypatch.setattr(growing, "_TELL", 0.0)
    use_language("zh")
    matrix, sums = rows(100)
    told = Told()
    fit(tmp_path, matrix, (sums > 0).astype(int), threads=2, progress=told)
    *grown, _ = told.notes
    assert len(grown) > 10
    assert all("个模型" in note for note in grown)


def test_few_words_are_made_of_many_rounds(tmp_path):
    matrix, sums = rows(100)
    told = Told()
    started = time.monotonic()
    trained = fit(tmp_path, matrix, (sums > 0).astype(int), progress=told)
    rounds = sum(record["rounds"] for record in trained.history)
    assert len(told.notes) <= 3 + (time.monotonic() - started) / growing._TELL
    assert len(told.notes) < rounds


def test_an_error_in_one_ends_all_and_is_raised(tmp_path, monkeypatch):
    """The other model, which would take minutes, does not come to its end."""
    grow = Booster.grow
    first = threading.Event()

    def failing(booster):
        if threading.current_thread().name == "grow_1":
            assert first.wait(10)
            raise TrainingError("no more")
        grow(booster)
        first.set()
        time.sleep(0.01)

    monkeypatch.setattr(Booster, "grow", failing)
    matrix, sums = rows(100)
    started = time.monotonic()
    with pytest.raises(TrainingError, match="no more"):
        fit(tmp_path, matrix, (sums > 0).astype(int), threads=2,
            options={"rounds": 20_000, "patience": 500})  # fmt: skip
    assert time.monotonic() - started < 3
    assert not [t for t in threading.enumerate() if t.name.startswith("grow")]


def test_ctrl_c_does_not_wait_for_whole_models(tmp_path, monkeypatch):
    grow = Booster.grow
    monkeypatch.setattr(Booster, "grow", lambda booster: (grow(booster), time.sleep(0.01)))

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(growing, "wait", interrupted)
    matrix, sums = rows(100)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, matrix, (sums > 0).astype(int), threads=2,
            options={"rounds": 20_000, "patience": 500})  # fmt: skip
    assert time.monotonic() - started < 3


def test_ctrl_c_is_heard_where_a_model_s_thread_got_it(tmp_path, monkeypatch):
    grow = Booster.grow
    sent = threading.Event()

    def signalled(booster):
        grow(booster)
        time.sleep(0.001)
        if threading.current_thread().name == "grow_1" and not sent.is_set():
            sent.set()
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    monkeypatch.setattr(Booster, "grow", signalled)
    matrix, sums = rows(100)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, matrix, (sums > 0).astype(int), threads=2,
            options={"rounds": 3000, "patience": 500})  # fmt: skip
    assert time.monotonic() - started < 2


def test_models_of_a_killed_process_are_taken_as_they_are(tmp_path, monkeypatch):
    """Two at a time: whole ones are not grown again, the cut ones from where they were."""
    monkeypatch.setattr(growing, "_KEEP", 0.0)
    monkeypatch.setattr(growing, "_EVERY", 0.0)
    monkeypatch.setattr(growing, "_TELL", 0.0)
    matrix, sums = rows(300)
    truth = (sums > 0).astype(int)

    class Kill(Told):
        def step(self, done, total, note=""):
            super().step(done, total, note)
            if note.startswith("model 3 of 5, round 9,"):
                raise MemoryError

    options = {"rounds": 25}
    whole = fit(tmp_path / "whole", matrix, truth, options=options)
    with pytest.raises(MemoryError):
        fit(tmp_path / "cut", matrix, truth, threads=2, progress=Kill(), options=options)
    told = Told()
    again = fit(tmp_path / "cut", matrix, truth, threads=2, progress=told, options=options)
    rounds = [int(note.split("round ")[1].split(",")[0]) for note in told.notes
              if note.startswith("model 3 of 5")]  # fmt: skip
    assert rounds[0] >= 9
    assert again.history[0]["rounds"] == whole.history[0]["rounds"]
    assert again.history[0]["loss"] == whole.history[0]["loss"]
    assert ((again.scorer.score(matrix)[:, 1] > 0.5) != truth).mean() < 0.2


def test_a_budget_is_shared_by_models_that_grow_in_turns(tmp_path):
    from luodi.training.budget import Clock

    for beside, shares in ((1, [5, 4, 3, 2, 1]), (2, [3, 3, 2, 2, 1]), (5, [1] * 5)):
        nursery = growing.Nursery(tmp_path, Clock(60.0), Quiet(), 5, beside)
        allowed = [nursery.allowance(number) for number in range(5)]
        assert np.allclose(allowed, 60 / np.array(shares), rtol=0.01)


def test_no_time_at_all_still_gives_a_model(tmp_path):
    matrix, sums = rows(200)
    truth = (sums > 0).astype(int)
    trained = fit(tmp_path, matrix, truth, budget=1e-6, threads=2)
    assert [finding.code for finding in trained.findings] == ["budget-rounds"]
    assert len(trained.history) == 1
