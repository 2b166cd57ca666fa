"""`luodi package`: what it says when it cannot, and that another file is another model."""

from __future__ import annotations

import json
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from tests.forked import call as luodi


@pytest.fixture
def place(tmp_path):
    """A folder with a table and a booster of its first column alone."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 2)).round(4)
    labels = (rows[:, 0] + 0.3 * rng.normal(size=400) > 0).astype(int)
    lines = [f"{a},{b},{label}" for (a, b), label in zip(rows, labels, strict=True)]
    (tmp_path / "rows.csv").write_text("a,b,label\n" + "\n".join(lines) + "\n")
    train(tmp_path, rows, labels)
    return tmp_path, rows, labels


def train(folder, rows, labels):
    data = lightgbm.Dataset(rows, labels, feature_name=["a", "b"])
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_leaves": 4}, data, 20)
    booster.save_model(folder / "model.txt")


WORDS = ("package", "model.txt", "--task", "tabular-classification", "--data", "rows.csv", "--json")


def test_labels_that_are_the_outputs_numbers_need_no_names(place):
    folder, _, _ = place
    done = luodi(*WORDS, "--gate", "auc=>= 0.8", "--name", "ours", cwd=folder)
    assert done.returncode == 0, done.stdout
    result = json.loads(done.stdout)
    assert (result["verdict"], result["model"]) == ("passed", "ours")
    assert "linear" in result["baselines"]
    for path in Path(result["bundle"]).glob("*.json"):  # the maker's folders are nobody's business
        assert str(folder) not in path.read_text("utf-8"), path


def test_a_gate_that_it_does_not_pass_refuses_it(place):
    folder, _, _ = place
    done = luodi(*WORDS, "--gate", "auc=>= 0.9999", cwd=folder)
    assert done.returncode == 3
    assert json.loads(done.stdout)["verdict"] == "refused"
    assert json.loads(luodi("models", "--json", cwd=folder).stdout)["models"] == []


def test_another_model_at_the_same_path_is_judged_anew(place):
    folder, rows, labels = place
    first = json.loads(luodi(*WORDS, cwd=folder).stdout)
    train(folder, rows, 1 - labels)  # everything the wrong way round
    second = json.loads(luodi(*WORDS, cwd=folder).stdout)
    assert first["metrics"]["auc"]["value"] > 0.9
    assert second["metrics"]["auc"]["value"] < 0.1
    assert first["digest"] != second["digest"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("package", "model.txt"), 2, "--task and --data are missing"),
        (("package", "model.txt", "--task", "tabular-classification"), 2, "--data is missing"),
        (("package", "none.txt", *WORDS[2:]), 1, "There is no file or folder"),
        (("package", "rows.csv", *WORDS[2:]), 1, "nothing that can be taken over"),
        ((*WORDS, "--column", "feature=a"), 2, "the 2 columns, in the model's order"),
        ((*WORDS, "--column", "label"), 2, "Expected name=value"),
        ((*WORDS, "--column", "label=b2"), 2, "no column b2"),
        ((*WORDS, "--labels", "no,yes"), 1, "label 0"),
        ((*WORDS, "--gate", "acuracy=>= 1"), 2, "Did you mean accuracy?"),
    ],
)
def test_what_is_wrong_is_told_in_words(place, words, code, told):
    folder, _, _ = place
    done = luodi(*words, cwd=folder)
    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
