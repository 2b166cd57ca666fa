"""Choosing a form: the fastest faithful one, held to what it is made from."""

from __future__ import annotations

import pytest

from luodi.contracts import Form, MissingPartError, TrainingError
from luodi.lifecycle.forms import Probe, _fastest

FLOAT32, INT8 = Form("float32", "onnxruntime"), Form("int8", "onnxruntime", "calibrated")
BFLOAT16 = Form("bfloat16", "openvino")


def probe(form: Form, pace: float, refused: str = "") -> Probe:
    return Probe(form, pace, 0.0, 0.0, 0.0, 1, refused)


@pytest.mark.parametrize(
    ("probes", "chosen"),
    [
        ([probe(FLOAT32, 100), probe(INT8, 190), probe(BFLOAT16, 200)], INT8),  # not worth it
        ([probe(FLOAT32, 100), probe(INT8, 150), probe(BFLOAT16, 210)], BFLOAT16),
        ([probe(FLOAT32, 100), probe(INT8, 300, "changes 9 %"), probe(BFLOAT16, 105)], FLOAT32),
    ],
)
def test_the_fastest_that_may_be_chosen_and_is_worth_it(probes, chosen):
    assert _fastest(probes, "auto").form == chosen


def test_a_form_that_is_asked_for_and_does_not_hold_is_an_error():
    with pytest.raises(TrainingError, match="int8 calibrated onnxruntime: changes 9 %"):
        _fastest([probe(INT8, 300, "changes 9 %")], "int8")


class _Run:
    """What `choose_form` asks of a run."""

    def __init__(self, serve, learner):
        from types import SimpleNamespace

        self.project = SimpleNamespace(serve=serve)
        self.task = SimpleNamespace(learners={"it": learner})


def test_a_runtime_that_is_not_there_is_told():
    from luodi.lifecycle.forms import _allowed
    from luodi.project.schema import ServeSettings

    forms = [FLOAT32, INT8]
    assert _allowed(_Run(ServeSettings(), None), forms) == forms
    assert _allowed(_Run(ServeSettings(form="int8"), None), forms) == [INT8]
    with pytest.raises(MissingPartError, match=r"luodi\[openvino\]"):
        _allowed(_Run(ServeSettings(runtime="openvino"), None), forms)
    with pytest.raises(MissingPartError, match="bfloat16"):
        _allowed(_Run(ServeSettings(form="bfloat16"), None), forms)
