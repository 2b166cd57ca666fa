"""What computes an exported encoder's scores: ONNX Runtime, or OpenVINO where it is installed."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from luodi.compression.parity import onnx_session
from luodi.contracts import BundleError, JsonValue, MissingPartError, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ids = NDArray[Any]

ONNXRUNTIME, OPENVINO = "onnxruntime", "openvino"


class Runtime(Protocol):
    """Computes scores; is safe to call from several threads.

    Attributes:
        run_tokens: padded tokens that are best computed in one run. More leave the processor's
            cache, and take memory for what lies between the layers; fewer cost a run's own time
            too often.
    """

    run_tokens: int

    def scores(self, ids: Ids, mask: Ids) -> NDArray[Any]:
        """(n, t) token ids and 0/1 mask, both int64, to (n, k) scores in float32."""


def open_runtime(model: Path, form: Mapping[str, JsonValue], threads: int, longest: int) -> Runtime:
    """The runtime that a bundle was judged with, over its model file.

    Args:
        model: an ONNX file with the inputs `input_ids` and `attention_mask`.
        form: how the model is kept and run: `runtime` and `precision`; ONNX Runtime in float32
            where they are left out.
        threads: threads of one call.
        longest: tokens that the model can take.

    Raises:
        MissingPartError: when the bundle was judged with a runtime that is not installed.
        BundleError: when the bundle names a runtime that there is not.
    """
    name = form.get("runtime", ONNXRUNTIME)
    if name == ONNXRUNTIME:
        return OnnxRuntime(model, threads)
    if name == OPENVINO:
        return OpenVino(model, str(form.get("precision", "f32")), threads, longest)
    raise BundleError(
        say(f"The bundle runs on {name!r}.", f"该模型包的运行时为 {name!r}。"),
        say(f"Expected {ONNXRUNTIME} or {OPENVINO}.", f"应为 {ONNXRUNTIME} 或 {OPENVINO}。"),
        say("Install the version that made it.", "请安装制作它的版本。"),
    )


class OnnxRuntime:
    """One session. With one thread, each caller computes in its own: calls share the weights and
    nothing else, so that many run at once."""

    run_tokens = 256

    def __init__(self, model: Path, threads: int) -> None:
        self._session = onnx_session(model, threads)
        self._inputs = {item.name for item in self._session.get_inputs()}

    def scores(self, ids: Ids, mask: Ids) -> NDArray[Any]:
        """See `Runtime`."""
        feeds = {"input_ids": ids, "attention_mask": mask}
        found: NDArray[Any] = self._session.run(
            None, {name: value for name, value in feeds.items() if name in self._inputs}
        )[0]
        return found


def rounded(length: int) -> int:
    """Tokens to which texts are filled up: a multiple of 8, above 64 of 16.

    OpenVINO prepares itself for each shape it has not met, which takes as long as an answer, and
    keeps what it prepared: by exact lengths a service would go on growing and preparing.
    """
    step = 8 if length <= 64 else 16
    return -(-length // step) * step


class OpenVino:
    """One compiled model, and an inference request for each call that runs at once."""

    run_tokens = 1024
    """A run costs it more by itself: about 50 tokens in bfloat16."""

    def __init__(self, model: Path, precision: str, threads: int, longest: int) -> None:
        try:
            import openvino
        except ImportError as error:
            raise MissingPartError(
                say(
                    "This bundle was judged on OpenVINO, which is not installed here.",
                    "该模型包是在 OpenVINO 上评估的，而本机未安装 OpenVINO。",
                ),
                say(
                    "Another runtime would answer otherwise than what was judged.",
                    "换用其他运行时，答案将与评估时不同。",
                ),
                say(
                    "pip install 'luodi[openvino]', or package the model again with "
                    "serve.runtime: onnxruntime.",
                    "请执行 pip install 'luodi[openvino]'，"
                    "或以 serve.runtime: onnxruntime 重新打包。",
                ),
            ) from error
        # As many calls at once as this process's cores have room for.
        streams = max(1, len(os.sched_getaffinity(0)) // max(threads, 1))
        self._model = openvino.Core().compile_model(
            str(model),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": precision,
                "NUM_STREAMS": streams,
                "INFERENCE_NUM_THREADS": streams * max(threads, 1),
                # Pinned to cores, the threads of two workers would share one and leave another.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._longest = longest
        self._inputs = {name for port in self._model.inputs for name in port.names}
        self._idle: list[Any] = []
        self._lock = threading.Lock()
        # Once, alone: what the binding makes for itself at its first call takes a lock of C++'s and
        # Python's, and two threads that are first together wait for each other for good.
        first = np.ones((1, min(8, longest)), np.int64)
        self.scores(first, first)

    def scores(self, ids: Ids, mask: Ids) -> NDArray[Any]:
        """See `Runtime`."""
        with self._lock:
            request = self._idle.pop() if self._idle else self._model.create_infer_request()
        try:
            length = ids.shape[1]
            # No position lies beyond the last that the model knows.
            room = ((0, 0), (0, max(min(rounded(length), self._longest) - length, 0)))
            feeds = {"input_ids": np.pad(ids, room), "attention_mask": np.pad(mask, room)}
            # Into the request's own memory: what it is lent, it may look at once too often.
            request.infer({name: value for name, value in feeds.items() if name in self._inputs})
            # A copy: the request's own memory is written over by its next call.
            found: NDArray[Any] = request.get_output_tensor(0).data.copy()
        finally:
            with self._lock:
                self._idle.append(request)
        return found
