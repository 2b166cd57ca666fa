"""Sums of weights, and what each column adds to them."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.tasks.tabular.reasons import Contributing
from luodi.tasks.tabular.sums import LinearScorer


@pytest.mark.parametrize(("k", "numbers"), [(1, True), (1, False), (3, False)])
def test_contributions_add_up_to_the_raw_score(k, numbers):
    rng = np.random.default_rng(k)
    matrix = rng.normal(size=(50, 4))
    centre = matrix.mean(axis=0)
    model = LinearScorer(rng.normal(size=(4, k)), rng.normal(size=k), centre, numbers)
    assert isinstance(model, Contributing)
    found = model.contributions(matrix)
    assert found.shape == ((50, 5) if k == 1 else (50, k, 5))
    assert np.allclose(found.sum(axis=-1), model.raw(matrix))
    assert np.allclose(found[..., :-1].mean(axis=0), 0)  # told from the mean row
    assert model.unit == ("value" if numbers else "log-odds")
    if not numbers:
        assert np.allclose(model.score(matrix).sum(axis=1), 1)
