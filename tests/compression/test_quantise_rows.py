from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from luodi.compression.quantise_rows import quantise_rows
from luodi.contracts import TrainingError

RANDOM = np.random.default_rng(5)
WORDS, WIDE, INNER = 600, 128, 96


def written(path: Path, version: int, shape: list[Any], shared: bool = False) -> Path:
    """Words looked up, multiplied, squashed, multiplied again (perhaps by the same matrix)."""
    numbers = {
        "table": RANDOM.normal(size=(WORDS, WIDE)),
        "first": RANDOM.normal(size=(WIDE, INNER)) / np.sqrt(WIDE),
        "second": RANDOM.normal(size=(INNER, WIDE)) / np.sqrt(INNER),
        "bias": RANDOM.normal(size=INNER),
    }
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["words"]),
        helper.make_node("MatMul", ["words", "first"], ["a"]),
        helper.make_node("Add", ["a", "bias"], ["b"]),
        helper.make_node("Tanh", ["b"], ["c"]),
        helper.make_node("MatMul", ["c", "second"], ["d"]),
    ]
    if shared:  # one matrix twice, one value twice, and a matrix that is read as it is
        nodes += [
            helper.make_node("MatMul", ["d", "first"], ["e"]),
            helper.make_node("MatMul", ["words", "first"], ["f"]),
            helper.make_node("ReduceMean", ["first"], ["g"], keepdims=0),
            helper.make_node("Sum", ["e", "f", "g"], ["scores"]),
        ]
    else:
        nodes += [helper.make_node("Identity", ["d"], ["scores"])]
    graph = helper.make_graph(
        nodes, "words",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [*shape, "k"])],
        [numpy_helper.from_array(v.astype(np.float32), name) for name, v in numbers.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


def answers(path: Path, ids: Any) -> Any:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"ids": np.asarray(ids)})[0]


def distance(found: Any, expected: Any) -> float:
    """Root of the mean square, of the standard deviation: 7 and 8 bits cost 0.01 to 0.02."""
    return float(np.sqrt(np.mean((found - expected) ** 2)) / expected.std())


def quantised(source: Path) -> Path:
    quantise_rows(source, target := source.with_name("rows.onnx"))
    onnx.checker.check_model(onnx.load(str(target)))
    return target


@pytest.mark.parametrize("version", [13, 17, 18, 21])
@pytest.mark.parametrize("shape", [["n"], ["n", "t"], ["n", "t", "s"]], ids=str)
def test_products_are_nearly_the_same_whatever_the_shape(tmp_path, version, shape):
    source = written(tmp_path / "plain.onnx", version, shape)
    target = quantised(source)
    ids = RANDOM.integers(0, WORDS, (5, 3, 4)[: len(shape)])
    expected, found = answers(source, ids), answers(target, ids)
    assert found.shape == expected.shape
    assert 0 < distance(found, expected) < 0.03
    assert target.stat().st_size < 0.32 * source.stat().st_size


def test_a_matrix_and_a_value_that_are_read_twice(tmp_path):
    source = written(tmp_path / "plain.onnx", 17, ["n"], shared=True)
    target = quantised(source)
    ids = RANDOM.integers(0, WORDS, 20)
    expected = answers(source, ids)
    assert distance(answers(target, ids), expected) < 0.03
    graph = onnx.load(str(target)).graph
    kept = {tensor.name for tensor in graph.initializer}
    assert "first" in kept  # whoever reads it as it is still does
    assert not {"second", "table"} & kept
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 4
    assert kinds.count("QuantizeLinear") == 3  # `words` is multiplied twice, and scaled once


def test_a_row_does_not_depend_on_the_others(tmp_path):
    """One number far out, in another row, moved every answer under one scale for the whole call."""
    source = written(tmp_path / "plain.onnx", 17, ["n"])
    model = onnx.load(str(source))
    (table,) = [each for each in model.graph.initializer if each.name == "table"]
    values = numpy_helper.to_array(table).copy()
    values[0] *= 500
    table.CopyFrom(numpy_helper.from_array(values, "table"))
    onnx.save(model, str(source))
    target = quantised(source)
    others = RANDOM.integers(1, WORDS, 30)
    beside = answers(target, [0, *others])[1:]
    np.testing.assert_allclose(beside, answers(target, others), atol=1e-5)
    expected = answers(source, others)
    assert distance(beside, expected) < 0.03


def test_no_sum_overflows_where_products_are_added_in_sixteen_bits(tmp_path):
    """Weights and rows as large as they can be: the worst that a processor can be asked."""
    numbers = {"w": np.ones((256, 8), np.float32), "b": np.ones((256, 8), np.float32)}
    numbers["b"][::2] = -1
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]),
         helper.make_node("MatMul", ["x", "b"], ["z"])],
        "worst",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 256])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 8]) for name in "yz"],
        [numpy_helper.from_array(value, name) for name, value in numbers.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(tmp_path / "worst.onnx"))
    session = onnxruntime.InferenceSession(str(quantised(tmp_path / "worst.onnx")))
    x = np.ones((4, 256), np.float32) * [[1], [-1], [0], [7]]
    y, z = session.run(None, {"x": x.astype(np.float32)})
    np.testing.assert_allclose(y, x @ numbers["w"], rtol=1e-5)
    np.testing.assert_allclose(z, x @ numbers["b"], atol=1e-3)


def test_what_is_small_or_not_constant_stays_as_it_is(tmp_path):
    few = numpy_helper.from_array(np.ones((3, 4), np.float32), "few")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["few", "ids"], ["x"]),
         helper.make_node("Transpose", ["x"], ["t"]),
         helper.make_node("MatMul", ["x", "t"], ["scores"])],
        "plain",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", "m"])],
        [few],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(tmp_path / "plain.onnx"))
    found = onnx.load(str(quantised(tmp_path / "plain.onnx"))).graph
    assert [node.op_type for node in found.node] == ["Gather", "Transpose", "MatMul"]
    assert [tensor.name for tensor in found.initializer] == ["few"]


def test_an_old_graph_is_refused_in_words(tmp_path):
    source = written(tmp_path / "plain.onnx", 12, ["n"])
    with pytest.raises(TrainingError, match=r"version 12\..*13 or later"):
        quantise_rows(source, tmp_path / "rows.onnx")
