"""Taking over an ONNX file on tables: what it reads, which output answers, how it is served."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from luodi.compression.graph import (
    Value,
    class_labels,
    inputs_of,
    keep_output,
    outputs_of,
    read_graph,
    save_graph,
    unzip,
)
from luodi.contracts import (
    BaseModelError,
    ColumnKind,
    Dataset,
    Finding,
    FitSettings,
    Foreign,
    TrainingError,
    say,
)
from luodi.tasks.given import GivenSession, adopted_finding, open_graph, order_of, output_labels
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.columns import table_requests
from luodi.tasks.tabular.decision import Decision, export_decision
from luodi.tasks.tabular.given_fitting import decide_given, fields_of, require_kind
from luodi.tasks.tabular.given_graph import HEAD, MODEL, Feed, GraphHead, scores_of
from luodi.tasks.tabular.target import Classes, target_of

_KINDS: Mapping[str, ColumnKind] = {
    "string": "category", "float": "number", "double": "number", "int64": "number",
    "int32": "number", "bool": "number",
}  # fmt: skip
_OFF_ONE = 1e-3
"""How far the probabilities of a row may add up beside 1."""


@dataclass(frozen=True)
class GraphFitted:
    """Somebody's graph, ready to be written.

    Attributes:
        graph: the ONNX model.
    """

    graph: Any
    head: GraphHead
    decision: Decision
    findings: Sequence[Finding] = ()
    history: Sequence[Mapping[str, float]] = ()
    licences: Mapping[str, str] = field(default_factory=dict)

    def export(self, folder: Path) -> None:
        """Write model.onnx, graph.json and decision.json."""
        save_graph(self.graph, folder / MODEL)
        (folder / HEAD).write_text(json.dumps(self.head.to_json(), ensure_ascii=False), "utf-8")
        export_decision(self.decision, folder)


def look_at_graph(path: Path) -> Foreign:
    """What an ONNX file says of itself."""
    graph = read_graph(path)
    columns = tuple(column for given in inputs_of(graph) for column in _columns(given, path))
    return Foreign(_kind(graph), columns, class_labels(graph))


def adopt_graph(path: Path, valid: Dataset, settings: FitSettings) -> GraphFitted:
    """An ONNX file as a model of the question.

    Raises:
        BaseModelError: its inputs or outputs are not what a table has or asks for.
        TrainingError: its columns or labels are not the question's.
    """
    graph = read_graph(path)
    target, kind, told = target_of(settings.schema), _kind(graph), class_labels(graph)
    classes = isinstance(target, Classes)
    require_kind(bool(told) or classes, settings.schema, kind)
    columns = [_columns(given, path) for given in inputs_of(graph)]
    names = iter(fields_of([column for few in columns for column in few], settings))
    feeds = tuple(
        Feed(given.name, given.element, tuple(next(names) for _ in few), len(given.shape) == 1)
        for given, few in zip(inputs_of(graph), columns, strict=True)
    )
    unzip(graph)
    keep_output(graph, _answering(outputs_of(graph), path, classes))
    requests = table_requests(valid, settings.schema.request)
    session = open_graph(graph, settings.folder / MODEL, settings.threads)
    head = GraphHead(feeds, ())
    if isinstance(target, Classes):
        outputs = _width(session, feeds)
        names_ = output_labels(told, settings.options.get("labels"), outputs, target.labels)
        head = GraphHead(feeds, tuple(order_of(names_, target.labels)))
    scores = scores_of(session, head, requests)
    _require_answers(scores, classes)
    decision, more = decide_given(scores, valid, settings)
    return GraphFitted(graph, head, decision, [adopted_finding(kind, path.name), *more])


def _kind(graph: Any) -> str:
    maker = graph.producer_name
    return say(f"ONNX model of {maker}", f"{maker} 的 ONNX 模型") if maker else "ONNX"


def _columns(given: Value, path: Path) -> list[tuple[str, ColumnKind]]:
    """Name and kind of each column that an input takes; nameless where it takes several."""
    kind = _KINDS.get(given.element)
    width = 1 if len(given.shape) == 1 else given.shape[1] if len(given.shape) == 2 else None
    if kind is None or width is None:
        raise BaseModelError(
            say(f"{path.name} takes {given}.", f"{path.name} 的输入为 {given}。"),
            say(
                "Expected numbers or words in [n, columns], with the number of columns told.",
                "应为 [n, 列数] 的数值或字符串，且列数已写明。",
            ),
        )
    if given.shape[0] not in (None, 0):
        raise BaseModelError(
            say(
                f"{path.name} takes exactly {given.shape[0]} rows a call.",
                f"{path.name} 每次只接受 {given.shape[0]} 行。",
            ),
            say("Expected any number of rows.", "应可接受任意行数。"),
            say("Convert it with a free first axis.", "请以可变的首轴重新转换。"),
        )
    return [(given.name, kind)] if width == 1 else [("", kind)] * width


def _answering(outputs: Sequence[Value], path: Path, classes: bool) -> str:
    """The output that holds probabilities, or the number."""
    numbers = [item for item in outputs if item.element in ("float", "double")]
    named = [item for item in numbers if "prob" in item.name.lower()]
    found = (named or numbers)[-1:] if classes else numbers[:1]
    if found:
        return found[0].name
    listed = ", ".join(map(str, outputs))
    raise BaseModelError(
        say(f"{path.name} answers with {listed}.", f"{path.name} 的输出为 {listed}。"),
        say("Expected probabilities.", "应包含概率。")
        if classes
        else say("Expected one number a row.", "应为每行一个数值。"),
    )


def _width(session: GivenSession, feeds: Sequence[Feed]) -> int:
    """How many outputs a row has: found by asking."""
    columns = {name: [None] for feed in feeds for name in feed.fields}
    return int(session.run({feed.name: feed.array(columns) for feed in feeds}).reshape(1, -1).size)


def _require_answers(scores: Floats, classes: bool) -> None:
    wrong = not np.isfinite(scores).all()
    if classes and not wrong and len(scores):
        wrong = bool(
            scores.min() < -_OFF_ONE or np.abs(scores.sum(axis=1) - 1).max(initial=0.0) > _OFF_ONE
        )
    if wrong:
        raise TrainingError(
            say(
                "The model's answers to the validation rows are "
                + ("no probabilities: they do not add up to 1." if classes else "no numbers."),
                "模型对验证集的输出" + ("不是概率：各项之和不为 1。" if classes else "不是数值。"),
            ),
            "",
            say(
                "Convert a classifier with its probabilities (predict_proba); fill missing values "
                "in the pipeline or under data.clean.missing.",
                "请连同概率（predict_proba）一起转换；缺失值请在流水线中或用 data.clean.missing "
                "处理。",
            ),
        )
