"""The environment that a bundle names is the one that the library knows."""

from __future__ import annotations

from importlib.metadata import distributions

from luodi.bundle.environment import _named, environment


def test_names_and_versions_are_those_of_the_whole_metadata():
    found = list(distributions())
    assert found
    for each in found:
        assert _named(each) == (each.metadata["Name"], each.version)
    assert "numpy" in environment()["packages"]
