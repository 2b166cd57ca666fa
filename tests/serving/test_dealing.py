from collections import Counter

import pytest

from luodi.registry import Challenger, Route
from luodi.serving.dealing import Deal, deal, placed

BETA = ("X-Beta", "yes")


def dealt(route, count=4000, **headers):
    return Counter(deal("m", route, headers).challenger for _ in range(count))


def test_without_challengers_the_champion_answers():
    assert deal("m", Route(), {}) == Deal()


def test_shares_are_kept():
    route = Route((Challenger("a", "canary", 10), Challenger("b", "canary", 30)))
    found = dealt(route, 20_000)
    assert found["a"] / 20_000 == pytest.approx(0.10, abs=0.01)
    assert found["b"] / 20_000 == pytest.approx(0.30, abs=0.015)


def test_a_header_goes_before_shares():
    route = Route((Challenger("a", "canary", 100), Challenger("b", "canary", 0, BETA)))
    assert deal("m", route, {"x-beta": "yes"}).challenger == "b"
    assert deal("m", route, {"x-beta": "no"}).challenger == "a"
    assert deal("m", Route((Challenger("b", "canary", 0, BETA),)), {}).challenger == ""


def test_a_caller_with_a_key_stays_and_a_growing_share_keeps_those_it_had():
    def had(percent):
        route = Route((Challenger("a", "canary", percent),), "X-User")
        return {n for n in range(3000) if deal("m", route, {"x-user": str(n)}).challenger == "a"}

    ten, again, thirty = had(10), had(10), had(30)
    assert ten == again
    assert ten < thirty
    assert len(ten) / 3000 == pytest.approx(0.1, abs=0.02)
    assert len(thirty) / 3000 == pytest.approx(0.3, abs=0.03)


def test_keys_are_spread_anew_for_each_model():
    same = sum((placed("m", str(n)) < 50) == (placed("n", str(n)) < 50) for n in range(2000))
    assert 850 < same < 1150
    assert 0 <= placed("模型", "\ud800") < 100


def test_shadows_answer_beside_and_by_their_share():
    route = Route((Challenger("s", "shadow", 25), Challenger("c", "canary", 50)))
    deals = [deal("m", route, {}) for _ in range(8000)]
    assert sum(each.shadows == ("s",) for each in deals) / 8000 == pytest.approx(0.25, abs=0.02)
    assert {each.challenger for each in deals} == {"", "c"}
