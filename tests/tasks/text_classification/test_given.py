"""Text classifiers that were trained elsewhere answer here as they did there."""

from __future__ import annotations

import json
import shutil

import numpy as np
import onnx
import polars as pl
import pytest
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from luodi.contracts import (
    BaseModelError,
    FitSettings,
    Form,
    Quiet,
    Role,
    SplitSettings,
    TrainingError,
)
from luodi.data.roles import assign_roles
from luodi.tasks import find_task
from luodi.tasks.classes import softmax
from luodi.testing import Trial, check_task
from tests.tiny_base import NEUTRAL, POLAR, make_tiny_base

TASK = find_task("text-classification")
LEARNER = TASK.learners["given"]
LABELS = ("bad", "good", "odd")


def dataset(labels=LABELS, rows: int = 120):
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice([*POLAR, *NEUTRAL], rng.integers(2, 20))) for _ in range(rows)]
    table = pl.DataFrame({"text": texts, "label": [labels[n % len(labels)] for n in range(rows)]})
    return assign_roles(table, {Role.TEXT: "text", Role.LABEL: "label"}, TASK.roles, None)


def adopt(folder, path, data=None, **options):
    """The predictor of a model taken over, and texts."""
    data = dataset() if data is None else data
    parts, schema = TASK.split(data, SplitSettings()), TASK.schema(data)
    folder.mkdir(exist_ok=True)
    settings = FitSettings(schema, TASK.metrics[0], folder, base=str(path), options=options)
    fitted = LEARNER.fit(parts.train, parts.valid, settings, Quiet())
    fitted.export(folder / "export")
    predictor = LEARNER.predictor.load(folder / "export", 1)
    return predictor, [request["text"] for request in TASK.requests(parts.test, schema)], schema


