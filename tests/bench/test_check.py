"""A wrong ratio does not pass: faults are planted in the file, in the clock, in the arithmetic."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.finetune import arithmetic
from bench.finetune.arithmetic import Bounds
from bench.finetune.check import check_document
from bench.finetune.results import make_document
from luodi.contracts import DataError

from .conftest import MACHINE, ROWS

FACTS = {"date": "2026-01-01", "machine": MACHINE, "threads": 2, "base": {"name": "minilm-en"}}


def made(measurements: list[dict[str, Any]]) -> dict[str, Any]:
    document = make_document(measurements, ROWS, (0.90, 0.92), 0.92, FACTS)
    again: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    return again


def test_a_right_file_is_confirmed(measurements: list[dict[str, Any]]) -> None:
    # 2 scripts x 2 targets x 2 clocks x 3 seeds, and 3 seeds to the script's end
    assert check_document(made(measurements)) == 27


def test_an_end_that_is_not_so_is_noticed(measurements: list[dict[str, Any]]) -> None:
    document = made(measurements)
    document["to_its_end"]["3"]["ratio"] *= 1.001
    with pytest.raises(DataError, match="Seed 3"):
        check_document(document)


@pytest.mark.parametrize("place", ["ratios", "median", "spread"])
def test_a_changed_number_is_noticed(measurements: list[dict[str, Any]], place: str) -> None:
    document = made(measurements)
    stated = document["compared"][2]
    pair = stated["ratios"]["1"] if place == "ratios" else stated[place]
    pair["low"] *= 1.001
    with pytest.raises(DataError, match="its measurements say"):
        check_document(document)


def test_a_lower_bound_sold_as_a_ratio_is_noticed(measurements: list[dict[str, Any]]) -> None:
    document = made(measurements)
    stated = next(c for c in document["compared"] if c["ratios"]["2"]["high"] is None)
    stated["ratios"]["2"]["high"] = stated["ratios"]["2"]["low"]
    with pytest.raises(DataError, match="seed 2"):
        check_document(document)


def test_a_seed_left_out_is_noticed(measurements: list[dict[str, Any]]) -> None:
    document = made(measurements)
    del document["compared"][0]["ratios"]["3"]
    with pytest.raises(DataError, match="seeds"):
        check_document(document)


def test_a_quotient_upside_down_is_noticed(
    measurements: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Bounds.__truediv__
    monkeypatch.setattr(Bounds, "__truediv__", lambda self, other: right(other, self))
    with pytest.raises(DataError):
        check_document(made(measurements))


def test_a_target_missed_but_taken_as_reached_is_noticed(
    measurements: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(curve: Any, target: float, clock: str) -> Bounds:
        return Bounds(curve[-1][clock], curve[-1][clock])

    monkeypatch.setattr(arithmetic, "time_to", careless)
    with pytest.raises(DataError):
        check_document(made(measurements))


def test_looking_left_on_the_clock_is_noticed(measurements: list[dict[str, Any]]) -> None:
    script = next(m for m in measurements if m["contestant"] == "default")
    script["curve"][-1]["whole_seconds"] += script["evaluation_seconds"]
    with pytest.raises(DataError, match="were counted of a process"):
        check_document(made(measurements))


def test_a_clock_that_goes_back_is_noticed(measurements: list[dict[str, Any]]) -> None:
    measurements[2]["curve"][1]["train_seconds"] = 1.0
    with pytest.raises(DataError, match="does not go on"):
        check_document(made(measurements))


def test_a_measurement_counted_twice_is_noticed(measurements: list[dict[str, Any]]) -> None:
    with pytest.raises(DataError, match="twice"):
        check_document(made([*measurements, measurements[0]]))
