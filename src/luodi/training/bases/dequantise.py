"""From an int8 ONNX encoder back to a Transformers folder, checked against the ONNX output.

Dynamic quantisation stores each weight matrix as integers q with a scale and a zero point, a
pair for each output column: w = (q - zero_point) * scale (ONNX operators MatMulInteger and
DequantizeLinear). Exporters lose the names of matrices but keep those of biases, so a matrix is
named by the bias that is added to its product.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import BaseModelError, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAST_COSINE = 0.98
"""Weights of 7 or 8 bits and rounded activations leave about 0.994 of cosine; a wrong or
transposed matrix leaves next to none."""
_PROBES = (
    "今天天气很好，适合出去走走。",
    "这本书的内容很充实，印刷也不错。",
    "The parcel arrived two days late and the box was damaged.",
    "手机",
)


def dequantise(source: Path, target: Path) -> float:
    """Write `target` (config, tokenizer, model.safetensors) from `source` (onnx/*quantized.onnx).

    Returns:
        The smallest cosine between the two models' outputs over a few texts.

    Raises:
        BaseModelError: when the graph is not such an encoder, or the outputs disagree.
    """
    import numpy as np
    import onnx
    from safetensors.numpy import save_file

    graph_path = next(iter(sorted(source.glob("onnx/*quantized.onnx"))), None)
    if graph_path is None:
        raise BaseModelError(
            say(
                f"{source.name} has no onnx/*quantized.onnx.",
                f"{source.name} 中没有 onnx/*quantized.onnx。",
            )
        )
    target.mkdir(parents=True, exist_ok=True)
    for path in source.glob("*"):
        if path.is_file():
            name = "README.md" if path.name == "README.model.md" else path.name
            shutil.copyfile(path, target / name)
    tensors = _float_tensors(onnx.load(graph_path).graph)
    save_file(
        {name: np.ascontiguousarray(value) for name, value in tensors.items()},
        target / "model.safetensors",
        metadata={"format": "pt"},
    )
    cosine = _compare(graph_path, target)
    if not cosine >= _LEAST_COSINE:
        raise BaseModelError(
            say(
                f"The dequantised {source.name} agrees with its ONNX model to a cosine of "
                f"{cosine:.3f} only.",
                f"反量化后的 {source.name} 与其 ONNX 模型的余弦相似度只有 {cosine:.3f}。",
            ),
            say(f"Expected {_LEAST_COSINE} or more.", f"应不低于 {_LEAST_COSINE}。"),
            say("Take the base from another place.", "请从别处获取此基座模型。"),
        )
    return cosine


def _float_tensors(graph: Any) -> dict[str, NDArray[np.float32]]:
    """Every weight under its Transformers name, in float32, as torch lays it out."""
    import numpy as np
    from onnx import numpy_helper

    stored = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    tensors: dict[str, NDArray[np.float32]] = {
        name: value.astype(np.float32)
        for name, value in stored.items()
        if value.dtype == np.float32 and name.endswith((".bias", ".weight"))
    }
    suffix = ".weight_quantized"
    for name in [name for name in stored if name.endswith(suffix)]:  # embedding tables
        stem = name.removesuffix("_quantized")
        tensors[stem] = _to_float(stored, stem)
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            bias = _bias_after(node, users, stored)
            stem = node.input[1].removesuffix("_quantized")
            # ONNX multiplies x @ w, with w (in, out); torch keeps (out, in).
            tensors[bias.removesuffix("bias") + "weight"] = _to_float(stored, stem).T
    return tensors


def _to_float(stored: dict[str, NDArray[Any]], stem: str) -> NDArray[np.float32]:
    import numpy as np

    quantised = stored[f"{stem}_quantized"].astype(np.int32)
    zero = stored[f"{stem}_zero_point"].astype(np.int32)
    result: NDArray[np.float32] = (quantised - zero).astype(np.float32) * stored[f"{stem}_scale"]
    return result


def _bias_after(node: Any, users: dict[str, list[Any]], stored: dict[str, NDArray[Any]]) -> str:
    """The name of the bias added to a product, through the cast and the scaling between."""
    current = node
    for _ in range(4):
        following = users.get(current.output[0], [])
        if len(following) != 1:
            break
        current = following[0]
        if current.op_type == "Add":
            for name in current.input:
                if name in stored and name.endswith(".bias"):
                    return str(name)
            break
    raise BaseModelError(
        say(
            f"The matrix {node.input[1]} is followed by no named bias.",
            f"矩阵 {node.input[1]} 之后没有带名字的偏置。",
        ),
        say(
            "Expected a BERT encoder quantised dynamically.",
            "应为动态量化的 BERT 编码器。",
        ),
    )


def _compare(graph_path: Path, folder: Path) -> float:
    """The smallest cosine over the probes, (texts, tokens, hidden) flattened text by text."""
    import numpy as np
    import onnxruntime as ort
    import torch
    from tokenizers import Tokenizer

    from luodi.training.encoder import load_encoder

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    session = ort.InferenceSession(str(graph_path), providers=["CPUExecutionProvider"])
    encoder = load_encoder(folder).eval()
    cosines = []
    for text in _PROBES:
        ids = np.asarray([tokenizer.encode(text).ids], dtype=np.int64)
        feeds = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        wanted = {item.name for item in session.get_inputs()}
        old = session.run(None, {k: v for k, v in feeds.items() if k in wanted})[0].ravel()
        with torch.inference_mode():
            new = (
                encoder(input_ids=torch.from_numpy(ids), attention_mask=torch.ones(ids.shape))
                .last_hidden_state.numpy()
                .ravel()
            )
        cosines.append(float(old @ new / (np.linalg.norm(old) * np.linalg.norm(new))))
    return min(cosines)