def chances(predictor, texts, labels):
    told = predictor.predict([{"text": text} for text in texts])
    return np.array([[answer["probabilities"][label] for label in labels] for answer in told])


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A Transformers folder whose labels stand in an order of their own."""
    import torch
    from transformers import AutoConfig, BertForSequenceClassification

    folder = make_tiny_base(tmp_path_factory.mktemp("base"))
    names = {0: "odd", 1: "bad", 2: "good"}
    config = AutoConfig.from_pretrained(
        folder, num_labels=3, id2label=names, label2id={name: n for n, name in names.items()}
    )
    torch.manual_seed(1)
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    model.save_pretrained(folder)
    return folder, model.eval()


def raw_logits(classifier, texts):
    """What Transformers itself says of each text, alone."""
    import torch
    from tokenizers import Tokenizer

    folder, model = classifier
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(64)
    with torch.inference_mode():
        rows = [model(torch.tensor([tokenizer.encode(text).ids])).logits[0] for text in texts]
    return torch.stack(rows).numpy()


def expected(classifier, texts):
    return softmax(raw_logits(classifier, texts).astype(np.float64))


@pytest.fixture(scope="module")
def exported(classifier, tmp_path_factory):
    """The same classifier as others export it: int64 ids, mask and token types to logits."""
    import torch

    folder, model = classifier
    target = tmp_path_factory.mktemp("onnx")
    shutil.copy(folder / "tokenizer.json", target)
    shutil.copy(folder / "config.json", target)

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.model(input_ids, attention_mask, token_type_ids).logits

    ids = torch.ones(2, 7, dtype=torch.int64)
    axes = {0: "batch", 1: "tokens"}
    names = ["input_ids", "attention_mask", "token_type_ids"]
    import warnings

    model.config._attn_implementation = "eager"
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Plain().eval(), (ids, ids, ids * 0), str(target / "model.onnx"), dynamo=False,
            input_names=names, output_names=["logits"],
            dynamic_axes=dict.fromkeys(names, axes) | {"logits": {0: "batch"}},
        )  # fmt: skip
    return target


def test_a_transformers_folder_answers_as_transformers_does(tmp_path, classifier):
    predictor, texts, schema = adopt(tmp_path, classifier[0])
    found = chances(predictor, texts, ("odd", "bad", "good"))
    np.testing.assert_allclose(found, expected(classifier, texts), atol=1e-5)
    assert found.std(axis=0).min() > 0.01, "a model that answers all alike shows nothing"
    assert tuple(predictor.predict([{"text": "good"}])[0]["probabilities"]) == LABELS
    assert schema.answer_field("label").categories == LABELS


def test_long_texts_are_read_as_far_as_the_model_goes(tmp_path, classifier):
    predictor, _, _ = adopt(tmp_path, classifier[0])
    text = "good bad film " * 40
    answer = predictor.predict([{"text": text}])[0]
    assert answer["truncated"] is True
    found = chances(predictor, [text], ("odd", "bad", "good"))
    np.testing.assert_allclose(found, expected(classifier, [text]), atol=1e-5)


def test_an_onnx_file_beside_its_tokenizer(tmp_path, classifier, exported):
    predictor, texts, _ = adopt(tmp_path, exported / "model.onnx")
    found = chances(predictor, texts, ("odd", "bad", "good"))
    np.testing.assert_allclose(found, expected(classifier, texts), atol=1e-5)


def changed(exported, folder, node, width, *constants):
    """The exported graph with one node more, whose `answer` alone comes out."""
    shutil.copytree(exported, folder)
    graph = onnx.load(folder / "model.onnx")
    graph.graph.initializer.extend(constants)
    graph.graph.node.append(node)
    del graph.graph.output[:]
    graph.graph.output.append(
        helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["batch", width])
    )
    onnx.save(graph, folder / "model.onnx")
    return folder


def test_a_graph_that_answers_with_probabilities(tmp_path, classifier, exported):
    softly = helper.make_node("Softmax", ["logits"], ["answer"], axis=-1)
    folder = changed(exported, tmp_path / "softmax", softly, 3)
    predictor, texts, _ = adopt(tmp_path, folder)
    found = chances(predictor, texts, ("odd", "bad", "good"))
    np.testing.assert_allclose(found, expected(classifier, texts), atol=1e-5)


def test_a_graph_of_32_bit_ids(tmp_path, classifier, exported):
    shutil.copytree(exported, tmp_path / "int32")
    path = tmp_path / "int32" / "model.onnx"
    graph = onnx.load(path)
    for item in graph.graph.input:  # as TensorFlow's exporters write it
        name = item.name
        item.type.tensor_type.elem_type = TensorProto.INT32
        for node in graph.graph.node:
            for place, read in enumerate(node.input):
                node.input[place] = f"{name}/64" if read == name else read
        cast = helper.make_node("Cast", [name], [f"{name}/64"], to=TensorProto.INT64)
        graph.graph.node.insert(0, cast)
    onnx.save(graph, path)
    predictor, texts, _ = adopt(tmp_path, path)
    found = chances(predictor, texts, ("odd", "bad", "good"))
    np.testing.assert_allclose(found, expected(classifier, texts), atol=1e-5)


def test_one_output_speaks_for_the_second_label(tmp_path, classifier, exported):
    last = helper.make_tensor("last", TensorProto.INT64, [1], [2])
    third = helper.make_node("Gather", ["logits", "last"], ["answer"], axis=1)
    path = changed(exported, tmp_path / "single", third, 1, last)
    data = dataset(("no", "yes"))
    predictor, texts, _ = adopt(tmp_path, path, data, labels=["yes", "no"])
    logits = raw_logits(classifier, texts)
    assert logits.shape[1] == 3
    found = chances(predictor, texts, ["no"])[:, 0]
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits[:, 2])), atol=1e-5)


@pytest.mark.parametrize("zipmap", [True, False])
def test_a_text_pipeline_through_onnx(tmp_path, zipmap):
    data = dataset()
    texts, labels = data.table["text"].to_list(), data.table["label"].to_list()
    texts, labels = [*texts, "schönes hotel äöü"], [*labels, "good"]
    words = TfidfVectorizer(token_pattern="[a-zäöü]+")  # noqa: S106  # the converter's own is ASCII
    model = make_pipeline(words, LogisticRegression()).fit(texts, labels)
    path = tmp_path / "words.onnx"
    types = [("text", StringTensorType([None, 1]))]
    graph = to_onnx(model, initial_types=types, options={"zipmap": zipmap})
    path.write_bytes(graph.SerializeToString())
    predictor, asked, _ = adopt(tmp_path, path, data)
    asked += ["GOOD Film", "SCHÖNES Hotel ÄÖÜ", "不错 的 房间"]  # capitals beyond ASCII too
    found = chances(predictor, asked, LABELS)
    np.testing.assert_allclose(found, model.predict_proba(asked), atol=1e-5)
    assert LEARNER.look(path).labels == LABELS


def test_check_task_on_what_was_taken_over(tmp_path, classifier, exported):
    for number, path in enumerate([classifier[0], exported]):
        trial = {"given": Trial(str(path))}
        check_task(TASK, dataset(), tmp_path / str(number), ["given"], trial)


def test_an_encoder_is_kept_in_other_forms(tmp_path, classifier):
    predictor, texts, _ = adopt(tmp_path, classifier[0])
    requests = [{"text": text} for text in texts]
    LEARNER.compress(
        tmp_path / "export", Form("int8", "onnxruntime", "dynamic"), requests, tmp_path / "int8"
    )
    small = LEARNER.predictor.load(tmp_path / "int8", 1)
    found = chances(small, texts, LABELS)
    assert np.abs(found - chances(predictor, texts, LABELS)).max() < 0.1


def config_of(classifier, folder, **changes):
    shutil.copytree(classifier[0], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    return folder


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"architectures": ["BertModel"]}, "Expected a ...ForSequenceClassification"),
        ({"problem_type": "multi_label_classification"}, "multi_label_classification"),
        ({"auto_map": {"AutoModel": "code.Model"}}, "asks to run code"),
    ],
)
def test_a_folder_of_another_kind_is_refused(tmp_path, classifier, changes, told):
    folder = config_of(classifier, tmp_path / "folder", **changes)
    with pytest.raises(BaseModelError, match=told):
        LEARNER.look(folder)


def test_labels_without_names_must_be_named(tmp_path, classifier):
    names = {"id2label": {str(n): f"LABEL_{n}" for n in range(3)}}
    folder = config_of(classifier, tmp_path / "folder", **names)
    with pytest.raises(TrainingError, match=r"3 outputs and 0 names.*--labels"):
        adopt(tmp_path / "a", folder)
    predictor, texts, _ = adopt(tmp_path / "b", folder, labels=["odd", "bad", "good"])
    found = chances(predictor, texts, ("odd", "bad", "good"))
    np.testing.assert_allclose(found, expected(classifier, texts), atol=1e-5)


def test_a_label_that_the_model_cannot_answer_is_told(tmp_path, classifier):
    with pytest.raises(TrainingError, match="the label awful"):
        adopt(tmp_path, classifier[0], dataset(("awful", "bad", "good", "odd")))


def test_operators_of_strangers_are_refused(tmp_path, exported):
    shutil.copytree(exported, tmp_path / "strange")
    path = tmp_path / "strange" / "model.onnx"
    graph = onnx.load(path)
    graph.graph.node[0].domain = "evil.example"
    graph.opset_import.append(helper.make_opsetid("evil.example", 1))
    onnx.save(graph, path)
    with pytest.raises(BaseModelError, match=r"operators of evil\.example"):
        LEARNER.look(path)


def test_tensors_from_outside_the_folder_are_refused(tmp_path, exported):
    shutil.copytree(exported, tmp_path / "outside")
    path = tmp_path / "outside" / "model.onnx"
    graph = onnx.load(path)
    tensor = next(t for t in graph.graph.initializer if len(t.raw_data) > 100)
    (tmp_path / "secret").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(BaseModelError, match="cannot be taken over"):
        LEARNER.look(path)


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x07" * 400])
def test_what_is_no_onnx_is_refused(tmp_path, content):
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(BaseModelError, match="cannot be taken over"):
        LEARNER.look(tmp_path / "model.onnx")
