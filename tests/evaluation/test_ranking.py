"""Metrics of order against scikit-learn and SciPy, ties and weights included."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn import metrics as sk

from luodi.contracts import Classified
from luodi.evaluation.metrics import by_name

Make = Callable[..., Classified]


@pytest.mark.parametrize(
    ("name", "theirs"), [("auc", sk.roc_auc_score), ("pr_auc", sk.average_precision_score)]
)
@pytest.mark.parametrize("classes", [2, 4])
def test_agrees_with_scikit_learn(
    classified: Make, name: str, theirs: Callable[..., float], classes: int
) -> None:
    scored = classified(labels=tuple("abcd"[:classes]), skill=0.7)
    weight = np.random.default_rng(5).integers(0, 4, size=scored.rows).astype(float)
    ours = by_name(name).compute(scored, np.stack([np.ones(scored.rows), weight]))
    for value, w in zip(ours, (np.ones(scored.rows), weight), strict=True):
        wanted = [1] if classes == 2 else range(classes)
        each = [
            theirs(scored.truth == c, scored.probability[:, c], sample_weight=w) for c in wanted
        ]
        assert value == pytest.approx(np.mean(each), abs=1e-12)


def test_ks_agrees_with_scipy(classified: Make) -> None:
    scored = classified(skill=0.7)
    score = scored.probability[:, 1]
    theirs = ks_2samp(score[scored.truth == 1], score[scored.truth == 0]).statistic
    ours = by_name("ks").compute(scored, np.ones((1, scored.rows)))
    assert ours[0] == pytest.approx(theirs, abs=1e-12)


def test_one_class_alone_has_no_order() -> None:
    scored = Classified(
        np.ones(3), np.arange(3), np.ones(3, int), np.ones(3, int), np.full((3, 2), 0.5), ("a", "b")
    )
    assert np.isnan(by_name("auc").compute(scored, np.ones((1, 3)))).all()


def test_a_class_missing_from_a_resample_is_left_out_of_its_average(classified: Make) -> None:
    scored = classified(labels=("a", "b", "c"))
    weight = (scored.truth != 2).astype(float)[None, :]
    rest = scored.truth != 2
    each = [sk.roc_auc_score(scored.truth[rest] == c, scored.probability[rest, c]) for c in (0, 1)]
    assert by_name("auc").compute(scored, weight)[0] == pytest.approx(np.mean(each), abs=1e-12)
