"""Training through the C library comes to the very trees of LightGBM's own Python package."""

from __future__ import annotations

import subprocess
import sys

import lightgbm
import numpy as np
import pytest

from luodi.contracts import TrainingError
from luodi.tasks.tabular.lightgbm_library import Trees
from luodi.tasks.tabular.lightgbm_training import Binned, Booster, written

KINDS = {"binary": 1, "multiclass": 3, "regression": 1}
METRICS = {"binary": "binary_logloss", "multiclass": "multi_logloss", "regression": "l2"}


def rows(kind, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(300, 4))
    matrix[:, 3] = rng.integers(0, 5, 300)
    matrix[rng.random(300) < 0.1, 0] = np.nan
    sums = (
        np.nan_to_num(matrix[:, 0]) + matrix[:, 1] * (matrix[:, 3] > 2) + rng.normal(size=300) / 2
    )
    truth = {
        "binary": (sums > 0).astype(float),
        "multiclass": np.digitize(sums, [-0.5, 0.5]).astype(float),
        "regression": sums,
    }[kind]
    return matrix, truth, rng.random(300) + 0.5


def parameters(kind):
    return {
        "objective": kind, "metric": METRICS[kind], "num_class": KINDS[kind], "seed": 3,
        "num_threads": 1, "verbosity": -1, "deterministic": True, "force_col_wise": True,
        "learning_rate": 0.1, "num_leaves": 7, "min_data_in_leaf": 5, "bagging_fraction": 0.7,
        "bagging_freq": 1, "feature_fraction": 0.7, "extra_trees": True,
        "monotone_constraints": [0, 1, 0, 0],
    }  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
def test_trees_and_losses_are_the_packages(kind):
    told = parameters(kind)
    (matrix, truth, weight), (other, held, importance) = rows(kind, 0), rows(kind, 1)
    start = np.full((300, KINDS[kind]), 0.2)
    learnt = Binned(matrix, truth, weight, start, told, [3])
    booster = Booster(told, learnt, Binned(other, held, importance, start, told, [3], learnt))
    losses = []
    for _ in range(20):
        booster.grow()
        losses.append(booster.loss())

    flat = start[:, 0] if KINDS[kind] == 1 else start
    shared = {"categorical_feature": [3], "params": told, "free_raw_data": False}
    theirs = lightgbm.Dataset(matrix, truth, weight=weight, init_score=flat, **shared)
    beside = lightgbm.Dataset(
        other, held, weight=importance, init_score=flat, reference=theirs, **shared
    )
    seen: dict = {}
    package = lightgbm.train(told, theirs, 20, valid_sets=[beside],
                             callbacks=[lightgbm.record_evaluation(seen)])  # fmt: skip
    assert losses == seen["valid_0"][METRICS[kind]]
    raw = Trees(booster.text()).raw(other)
    expected = package.predict(other, raw_score=True).reshape(raw.shape)
    assert np.array_equal(raw, expected)


def test_rounds_by_a_gradient_of_ones_own_are_the_packages():
    matrix, truth, _ = rows("multiclass", 0)
    # Without luck: the package draws anew when it is given a gradient.
    sure = {"bagging_fraction": 1.0, "feature_fraction": 1.0, "extra_trees": False}
    told = parameters("multiclass") | {"objective": "none", "metric": "None"} | sure
    wanted = np.eye(3)[truth.astype(int)] - 1 / 3
    hessian = np.ones_like(wanted)
    learnt = Binned(matrix, np.zeros(300), np.ones(300), np.zeros((300, 3)), told, [3])
    booster = Booster(told, learnt, None)
    for _ in range(10):
        booster.grow_by(-wanted, hessian)
    theirs = lightgbm.Dataset(matrix, np.zeros(300), init_score=np.zeros((300, 3)),
                              categorical_feature=[3], params=told)  # fmt: skip
    told["objective"] = lambda scores, data: (-wanted, hessian)
    package = lightgbm.train(told, theirs, 10)
    raw = Trees(booster.text()).raw(matrix)
    assert np.array_equal(raw, package.predict(matrix, raw_score=True))


def test_what_the_library_refuses_is_told_in_its_words():
    told = parameters("binary") | {"objective": "odd"}
    matrix, truth, weight = rows("binary", 0)
    learnt = Binned(matrix, truth, weight, np.zeros((300, 1)), told, [])
    with pytest.raises(TrainingError, match="objective type name: odd"):
        Booster(told, learnt, None)


def test_parameters_are_written_as_the_library_reads_them():
    assert written({"a": 1, "b": 0.5, "c": True, "d": [1, 0]}) == b"a=1 b=0.5 c=True d=1,0"


def test_boosting_learns_without_the_packages_libraries(tmp_path):
    script = (
        "import sys; from pathlib import Path; from luodi.contracts import *;"
        "from luodi.tasks import find_task; from tests.tables import as_dataset, make_table;"
        "t = find_task('tabular-classification'); d = as_dataset(make_table(120), t.name);"
        "p = t.split(d, SplitSettings(valid=0.2));"
        "s = FitSettings(t.schema(d), t.metrics[0], Path(sys.argv[1]));"
        "t.learners['boosting'].fit(p.train, p.valid, s, Quiet());"
        "print([n for n in ('sklearn', 'pandas', 'lightgbm') if n in sys.modules])"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout.strip() == "[]", done.stderr
