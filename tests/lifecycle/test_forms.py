"""Choosing a form: the fastest faithful one, held to what it is made from."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from luodi.contracts import Form, MissingPartError, TrainingError
from luodi.lifecycle.forms import (
    Formed,
    _allowed,
    _fastest,
    _in_words,
    choose_form,
    form_sections,
    in_form,
)
from luodi.lifecycle.probing import Probe
from luodi.lifecycle.stages import write_json
from luodi.lifecycle.weighing import weigh
from luodi.project.schema import ServeSettings
from tests.watcher import Watcher

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


def test_a_form_is_compared_with_another_or_with_none(tmp_path):
    fast = [probe(FLOAT32, 100), probe(INT8, 190)]
    told = "Served as int8 calibrated onnxruntime: 1.9 times as fast as float32 onnxruntime, 0.0%"
    assert _in_words(Formed(tmp_path, INT8, fast)).startswith(told)
    alone = _in_words(Formed(tmp_path, INT8, fast[1:]))
    assert alone.startswith("Served as int8 calibrated onnxruntime: 0.0% of the validation")


@pytest.mark.parametrize(("chosen", "told"), [(FLOAT32, 0), (INT8, 1)])
def test_what_was_chosen_over_nothing_is_not_told(tmp_path, chosen, told):
    learner = SimpleNamespace(forms=lambda: [FLOAT32, INT8], compress=print)
    watcher = Watcher()
    run = _Run(ServeSettings(), learner)
    run.observer = watcher
    run.project.gate = {}
    facts = {"chosen": asdict(chosen), "made": False, "rows": 9,
             "probes": [asdict(probe(FLOAT32, 100)), asdict(probe(INT8, 190))]}  # fmt: skip
    write_json(tmp_path / "form.json", facts)
    run.stages = SimpleNamespace(run=lambda *_: tmp_path)
    trained = SimpleNamespace(recipe=SimpleNamespace(learner="it"), exported=tmp_path / "export")
    assert choose_form(run, trained, None).form == chosen
    assert len(watcher.told) == told


def test_what_is_learnt_once_more_is_served_in_the_form_that_was_chosen(tmp_path, monkeypatch):
    monkeypatch.setattr("luodi.lifecycle.forms.calibration_requests", lambda run, cut: ["a row"])
    made = []
    learner = SimpleNamespace(
        forms=lambda: [FLOAT32, INT8], compress=lambda *each: made.append(each)
    )
    run = _Run(ServeSettings(), learner)

    def stage(name, inputs, work):
        work(tmp_path / name, None)
        return tmp_path / name

    run.stages = SimpleNamespace(run=stage)
    recipe = SimpleNamespace(learner="it")
    chosen, again = (
        SimpleNamespace(recipe=recipe, exported=tmp_path / name / "export") for name in "ab"
    )
    plain = Formed(chosen.exported, FLOAT32, [probe(FLOAT32, 100)], 9)
    small = replace(plain, exported=tmp_path / "form" / "export", form=INT8)
    for formed in (plain, small, Formed(chosen.exported, None)):
        assert in_form(run, chosen, chosen, formed, None) is formed  # nothing was learnt again
    assert in_form(run, again, chosen, plain, None) == replace(plain, exported=again.exported)
    alone = in_form(run, again, chosen, Formed(chosen.exported, None), None)
    assert (alone.exported, alone.form) == (again.exported, None)
    assert not made
    found = in_form(run, again, chosen, small, None)
    place = tmp_path / "form-refit" / "export"
    assert made == [(again.exported, INT8, ["a row"], place)]
    assert (found.exported, found.form, found.probes, found.rows) == (place, INT8, plain.probes, 9)


def test_a_form_that_is_asked_for_and_does_not_hold_is_an_error():
    with pytest.raises(TrainingError, match="int8 calibrated onnxruntime: changes 9 %"):
        _fastest([probe(INT8, 300, "changes 9 %")], "int8")


class _Run:
    """What `choose_form` asks of a run."""

    def __init__(self, serve, learner):
        self.project = SimpleNamespace(serve=serve)
        self.task = SimpleNamespace(learners={"it": learner})


def test_a_runtime_that_is_not_there_is_told():
    forms = [FLOAT32, INT8]
    assert _allowed(_Run(ServeSettings(), None), forms) == forms
    assert _allowed(_Run(ServeSettings(form="int8"), None), forms) == [INT8]
    with pytest.raises(MissingPartError, match=r"luodi\[openvino\]"):
        _allowed(_Run(ServeSettings(runtime="openvino"), None), forms)
    with pytest.raises(MissingPartError, match="bfloat16"):
        _allowed(_Run(ServeSettings(form="bfloat16"), None), forms)


def test_the_forms_stand_side_by_side_with_the_gate_on_the_validation_part():
    line = {"passed": True, "reason": "Accuracy: 0.91 holds >= 0.9."}
    missed = {"passed": False, "reason": "Accuracy: 0.88 misses >= 0.9."}
    probes = [
        Probe(FLOAT32, 100.4, 0.0, 0.0, 0.0, 90_000_000, "", 0.92, 310_000_000, {"lines": [line]}),
        Probe(INT8, 190.0, 0.08, 0.02, 0.0, 60_000_000, "changes 8.0% of the answers", 0.90,
              230_000_000, {"lines": [line, missed]}),
        Probe(BFLOAT16, 180.0, 0.002, 0.0, 0.0, 90_000_000, "", 0.92, 0, {"lines": [line]}),
    ]  # fmt: skip
    (table,) = form_sections(Formed(Path("exported"), FLOAT32, probes, 512))
    assert "512 rows of the validation part" in table.note
    assert "test part" in table.note
    assert table.rows[0] == ["float32 onnxruntime", 100, 310, 90.0, 0.92, "0.0%", "holds", "yes"]
    assert table.rows[1][-2:] == [missed["reason"], "changes 8.0% of the answers"]
    assert table.rows[2][2] is None  # not measured, and not nothing
    assert table.rows[2][-1] == "could be"
    assert form_sections(Formed(Path("exported"), FLOAT32)) == []


def test_a_model_is_weighed_in_a_process_of_its_own(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "bundle" / "tiny"))
    from tiny_bundle import export

    folder = export(tmp_path / "model")
    requests = [{"text": "great"}, {"text": "awful"}]
    small = weigh("tiny", "words", folder, requests)
    assert 5e6 < small < 3e8
    words = {f"word{n}": float(n) for n in range(400_000)}
    large = weigh("tiny", "words", export(tmp_path / "large", words), requests)
    assert large - small > 2e7  # it is the model that is weighed
    with pytest.raises(RuntimeError, match=r"weights\.json"):
        weigh("tiny", "words", tmp_path / "nothing", requests)
