"""Planted flips are found, and counted about right; what a person decided is left alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from luodi.contracts import COPIES, Dataset, Role
from luodi.data.noise import confident_learning, out_of_fold, second_round


def planted(
    rows: int, classes: int, share: float, seed: int = 1, spread: float = 5.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, k) probabilities of a calibrated model, (n,) given labels, (n,) true ones."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, spread, (rows, classes))
    chance = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    true = (chance.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    given = true.copy()
    flipped = rng.random(rows) < share
    given[flipped] = (true[flipped] + rng.integers(1, classes, flipped.sum())) % classes
    # What a model that learnt from the flipped labels would say.
    told = chance * (1 - share) + (1 - chance) * share / (classes - 1)
    return told, given, true


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_share_is_about_right_and_the_rows_are_found(share: float, classes: int) -> None:
    chance, given, true = planted(6000, classes, share)
    found = confident_learning(chance, given)
    assert found.share == pytest.approx(share, abs=0.03)
    assert found.share < found.counted  # the paper's count takes a model's own errors for noise
    wrong = np.flatnonzero(given != true)
    hits = np.isin(found.rows, wrong)
    assert hits.mean() > 0.5
    assert hits.sum() > 0.55 * len(wrong)
    assert (found.suggested[hits] == true[found.rows[hits]]).mean() > 0.9
    assert (np.diff(found.confidence) <= 0).all()
    assert found.joint.sum() == pytest.approx(1)


def test_clean_labels_of_a_sure_model_have_no_noise() -> None:
    chance, given, _ = planted(3000, 3, 0.0, spread=30)
    assert confident_learning(chance, given).share < 0.01


def test_the_joint_is_that_of_the_definition() -> None:
    chance, given, _ = planted(500, 3, 0.1)
    found = confident_learning(chance, given)

    def joint(limits: list[float]) -> np.ndarray:
        counts = np.zeros((3, 3))
        for row, label in zip(chance, given, strict=True):
            over = [k for k in range(3) if row[k] >= limits[k]]
            if over:
                counts[label, max(over, key=lambda k: row[k])] += 1
        return counts / counts.sum(axis=1, keepdims=True) * np.bincount(given)[:, None] / 500

    mean = joint([chance[given == k, k].mean() for k in range(3)])
    assert found.counted == pytest.approx(1 - np.trace(mean))
    surest = joint([float(np.quantile(chance[given == k, k], 0.8)) for k in range(3)])
    assert found.joint == pytest.approx(surest)
    assert found.share == pytest.approx(1 - np.trace(surest))


def test_decided_rows_are_right_as_they_stand() -> None:
    chance, given, _ = planted(2000, 2, 0.2)
    before = confident_learning(chance, given)
    decided = np.zeros(2000, np.bool_)
    decided[before.rows] = True
    after = confident_learning(chance, given, decided)
    assert not np.isin(after.rows, before.rows).any()
    assert after.share < 0.3 * before.share


def test_rare_and_missing_labels_are_not_judged() -> None:
    chance, given, _ = planted(400, 3, 0.1)
    given = np.where(given == 2, 0, given)
    given[:3], given[3:9] = 2, -1
    found = confident_learning(chance, given)
    assert not np.isin(found.rows, np.arange(9)).any()
    assert not (found.suggested == 2).any()


def test_no_model_sees_the_row_that_it_answers() -> None:
    copies = np.arange(90)
    copies[80:] = copies[:10]
    table = pl.DataFrame({"label": ["a", "b", "c"] * 30, COPIES: copies})
    data = Dataset(table, {Role.LABEL: ("label",)})
    seen: list[int] = []

    def predict(train: np.ndarray, held: np.ndarray) -> np.ndarray:
        assert not set(copies[train]) & set(copies[held])
        seen.extend(held.tolist())
        return np.eye(3)[held % 3]

    chance = out_of_fold(data, "label", predict, 4)
    assert sorted(seen) == list(range(90))
    assert (chance.argmax(axis=1) == np.arange(90) % 3).all()


def test_the_second_round_learns_from_no_doubt_and_answers_all() -> None:
    table = pl.DataFrame({"label": ["a", "b", "c"] * 30, COPIES: np.arange(90)})
    data = Dataset(table, {Role.LABEL: ("label",)})
    learnt: set[int] = set()
    answered: list[int] = []

    def predict(train: np.ndarray, held: np.ndarray) -> np.ndarray:
        learnt.update(train.tolist())
        answered.extend(held.tolist())
        return np.eye(3)[held % 3]

    # All of the a's: half of them, the likeliest, are left out; one of the b's.
    doubtful = np.array([*range(0, 90, 3), 4])
    first = np.full((90, 3), 1 / 3)
    chance = second_round(data, "label", predict, first, doubtful, folds=4)
    assert sorted(answered) == list(range(90))
    assert set(range(90)) - learnt == {*range(0, 45, 3), 4}
    assert np.allclose(chance, (np.eye(3)[np.arange(90) % 3] + 1 / 3) / 2)
