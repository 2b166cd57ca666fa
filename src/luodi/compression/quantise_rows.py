"""Matrix products in 8-bit integers, each row by its own scale: an ONNX file in float32 to one a
quarter of its size whose answers do not depend on what else is in the call.

The library's dynamic quantisation takes one scale for all numbers of a call, so a single one far
out coarsens every row of it, and a text's answer moves with the texts beside it. Here every row
(a token) is scaled by its own largest number, as LLM.int8() does (Dettmers et al. 2022), and every
column of the weights by its own:

    x (n, K) float32 --|largest| / 127--> s (n, 1);  q = round(x / s) + 128   (n, K) uint8
    q (n, K) @ w (K, N) int8 -> int32, exact -> y (n, N) = (product - 128 sum w) * s * s_w
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.compression.graph import graphs_of, save_graph
from luodi.contracts import TrainingError, say

_ROW = 127
_MIDDLE = 128
_WEIGHT = 63
"""The largest weight. Processors without 8-bit dot products add two products of 8 bits in 16: with
weights of 7 bits no sum overflows, and every processor finds the same integers."""
_LEAST = 1e-30
"""For a largest number: rows of zeros have a scale too."""
_LARGE = 1 << 16
"""Numbers of a table from which on keeping it in 8 bits is worth three more nodes."""
_OLDEST, _AXES_AS_INPUT = 13, 18
"""The ONNX version since which rows can have scales, and since which axes are an input."""


def quantise_rows(source: Path, target: Path) -> None:
    """Write `source` with its products by constant matrices, and its tables of embeddings, in
    8 bits.

    Raises:
        TrainingError: the file is of an ONNX version without scales by row.
    """
    import onnx

    model = onnx.load(str(source))
    version = max(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    if version < _OLDEST:
        raise TrainingError(
            say(f"The graph is of ONNX version {version}.", f"该计算图的 ONNX 版本为 {version}。"),
            say(f"Expected {_OLDEST} or later.", f"应为 {_OLDEST} 或更高。"),
        )
    _Rewriting(model, version).done()
    if "com.microsoft" not in {item.domain for item in model.opset_import}:
        model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    save_graph(model, target)


class _Rewriting:
    """A model's nodes, taken over one by one."""

    def __init__(self, model: Any, version: int) -> None:
        self._model, self._version = model, version
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._rows: dict[str, str] = {}
        """A value -> the names' beginning of its rows in 8 bits."""

    def done(self) -> None:
        """Rewrite the graph; what nobody reads any more is left out."""
        graph = self._model.graph
        for node in graph.node:
            matrix = self._matrix(node)
            if matrix is None:
                self._nodes.append(node)
            elif node.op_type == "MatMul":
                self._product(node, matrix)
            else:
                self._lookup(node, matrix)
        del graph.node[:]
        graph.node.extend(self._nodes)
        read = {item.name for item in graph.output}
        for each in graphs_of(self._model):
            read.update(name for node in each.node for name in node.input)
        kept = [tensor for tensor in graph.initializer if tensor.name in read]
        del graph.initializer[:]
        graph.initializer.extend([*kept, *self._constants.values()])

    def _matrix(self, node: Any) -> NDArray[np.float32] | None:
        """The constant matrix that a node multiplies by or looks rows up in, where it does."""
        from onnx import TensorProto, numpy_helper

        place = {"MatMul": 1, "Gather": 0}.get(node.op_type)
        tensor = None if place is None else self._weights.get(node.input[place])
        if tensor is None or len(tensor.dims) != 2 or tensor.data_type != TensorProto.FLOAT:
            return None
        if node.op_type == "Gather" and (
            any(item.name == "axis" and item.i != 0 for item in node.attribute)
            or np.prod(tensor.dims) < _LARGE
        ):
            return None
        found: NDArray[np.float32] = numpy_helper.to_array(tensor)
        return found

    def _product(self, node: Any, matrix: NDArray[np.float32]) -> None:
        """x @ w; its result has the name that it had."""
        value, weight = node.input
        rows, wide = self._in_rows(value, len(matrix)), matrix.shape[1]
        scale = _steps(matrix, 0, _WEIGHT)[0]
        own = f"product/{node.output[0]}"
        product = self._add(
            "MatMulIntegerToFloat",
            [
                f"{rows}/q",
                self._constant(f"matrix/{weight}/q", np.rint(matrix / scale).astype(np.int8)),
                self._constant("constant/one", np.array(1, np.float32)),
                self._constant(f"matrix/{weight}/s", scale),
                self._constant("constant/middle", np.array(_MIDDLE, np.uint8)),
            ],
            f"{own}/product", domain="com.microsoft",
        )  # fmt: skip
        scaled = self._add("Mul", [product, f"{rows}/s"], f"{own}/scaled")
        width = self._constant(f"constant/wide {wide}", np.array([wide], np.int64))
        shape = self._add("Concat", [f"{rows}/lead", width], f"{own}/shape", axis=0)
        self._add("Reshape", [scaled, shape], node.output[0])

    def _in_rows(self, value: str, width: int) -> str:
        """(..., K) as (n, K) uint8 with a scale each; made once for all that multiply it."""
        from onnx import TensorProto, helper

        if (known := self._rows.get(value)) is not None:
            return known
        own = self._rows[value] = f"rows/{value}"

        def integers(name: str, *numbers: int) -> str:
            return self._constant(f"constant/{name}", np.array(numbers, np.int64))

        flat = self._add("Reshape", [value, integers(f"of {width}", -1, width)], f"{own}/flat")
        sizes = self._add("Abs", [flat], f"{own}/sizes")
        if self._version < _AXES_AS_INPUT:
            largest = self._add("ReduceMax", [sizes], f"{own}/largest", axes=[1], keepdims=1)
        else:
            largest = self._add("ReduceMax", [sizes, integers("last", 1)], f"{own}/largest")
        least = self._constant("constant/least", np.array(_LEAST, np.float32))
        some = self._add("Max", [largest, least], f"{own}/some")
        step = self._constant("constant/step", np.array(1 / _ROW, np.float32))
        column = self._add("Mul", [some, step], f"{own}/s")
        scales = self._add("Reshape", [column, integers("line", -1)], f"{own}/scales")
        count = self._add("Shape", [scales], f"{own}/count")
        middle = helper.make_tensor("middle", TensorProto.UINT8, [1], [_MIDDLE])
        middles = self._add("ConstantOfShape", [count], f"{own}/middles", value=middle)
        self._add("QuantizeLinear", [flat, scales, middles], f"{own}/q", axis=0)
        shape = self._add("Shape", [value], f"{own}/shape")
        ends = [integers("first", 0), integers("but one", -1)]
        self._add("Slice", [shape, *ends], f"{own}/lead")
        return own

    def _lookup(self, node: Any, matrix: NDArray[np.float32]) -> None:
        """Rows of a table, kept in 8 bits with a scale each."""
        from onnx import TensorProto

        table, places = node.input
        scale = _steps(matrix, 1, _ROW)
        own = f"lookup/{node.output[0]}"
        whole = self._constant(f"table/{table}/q", np.rint(matrix / scale).astype(np.int8))
        steps = self._constant(f"table/{table}/s", scale)
        found = self._add("Gather", [whole, places], f"{own}/q")
        numbers = self._add("Cast", [found], f"{own}/numbers", to=TensorProto.FLOAT)
        scales = self._add("Gather", [steps, places], f"{own}/s")
        self._add("Mul", [numbers, scales], node.output[0])

    def _add(self, kind: str, inputs: list[str], output: str, **more: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], **more))
        return output

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(value, name)
        return name


def _steps(matrix: NDArray[np.float32], axis: int, most: int) -> NDArray[np.float32]:
    """What one of `most` steps is worth along an axis, which is kept."""
    largest = np.abs(matrix).max(axis=axis, keepdims=True)
    steps: NDArray[np.float32] = np.maximum(largest, np.float32(_LEAST)) / np.float32(most)
    return steps
