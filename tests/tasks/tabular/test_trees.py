"""Trees as they are served: sums, contributions, files that do not fit."""

from __future__ import annotations

import ctypes
import json
import threading

import numpy as np
import pytest

from luodi.contracts import BundleError, MissingPartError
from luodi.tasks.tabular import lightgbm_library
from luodi.tasks.tabular.lightgbm_library import Trees
from luodi.tasks.tabular.reasons import Contributing
from luodi.tasks.tabular.trees import TreeScorer


def grow(k=1, rows=300, seed=0, rounds=20):
    import lightgbm

    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 4))
    matrix[:, 3] = rng.integers(0, 5, rows)
    matrix[rng.random(rows) < 0.2, 1] = np.nan
    sums = matrix[:, 0] + np.nan_to_num(matrix[:, 1], nan=2) + (matrix[:, 3] == 2)
    truth = sums if k == 1 else np.digitize(sums, np.quantile(sums, [1 / 3, 2 / 3]))
    parameters = {"objective": "l2" if k == 1 else "multiclass", "num_class": k, "verbosity": -1,
                  "num_threads": 1, "num_leaves": 8}  # fmt: skip
    data = lightgbm.Dataset(matrix, truth, categorical_feature=[3], params=parameters)
    booster = lightgbm.train(parameters, data, rounds)
    return booster, matrix


def scorer(k=1, unit="value"):
    booster, matrix = grow(k)
    fill = np.array([0.5, np.nan, 0.25, np.nan])
    return TreeScorer(Trees(booster.model_to_string()), unit, np.arange(k) / 10, 0.5, fill), matrix


@pytest.mark.parametrize("k", [1, 3])
def test_sums_are_those_of_lightgbm_itself(k):
    booster, matrix = grow(k)
    trees = Trees(booster.model_to_string(), threads=2)
    wanted = booster.predict(matrix, raw_score=True).reshape(len(matrix), k)
    assert np.array_equal(trees.raw(matrix), wanted)
    assert np.array_equal(trees.raw(matrix[5:6]), wanted[5:6])
    wanted = booster.predict(matrix, pred_contrib=True).reshape(len(matrix), k, 5)
    assert np.array_equal(trees.contributions(matrix), wanted)


@pytest.mark.parametrize(("k", "unit"), [(1, "value"), (1, "log-odds"), (3, "log-odds")])
def test_contributions_add_up_to_the_raw_score(k, unit):
    model, matrix = scorer(k, unit)
    assert isinstance(model, Contributing)
    found = model.contributions(matrix)
    assert found.shape == ((len(matrix), 5) if k == 1 else (len(matrix), k, 5))
    assert np.allclose(found.sum(axis=-1), model.raw(matrix), atol=1e-12)
    assert np.abs(found[..., 0]).max() > 0.1


def test_a_number_never_missing_before_is_filled_and_others_are_not():
    model, matrix = scorer()
    row = matrix[:1].copy()
    row[0, 0] = row[0, 1] = np.nan
    filled = row.copy()
    filled[0, 0] = 0.5
    assert model.raw(row) == model.raw(filled)
    assert np.isnan(row[0, 0])  # the caller's row stays as it was
    filled[0, 1] = 0.0
    assert model.raw(row) != model.raw(filled)


def test_a_file_comes_back_as_it_was(tmp_path):
    model, matrix = scorer(3, "log-odds")
    model.export(tmp_path)
    again = TreeScorer.load(tmp_path, 2)
    assert np.array_equal(again.score(matrix), model.score(matrix))
    assert np.allclose(again.score(matrix).sum(axis=1), 1)


def test_shares_are_probabilities():
    model, matrix = scorer(1, "probability")
    found = model.score(matrix)
    assert found.shape == (len(matrix), 2)
    assert (found >= 0).all()
    assert np.allclose(found.sum(axis=1), 1)


def test_models_are_merged_in_order():
    booster, matrix = grow()
    other, _ = grow(seed=1)
    texts = [booster.model_to_string(), other.model_to_string()]
    both = Trees.merged(texts)
    sums = Trees(texts[0]).raw(matrix) + Trees(texts[1]).raw(matrix)
    assert np.allclose(both.raw(matrix), sums)
    first = Trees.merged(texts, rounds=20)
    assert np.array_equal(first.raw(matrix), Trees(texts[0]).raw(matrix))
    assert np.array_equal(
        Trees.merged(texts[:1], rounds=7).raw(matrix)[:, 0],
        booster.predict(matrix, raw_score=True, num_iteration=7),
    )


def test_many_threads_get_the_answers_of_one():
    model, matrix = scorer()
    wanted = model.raw(matrix)
    wrong = []

    def ask(offset):
        rows = range(offset, len(matrix), 4)
        wrong.extend(r for r in rows if model.raw(matrix[r : r + 1])[0] != wanted[r])

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_model_that_is_none_is_refused(tmp_path):
    with pytest.raises(BundleError, match="refuses"):
        Trees("this is no model")
    model, _ = scorer()
    model.export(tmp_path)
    head = json.loads((tmp_path / "trees.json").read_text())
    head["fill"].append(None)
    (tmp_path / "trees.json").write_text(json.dumps(head))
    with pytest.raises(BundleError, match="4 columns"):
        TreeScorer.load(tmp_path, 1)


def test_a_library_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(lightgbm_library, "find_spec", lambda _: None)
    with pytest.raises(MissingPartError, match="not installed"):
        lightgbm_library.library_path()


def test_a_missing_openmp_runtime_is_told(monkeypatch):
    def no_library(_):
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    lightgbm_library.library.cache_clear()
    with pytest.raises(MissingPartError, match="libgomp1"):
        Trees("tree")
    monkeypatch.undo()
    lightgbm_library.library.cache_clear()
