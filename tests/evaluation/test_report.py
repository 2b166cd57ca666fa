"""The report as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable

import numpy as np
import pytest

from luodi.contracts import Bars, Interval, Lines
from luodi.evaluation.plain import plain
from luodi.evaluation.report import Report


def test_strict_json_and_back(report: Callable[..., Report]) -> None:
    made = dataclasses.replace(
        report(),
        metrics={"auc": Interval(math.nan, math.nan, math.inf)},
        sections=[
            Lines("c", "x", "y", {"s": [(0.0, math.nan)]}),
            Bars("b", ["l"], np.array([1.0, 2.0])),
        ],
    )
    written = json.dumps(made.to_json(), allow_nan=False)
    read = Report.from_json(json.loads(written))
    assert json.dumps(read.to_json(), allow_nan=False) == written
    assert math.isnan(read.metrics["auc"].value)
    assert [section.kind for section in read.sections] == ["lines", "bars"]


def test_everything_comes_back(report: Callable[..., Report]) -> None:
    made = report()
    read = Report.from_json(json.loads(json.dumps(made.to_json())))
    assert read.verdict == made.verdict
    assert read.baselines == made.baselines
    assert read.leak == made.leak
    assert read.metrics == made.metrics


def test_a_later_report_is_refused(report: Callable[..., Report]) -> None:
    with pytest.raises(ValueError, match="version 99"):
        Report.from_json({**report().to_json(), "report": 99})


def test_unknown_fields_are_passed_over(report: Callable[..., Report]) -> None:
    value = {**report().to_json(), "of_tomorrow": 1}
    assert Report.from_json(value).name == report().name


def test_numpy_and_strangers_become_plain() -> None:
    assert plain({"a": np.float64(1.5), 2: (np.int64(3), object)}) == {
        "a": 1.5,
        "2": [3, "<class 'object'>"],
    }
