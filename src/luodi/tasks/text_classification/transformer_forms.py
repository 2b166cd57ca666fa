"""The forms that an exported encoder can be kept in: what each file and its head say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from luodi.contracts import Form, Request
from luodi.tasks.text_classification.transformer_predictor import HEAD, MODEL, TOKENIZER
from luodi.tasks.text_classification.transformer_runtime import ONNXRUNTIME, OPENVINO

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPORTED = Form("float32", ONNXRUNTIME)
_CALIBRATION = 8
"""Rows of a calibration batch."""


def available_forms() -> list[Form]:
    """Those that this machine can make and run; first the one that is exported.

    bfloat16 only where the processor multiplies it: elsewhere OpenVINO computes it in float32, and
    it would be float32 under another name. No 8-bit integers under OpenVINO: with inputs of any
    length they crash the process on processors with tiles (openvinotoolkit/openvino, 37577).
    """
    forms = [
        EXPORTED,
        Form("int8", ONNXRUNTIME, "dynamic"),
        Form("int8", ONNXRUNTIME, "calibrated"),
    ]
    if find_spec("openvino") is not None:
        forms.append(Form("float32", OPENVINO))
        forms += [Form("bfloat16", OPENVINO)] if _multiplies_bfloat16() else []
    return forms


@cache
def _multiplies_bfloat16() -> bool:
    import openvino

    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in able


def write_form(exported: Path, form: Form, requests: Sequence[Request], folder: Path) -> None:
    """The model in `exported`, in another form; see `Compressible.compress`."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(exported / TOKENIZER, folder / TOKENIZER)
    head = json.loads((exported / HEAD).read_text(encoding="utf-8"))
    head["form"] = {
        "name": form.name,
        "runtime": form.runtime,
        "method": form.method,
        # What OpenVINO computes in; what is in 8-bit integers stays so.
        "precision": "bf16" if form.name == "bfloat16" else "f32",
    }
    (folder / HEAD).write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")
    source, target = exported / MODEL, folder / MODEL
    if form.method == "dynamic":
        from luodi.compression.quantise_rows import quantise_rows

        quantise_rows(source, target)
    elif form.method == "calibrated":
        from luodi.compression.quantise import quantise_calibrated

        quantise_calibrated(source, target, list(_samples(exported, head, requests)))
    else:
        shutil.copyfile(source, target)


def _samples(
    exported: Path, head: dict[str, Any], requests: Sequence[Request]
) -> Iterator[dict[str, NDArray[np.int64]]]:
    """Texts as batches of like length, as a service would put them together."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(exported / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(int(head["max_length"]))
    texts = [np.asarray(e.ids) for e in tokenizer.encode_batch([r["text"] for r in requests])]
    texts.sort(key=len)
    for start in range(0, len(texts), _CALIBRATION):
        some = texts[start : start + _CALIBRATION]
        shape = len(some), max(map(len, some))
        ids = np.full(shape, int(head["pad"]), dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        for place, text in enumerate(some):
            ids[place, : len(text)] = text
            mask[place, : len(text)] = 1
        yield {"input_ids": ids, "attention_mask": mask}
