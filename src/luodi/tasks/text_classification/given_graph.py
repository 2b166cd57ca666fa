"""Taking over an ONNX file that classifies texts: over tokens, or with its own vectoriser."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from luodi.compression.graph import (
    Value,
    class_labels,
    feed_int64,
    feed_zeros,
    finish_scores,
    inputs_of,
    keep_output,
    outputs_of,
    read_graph,
    save_graph,
    unzip,
)
from luodi.contracts import (
    BaseModelError,
    Dataset,
    Finding,
    FitSettings,
    Foreign,
    Role,
    TrainingError,
    say,
)
from luodi.tasks.given import adopted_finding, open_graph, order_of, output_labels
from luodi.tasks.text_classification.given_predictor import WORDS, WordsPredictor
from luodi.tasks.text_classification.given_texts import (
    EncoderFitted,
    length_of,
    names_of,
    read_texts,
)
from luodi.tasks.text_classification.transformer_predictor import MODEL, TOKENIZER
from luodi.tasks.text_classification.transformer_texts import parity_samples
from luodi.training.bases.licences import licence_of_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

KIND = "ONNX"
_FEEDS = ("input_ids", "attention_mask")
_TOLERANCE = 1e-4


def look_at_graph(path: Path) -> Foreign:
    """What the file, and the config.json beside it, say."""
    graph = read_graph(path)
    return Foreign(KIND, labels=class_labels(graph) or names_of(_config(path)))


def adopt_graph(
    path: Path, train: Dataset, valid: Dataset, settings: FitSettings
) -> WordsFitted | GraphFitted:
    """An ONNX file as a model of the question; see `GivenLearner.fit`."""
    graph = read_graph(path)
    inputs = inputs_of(graph)
    if [given.element for given in inputs] == ["string"]:
        return _adopt_words(graph, inputs[0], path, valid, settings)
    if inputs and inputs[0].element in ("int64", "int32"):
        return _adopt_encoder(graph, path, train, valid, settings)
    listed = ", ".join(map(str, inputs))
    raise BaseModelError(
        say(f"{path.name} takes {listed}.", f"{path.name} 的输入为 {listed}。"),
        say(
            "Expected texts, or input_ids and attention_mask.",
            "应为文本，或 input_ids 与 attention_mask。",
        ),
    )


@dataclass(frozen=True)
class WordsFitted:
    """A graph that takes texts, ready to be written."""

    graph: Any
    head: Mapping[str, Any]
    findings: Sequence[Finding]
    history: Sequence[Mapping[str, float]] = ()
    licences: Mapping[str, str] = field(default_factory=dict)

    def export(self, folder: Path) -> None:
        """Write model.onnx and words.json."""
        save_graph(self.graph, folder / MODEL)
        (folder / WORDS).write_text(json.dumps(self.head, ensure_ascii=False), "utf-8")


def _adopt_words(
    graph: Any, given: Value, path: Path, valid: Dataset, settings: FitSettings
) -> WordsFitted:
    told = class_labels(graph)
    unzip(graph)
    keep_output(graph, _answering(outputs_of(graph), path))
    labels = settings.schema.answer_field("label").categories
    head: dict[str, Any] = {"input": given.name, "flat": len(given.shape) == 1}
    session = open_graph(graph, settings.folder / MODEL, settings.threads)
    plain = WordsPredictor(session, {**head, "order": [], "labels": []})
    texts = [text or "" for text in valid.table[valid.column(Role.TEXT)].to_list()] or [""]
    chances = plain.chances(texts)
    if not _are_chances(chances):
        raise TrainingError(
            say(
                "The model's answers to the validation texts are no probabilities.",
                "模型对验证集文本的输出不是概率。",
            ),
            "",
            say(
                "Convert the classifier with its probabilities (predict_proba).",
                "请连同概率（predict_proba）一起转换。",
            ),
        )
    names = output_labels(told, settings.options.get("labels"), chances.shape[1], labels)
    head |= {"order": order_of(names, labels), "labels": labels}
    return WordsFitted(graph, head, [adopted_finding(KIND, path.name)])


@dataclass(frozen=True)
class GraphFitted(EncoderFitted):
    """A graph over tokens, ready to be written."""

    graph: Any

    def write_model(self, path: Path) -> None:
        """As it was brought into shape."""
        save_graph(self.graph, path)


def _adopt_encoder(
    graph: Any, path: Path, train: Dataset, valid: Dataset, settings: FitSettings
) -> GraphFitted:
    tokenizer, pad = _tokenizer(path)
    labels = settings.schema.answer_field("label").categories
    length = length_of(path.parent, tokenizer, settings.options.get("max_length"))
    rows, judged, found = read_texts(train, valid, labels, tokenizer, length)
    samples = parity_samples(judged.examples, rows.examples)
    _shape_inputs(graph, path)
    output = _answering(outputs_of(graph), path)
    keep_output(graph, output)
    raw = _scores(graph, samples, settings)
    chances = _are_chances(raw)
    told = class_labels(graph) or names_of(_config(path))
    names = output_labels(told, settings.options.get("labels"), raw.shape[1], labels)
    order = order_of(names, labels)
    finish_scores(graph, output, order, raw.shape[1] == 1, chances)
    _require_same(raw, chances, order, _scores(graph, samples, settings))
    return GraphFitted(
        tokenizer=tokenizer,
        labels=labels,
        length=length,
        pad=pad,
        name=path.name,
        licence=licence_of_folder(path.parent)[0],
        findings=[adopted_finding(KIND, path.name), *found],
        graph=graph,
    )


def _shape_inputs(graph: Any, path: Path) -> None:
    """Let it take int64 ids and mask, any number of texts of any length, and nothing else."""
    for given in inputs_of(graph):
        if given.name in _FEEDS:
            if len(given.shape) != 2 or given.shape != (None, None):
                raise _wrong_inputs(graph, path)
            feed_int64(graph, [given.name])
        elif given.name == "token_type_ids":
            feed_zeros(graph, given.name, _FEEDS[0])
    if _FEEDS[0] not in (names := [given.name for given in inputs_of(graph)]) or set(names) - set(
        _FEEDS
    ):
        raise _wrong_inputs(graph, path)


def _wrong_inputs(graph: Any, path: Path) -> BaseModelError:
    listed = ", ".join(map(str, inputs_of(graph)))
    return BaseModelError(
        say(f"{path.name} takes {listed}.", f"{path.name} 的输入为 {listed}。"),
        say(
            "Expected input_ids, attention_mask and at most token_type_ids, each [n, n].",
            "应为 input_ids、attention_mask，至多再加 token_type_ids，形状均为 [n, n]。",
        ),
    )


def _answering(outputs: Sequence[Value], path: Path) -> str:
    """The output that holds scores or probabilities."""
    numbers = [item for item in outputs if item.element in ("float", "double")]
    named = [
        item
        for item in numbers
        if any(word in item.name.lower() for word in ("prob", "logit", "score"))
    ]
    if found := (named or numbers[-1:]):
        return found[0].name
    listed = ", ".join(map(str, outputs))
    raise BaseModelError(
        say(f"{path.name} answers with {listed}.", f"{path.name} 的输出为 {listed}。"),
        say("Expected scores or probabilities of labels.", "应包含各标签的得分或概率。"),
    )


def _are_chances(raw: NDArray[Any]) -> bool:
    """Whether rows of numbers are probabilities rather than scores."""
    inside = bool(np.isfinite(raw).all() and (raw >= -1e-6).all() and (raw <= 1 + 1e-6).all())
    if raw.shape[1] == 1:
        return inside
    return inside and bool(np.abs(raw.sum(axis=1) - 1).max(initial=0.0) < 1e-3)


def _require_same(
    raw: NDArray[Any], chances: bool, order: Sequence[int], scores: NDArray[Any]
) -> None:
    """What is served must give the probabilities that came out before."""
    from luodi.compression.parity import require_parity
    from luodi.tasks.classes import softmax

    before = raw
    if raw.shape[1] == 1:
        event = raw[:, 0] if chances else 1 / (1 + np.exp(-raw[:, 0]))
        before = np.column_stack([1 - event, event])
    elif not chances:
        before = softmax(raw)
    after = softmax(scores.astype(np.float64))
    require_parity(float(np.abs(before[:, list(order)] - after).max(initial=0.0)), _TOLERANCE)


def _scores(
    graph: Any, samples: Sequence[NDArray[np.int32]], settings: FitSettings
) -> NDArray[np.float64]:
    """(n, k): the only output for each sample, one text a call."""
    session = open_graph(graph, settings.folder / MODEL, settings.threads)
    names = [given.name for given in inputs_of(graph)]
    found = []
    for tokens in samples:
        ids = tokens.astype(np.int64)[None, :]
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        found.append(session.run({name: feeds[name] for name in names})[0])
    return np.array(found, dtype=np.float64).reshape(len(samples), -1)


def _config(path: Path) -> dict[str, Any]:
    """The config.json beside the file, or above its folder; empty where there is none."""
    for folder in (path.parent, path.parent.parent):
        if (folder / "config.json").is_file():
            found: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
            return found
    return {}


def _tokenizer(path: Path) -> tuple[Tokenizer, int]:
    """The tokenizer beside the file, and the id that pads."""
    from tokenizers import Tokenizer

    for folder in (path.parent, path.parent.parent):
        if (folder / TOKENIZER).is_file():
            try:
                found = Tokenizer.from_file(str(folder / TOKENIZER))
            except Exception as error:  # the library raises bare exceptions
                raise BaseModelError(
                    say(
                        f"{folder / TOKENIZER} cannot be read: {error}",
                        f"无法读取 {folder / TOKENIZER}：{error}",
                    )
                ) from error
            padding = found.padding or {}
            known = [found.token_to_id(word) for word in ("[PAD]", "<pad>")]
            told = [padding.get("pad_id"), _config(path).get("pad_token_id"), *known]
            return found, int(next((pad for pad in told if pad is not None), 0))
    raise BaseModelError(
        say(f"There is no tokenizer beside {path}.", f"{path} 旁没有分词器。"),
        say("Expected a tokenizer.json in its folder.", "同目录中应有 tokenizer.json。"),
    )
