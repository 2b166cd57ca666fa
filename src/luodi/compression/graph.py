"""ONNX files that somebody else made: read, checked, and brought into the shape that is served.

What is read is data: no operator of a stranger's library is loaded, and tensors outside the file
must lie beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from luodi.contracts import BaseModelError, say

Element = Literal["float", "double", "int64", "int32", "string", "bool", "other"]

_LARGEST = 2**31 - 1
"""One ONNX file holds less than 2 GB."""
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
"""Operators that ONNX Runtime brings itself."""


@dataclass(frozen=True)
class Value:
    """An input or an output.

    Attributes:
        element: what a cell holds.
        shape: sizes; None for any.
    """

    name: str
    element: Element
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("n" if size is None else str(size) for size in self.shape)
        return f"{self.name}: {self.element} [{sizes}]"


def read_graph(path: Path) -> Any:
    """The model, with all of its tensors.

    Raises:
        BaseModelError: unreadable, over 2 GB, or with operators that ONNX Runtime does not bring.
    """
    import onnx

    if path.stat().st_size > _LARGEST:
        raise _refused(
            path, say("it has over 2 GB.", "文件超过 2 GB。"), say("under 2 GB", "小于 2 GB")
        )
    try:
        model = onnx.load(str(path))  # refuses tensors outside the file's own folder
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf, checker and file errors have no family
        expected = say("an ONNX model", "ONNX 模型")
        raise _refused(path, f"{error}", expected) from error
    used = {node.domain for graph in graphs_of(model) for node in graph.node}
    if strange := sorted(used - _DOMAINS - {item.domain for item in model.functions}):
        found = say(
            f"it uses operators of {', '.join(strange)}.", f"使用了 {'、'.join(strange)} 的算子。"
        )
        expected = say(
            "operators that ONNX Runtime brings itself: Luodi loads no library of strangers",
            "ONNX Runtime 自带的算子：Luodi 不加载来路不明的库",
        )
        raise _refused(path, found, expected)
    _settle_locale(model)
    return model


def _refused(path: Path, found: str, expected: str) -> BaseModelError:
    return BaseModelError(
        say(f"{path} cannot be taken over: {found}", f"无法接管 {path}：{found}"),
        say(f"Expected {expected}.", f"应为{expected}。"),
    )


def graphs_of(model: Any) -> list[Any]:
    """The graph, its branches and bodies, and those of its functions."""
    found, waiting = [], [model.graph, *model.functions]
    while waiting:
        graph = waiting.pop()
        found.append(graph)
        for node in graph.node:
            for attribute in node.attribute:
                waiting += [attribute.g] if attribute.HasField("g") else []
                waiting += list(attribute.graphs)
    return found


def save_graph(model: Any, path: Path) -> None:
    """Write the model as one file.

    Raises:
        BaseModelError: it has over 2 GB.
    """
    import onnx

    if model.ByteSize() > _LARGEST:
        raise _refused(
            path, say("it has over 2 GB.", "文件超过 2 GB。"), say("under 2 GB", "小于 2 GB")
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def inputs_of(model: Any) -> list[Value]:
    """What is fed, in order; weights that are listed as inputs are none."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [_value(item) for item in model.graph.input if item.name not in weights]


def outputs_of(model: Any) -> list[Value]:
    """What comes out, in order."""
    return [_value(item) for item in model.graph.output]


def _value(item: Any) -> Value:
    import onnx

    kinds: dict[int, Element] = {
        onnx.TensorProto.FLOAT: "float",
        onnx.TensorProto.DOUBLE: "double",
        onnx.TensorProto.INT64: "int64",
        onnx.TensorProto.INT32: "int32",
        onnx.TensorProto.STRING: "string",
        onnx.TensorProto.BOOL: "bool",
    }
    if not item.type.HasField("tensor_type"):
        return Value(item.name, "other", ())
    tensor = item.type.tensor_type
    sizes = (
        size.dim_value if size.HasField("dim_value") and size.dim_value > 0 else None
        for size in tensor.shape.dim
    )
    return Value(item.name, kinds.get(tensor.elem_type, "other"), tuple(sizes))


def class_labels(model: Any) -> tuple[str, ...]:
    """The names of a classifier's outputs in their order, as its last node tells them."""
    for node in reversed(model.graph.node):
        for attribute in node.attribute:
            if attribute.name.startswith("classlabels_"):
                if attribute.strings:
                    return tuple(text.decode("utf-8") for text in attribute.strings)
                if attribute.ints:
                    return tuple(str(number) for number in attribute.ints)
    return ()


