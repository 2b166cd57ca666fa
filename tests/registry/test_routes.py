import pytest

from luodi.contracts import RegistryError
from luodi.registry import REFUSED, Challenger, Registry, Route
from luodi.registry.routes import header_rule


@pytest.fixture
def three(home, make):
    registry = Registry(home)
    return registry, [registry.add(make(weight=float(n))).version for n in (1, 2, 3)]


def test_a_route_survives_and_its_changes_are_acts(three, home):
    registry, (one, two, _) = three
    assert registry.route("tiny") == Route()
    route = Route(
        (
            Challenger(one, "canary", 12.5, ("X-Beta", "yes")),
            Challenger(two, "shadow", 100.0),
        ),
        "X-User",
    )
    registry.set_route("tiny", route, "an order")
    assert Registry(home).route("tiny") == route
    registry.set_route("tiny", route.without(one))
    assert [each.version for each in Registry(home).route("tiny").challengers] == [two]
    assert registry.check_acts() == []


@pytest.mark.parametrize(
    "challengers",
    [
        lambda v: (Challenger(v[2], "canary", 10),),  # the champion itself
        lambda v: (Challenger(v[0], "canary", 10), Challenger(v[0], "shadow", 10)),
        lambda v: (Challenger(v[0], "canary", 60), Challenger(v[1], "canary", 41)),
        lambda v: (Challenger(v[0], "shadow", -1),),
        lambda v: (Challenger(v[0], "shadow", float("nan")),),
        lambda v: (Challenger("ffffffffffff", "canary", 10),),
    ],
)
def test_a_route_that_cannot_be_dealt_is_refused(three, challengers):
    registry, versions = three
    with pytest.raises(RegistryError):
        registry.set_route("tiny", Route(challengers(versions)))
    assert registry.route("tiny") == Route()


@pytest.mark.parametrize("text", ["", "X-Beta", ": yes", "X Beta: y", "X-Beta: \n", "X: é"])
def test_a_header_rule_is_a_header(text):
    with pytest.raises(RegistryError, match="Name: value"):
        header_rule(text)


def test_the_champion_is_production_and_else_the_newest_that_passed(three, make):
    registry, (one, _, three_) = three
    registry.add(make(weight=4.0), verdict=REFUSED)
    assert registry.champion("tiny").version == three_
    registry.set_alias("tiny", one, "production")
    assert registry.champion("tiny").version == one


def test_rollbacks_go_back_and_never_forward(three):
    registry, (one, two, three_) = three
    for version in (one, two, three_):
        registry.set_alias("tiny", version, "production")
    before, now = registry.rollback("tiny")
    assert (before.version, now.version) == (three_, two)
    assert registry.rollback("tiny")[1].version == one
    with pytest.raises(RegistryError, match="promote"):
        registry.rollback("tiny")
    registry.set_alias("tiny", three_, "production")
    assert registry.rollback("tiny")[1].version == one
    assert registry.check_acts() == []


def test_a_rollback_without_an_alias_goes_to_the_passed_version_before(three):
    registry, (one, two, _) = three
    assert registry.rollback("tiny")[1].version == two
    assert registry.rollback("tiny")[1].version == one


def test_of_two_who_roll_the_same_version_back_one_does(three):
    registry, (_, two, three_) = three
    registry.rollback("tiny", instead_of=three_)
    with pytest.raises(RegistryError, match="by now"):
        registry.rollback("tiny", instead_of=three_)
    assert registry.champion("tiny").version == two


def test_the_stamp_changes_with_every_commit_and_with_nothing_else(three, home):
    registry, (one, *_) = three
    stamp = registry.stamp()
    registry.versions("tiny")
    assert Registry(home).stamp() == stamp
    for _ in range(3):
        registry.set_alias("tiny", one, "staging")
        assert registry.stamp() != stamp
        stamp = registry.stamp()


def test_a_registry_of_the_first_tables_is_brought_up(home, make, monkeypatch):
    from luodi.registry import store

    monkeypatch.setattr(store, "HEAD", "0001")
    monkeypatch.setattr("luodi.registry.acts.check", lambda connection: [])
    old = Registry(home)
    version = old.add(make()).version
    monkeypatch.undo()
    new = Registry(home)
    assert new.route("tiny") == Route()
    assert new.champion("tiny").version == version
    assert new.check_acts() == []
