from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.training.schedule import one_cycle


def test_it_rises_to_the_peak_and_falls_to_nothing() -> None:
    assert one_cycle(0.0) == 0.0
    assert one_cycle(0.1) == 1.0
    assert one_cycle(0.55) == pytest.approx(0.5)
    assert one_cycle(1.0) == pytest.approx(0.0)


@given(st.floats(-1, 2))
def test_it_stays_between_nothing_and_the_peak(done: float) -> None:
    assert 0.0 <= one_cycle(done) <= 1.0
