from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from luodi.contracts import Compressible, Form, MissingPartError
from luodi.tasks.text_classification import task
from luodi.tasks.text_classification.transformer import TransformerLearner
from luodi.tasks.text_classification.transformer_forms import EXPORTED, available_forms
from luodi.tasks.text_classification.transformer_predictor import TransformerPredictor
from luodi.tasks.text_classification.transformer_runtime import OnnxRuntime, OpenVino, rounded
from tests.tasks.text_classification.test_transformer import TRAIN, VALID, _fit

LEARNER = TransformerLearner()
BY_ROW = Form("int8", "onnxruntime", "dynamic")
CALIBRATED = Form("int8", "onnxruntime", "calibrated")
BFLOAT16 = Form("bfloat16", "openvino")
OPENVINO = Form("float32", "openvino")
needs_openvino = pytest.mark.skipif(
    OPENVINO not in available_forms(), reason="openvino is not installed"
)


@pytest.fixture(scope="module")
def exported(base: str, own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    _fit(base, folder).export(folder / "model")
    return folder / "model"


def _made(exported: Path, form: Form, folder: Path) -> TransformerPredictor:
    samples = task.requests(TRAIN, task.schema(TRAIN))[:64]
    LEARNER.compress(exported, form, samples, folder)
    return TransformerPredictor.load(folder, 1)


def _numbers(predictor: TransformerPredictor, requests: Any) -> Any:
    answers = predictor.predict(requests)
    return np.array([list(answer["probabilities"].values()) for answer in answers])


REQUESTS = task.requests(VALID, task.schema(TRAIN))


def test_the_learner_says_which_forms_there_are() -> None:
    assert isinstance(LEARNER, Compressible)
    assert LEARNER.forms()[0] == EXPORTED
    assert CALIBRATED in LEARNER.forms()


@needs_openvino
def test_bfloat16_is_offered_where_the_processor_multiplies_it() -> None:
    import openvino

    able = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert (BFLOAT16 in available_forms()) == able


@pytest.mark.parametrize("form", available_forms()[1:], ids=str)
def test_each_form_answers_nearly_as_the_exported_model(
    exported: Path, tmp_path: Path, form: Form
) -> None:
    expected = _numbers(TransformerPredictor.load(exported, 1), REQUESTS)
    found = _numbers(_made(exported, form, tmp_path), REQUESTS)
    assert np.abs(found - expected).max() < (1e-4 if form.name == "float32" else 0.15)
    if form.name == "int8":  # it is another file, and a smaller one
        sizes = [(place / "model.onnx").stat().st_size for place in (exported, tmp_path)]
        assert sizes[1] != sizes[0]
        assert not np.array_equal(found, expected)


@pytest.mark.parametrize("form", [BY_ROW, CALIBRATED], ids=str)
def test_integers_do_not_depend_on_the_rest_of_the_call(
    exported: Path, tmp_path: Path, form: Form
) -> None:
    predictor = _made(exported, form, tmp_path)
    together = _numbers(predictor, REQUESTS[:20])
    alone = np.concatenate([_numbers(predictor, [request]) for request in REQUESTS[:20]])
    # A sum in another order may fall on the other side of a step of 1/255.
    assert np.abs(together - alone).max() < 0.02


@needs_openvino
def test_what_was_judged_on_openvino_is_refused_without_it(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made(exported, BFLOAT16, tmp_path)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingPartError, match=r"luodi\[openvino\]"):
        TransformerPredictor.load(tmp_path, 1)


@needs_openvino
def test_calls_at_once_do_not_mix(exported: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    predictor = _made(exported, BFLOAT16, tmp_path)
    expected = _numbers(predictor, REQUESTS)
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda n: _numbers(predictor, [REQUESTS[n % 60]])[0], range(240)))
    for place, found in enumerate(rows):
        np.testing.assert_allclose(found, expected[place % 60], atol=0.02)


@needs_openvino
def test_texts_are_filled_up_to_few_lengths_and_answered_alike(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each shape that OpenVINO has not met costs it as much as an answer, and memory for good."""
    runtime = OpenVino(exported / "model.onnx", "f32", 1, longest=61)
    exact = OnnxRuntime(exported / "model.onnx", 1)
    shapes = set()

    class Seen:
        def __init__(self, request: Any) -> None:
            self.request, self.get_output_tensor = request, request.get_output_tensor

        def infer(self, feeds: dict[str, Any]) -> None:
            shapes.add(feeds["input_ids"].shape[1])
            self.request.infer(feeds)

    real = runtime._model.create_infer_request
    monkeypatch.setattr(
        runtime, "_model", SimpleNamespace(create_infer_request=lambda: Seen(real()))
    )
    runtime._idle.clear()  # what it asked itself with
    for length in range(2, 62):
        ids = np.random.default_rng(length).integers(5, 40, (2, length))
        mask = np.ones_like(ids)
        mask[1, length // 2 :] = 0
        np.testing.assert_allclose(runtime.scores(ids, mask), exact.scores(ids, mask), atol=1e-4)
    assert shapes == {8, 16, 24, 32, 40, 48, 56, 61}  # never more than the model can take
    assert rounded(65) == 80
    assert rounded(256) == 256


FIRST = """
import sys, threading
from pathlib import Path
import numpy as np
from luodi.tasks.text_classification.transformer_runtime import OpenVino

runtime = OpenVino(Path(sys.argv[1]), "f32", 1, 32)
together = threading.Barrier(4)


def ask():
    together.wait()
    runtime.scores(np.ones((1, 20), np.int64), np.ones((1, 20), np.int64))


threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@needs_openvino
def test_threads_that_are_first_together_are_answered(exported: Path) -> None:
    """Two of six such processes hung for good before it was asked once by itself."""
    script = [sys.executable, "-c", FIRST, str(exported / "model.onnx")]
    for _ in range(3):
        subprocess.run(script, timeout=60, check=True)