def unzip(model: Any) -> None:
    """Where an output is a mapping a row (ZipMap), let the tensor that it was made of come out."""
    from onnx import TensorProto, helper

    zips = {node.output[0]: node for node in model.graph.node if node.op_type == "ZipMap"}
    for place, item in enumerate(model.graph.output):
        if (node := zips.get(item.name)) is not None:
            plain = helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, [None, None])
            model.graph.node.remove(node)
            model.graph.output[place].CopyFrom(plain)


def _settle_locale(model: Any) -> None:
    """Let letters change their case by the locale that every Linux has.

    Converters leave it to be en_US.UTF-8, which slim images lack; ONNX Runtime refuses the graph
    then. C.UTF-8 knows the same pairs of letters.
    """
    import sys

    from onnx import helper

    if sys.platform != "linux":
        return
    for graph in graphs_of(model):
        for node in graph.node:
            if node.op_type == "StringNormalizer":
                for attribute in [item for item in node.attribute if item.name == "locale"]:
                    node.attribute.remove(attribute)
                node.attribute.append(helper.make_attribute("locale", "C.UTF-8"))


def keep_output(model: Any, name: str) -> None:
    """Let nothing come out but `name`."""
    for item in [item for item in model.graph.output if item.name != name]:
        model.graph.output.remove(item)


def feed_int64(model: Any, names: Sequence[str]) -> None:
    """Let these inputs be fed as int64; one that is read as int32 is converted inside."""
    from onnx import TensorProto, helper

    for item in model.graph.input:
        if item.name in names and item.type.tensor_type.elem_type == TensorProto.INT32:
            _rename(model, item.name, inner := f"{item.name}/int32")
            item.type.tensor_type.elem_type = TensorProto.INT64
            cast = helper.make_node("Cast", [item.name], [inner], to=TensorProto.INT32)
            model.graph.node.insert(0, cast)


def feed_zeros(model: Any, name: str, like: str) -> None:
    """Let an input be zeros in the shape of another one: it need not be fed any more."""
    import numpy as np
    from onnx import helper, numpy_helper

    item = next(item for item in model.graph.input if item.name == name)
    kind = helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type)
    zero = numpy_helper.from_array(np.zeros(1, dtype=kind))
    model.graph.input.remove(item)
    shape = f"{name}/shape"
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", [shape], [name], value=zero))
    model.graph.node.insert(0, helper.make_node("Shape", [like], [shape]))


def _rename(model: Any, old: str, new: str) -> None:
    """Every reader of a value reads another one."""
    for graph in graphs_of(model):
        for node in graph.node:
            for place, name in enumerate(node.input):
                if name == old:
                    node.input[place] = new


def finish_scores(
    model: Any, output: str, order: Sequence[int], single: bool, chances: bool
) -> None:
    """Let `scores` come out alone: (n, k) float32, from which softmax makes the probabilities.

    Args:
        output: a float tensor (n, k).
        order: which of its columns stands where.
        single: whether k is 1: it speaks for the second of two labels.
        chances: whether it holds probabilities, whose logarithms are taken.
    """
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    nodes: list[Any] = []

    def constant(name: str, value: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(value, f"scores/{name}"))
        return f"scores/{name}"

    def then(kind: str, inputs: list[str], name: str, **more: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"scores/{name}"], **more))
        return f"scores/{name}"

    last = then("Cast", [output], "float", to=TensorProto.FLOAT)
    if single:
        whole = constant("whole", np.array([1.0 if chances else 0.0], np.float32))
        part = last
        if not chances:  # the other label speaks with nothing
            part = then("Mul", [last, constant("none", np.array([0.0], np.float32))], "zero")
        other = then("Sub", [whole, part], "other")
        last = then("Concat", [other, last], "both", axis=1)
    if chances:
        least = constant("least", np.array(1e-12, np.float32))
        last = then("Log", [then("Max", [last, least], "kept")], "log")
    rows = constant("order", np.array(order, np.int64))
    nodes.append(helper.make_node("Gather", [last, rows], ["scores"], axis=1))
    graph.node.extend(nodes)
    plain = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", len(order)])
    del graph.output[:]
    graph.output.append(plain)
