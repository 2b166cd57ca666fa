import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.serving.bulk import Bulk

from .test_batcher import Costly, TwoSteps


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 99), max_size=40), st.integers(1, 3), st.booleans())
def test_answers_come_in_order(asked, sessions, two_steps):
    echo = (TwoSteps if two_steps else Costly)(sessions=sessions)
    with Bulk(echo, sessions) as bulk:
        answers = bulk.answer([{"n": n} for n in asked])
    assert [answer["n"] for answer in answers] == asked


def test_like_lengths_go_together_on_every_session():
    echo = TwoSteps(seconds=0.005, sessions=2)
    with Bulk(echo, 2) as bulk:
        bulk.answer([{"n": n} for n in range(1, 200)])
    assert echo.most == 2
    assert all(max(call) - min(call) == len(call) - 1 for call in echo.calls)


def test_an_error_is_raised():
    with Bulk(TwoSteps(), 1) as bulk, pytest.raises(ValueError, match="unreadable"):
        bulk.answer([{"n": "unreadable"}])
