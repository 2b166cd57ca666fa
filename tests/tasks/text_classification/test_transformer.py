from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from luodi.contracts import (
    ROW,
    BaseModelError,
    BundleError,
    Dataset,
    FitSettings,
    Quiet,
    Role,
    TrainingError,
)
from luodi.tasks.ensemble import log_chance
from luodi.tasks.pooling import pool_weights
from luodi.tasks.text_classification import task
from luodi.tasks.text_classification.transformer import TransformerLearner
from luodi.tasks.text_classification.transformer_fit import (
    TransformerFitted,
    learning_rate,
    passes,
)
from luodi.tasks.text_classification.transformer_predictor import TransformerPredictor
from luodi.tasks.text_classification.transformer_texts import Rows, truncated_finding
from luodi.testing import Trial, check_task
from luodi.training.batching import Examples
from luodi.training.budget import Plan, fit_plan
from tests.tiny_base import NEUTRAL, POLAR

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _data(count: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    rows = []
    for row in range(count):
        words = [str(word) for word in rng.choice(NEUTRAL, rng.integers(1, 12))]
        polar = POLAR[:4] if row % 2 else POLAR[4:]
        words += [str(word) for word in rng.choice(polar, 3)]
        rng.shuffle(words)
        rows.append({"text": " ".join(words), "label": "yes" if row % 2 else "no", ROW: row})
    return Dataset(pl.DataFrame(rows), {Role.TEXT: ("text",), Role.LABEL: ("label",)})


TRAIN, VALID = _data(240, 0), _data(60, 1)


def _settings(base: str | None, folder: Path, **more: Any) -> FitSettings:
    options: Mapping[str, Any] = {
        "learning_rate": 3e-3, "epochs": 4, "max_length": 32, "batch_tokens": 512,
        "head_rate": 1.0, **more.pop("options", {}),
    }  # fmt: skip
    return FitSettings(
        task.schema(TRAIN), task.metrics[0], folder / "scratch", base=base, options=options, **more
    )


def _fit(base: str | None, folder: Path, train: Dataset = TRAIN, **more: Any) -> TransformerFitted:
    return TransformerLearner().fit(train, VALID, _settings(base, folder, **more), Quiet())


@pytest.fixture(scope="module")
def exported(base: str, own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    _fit(base, folder).export(folder / "model")
    return folder / "model"


def _probabilities(answers: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    return np.array([list(answer["probabilities"].values()) for answer in answers])


def test_what_is_learnt_is_what_the_predictor_answers(exported: Path) -> None:
    predictor = TransformerPredictor.load(exported, 1)
    answers = predictor.predict(task.requests(VALID, task.schema(TRAIN)))
    truth = VALID.table["label"].to_list()
    right = [answer["label"] == label for answer, label in zip(answers, truth, strict=True)]
    assert np.mean(right) > 0.9
    np.testing.assert_allclose(_probabilities(answers).sum(1), 1.0, atol=1e-9)
    assert list(answers[0]["probabilities"]) == ["no", "yes"]


def test_the_export_answers_as_the_model_in_memory(
    base: str, exported: Path, tmp_path: Path
) -> None:
    fitted = _fit(base, tmp_path)
    plain = fitted.model.in_float32(fitted.base.path)
    fitted.tokenizer.enable_truncation(32)
    texts = VALID.table["text"].to_list()[:8]
    with torch.inference_mode():
        expected = [
            torch.softmax(plain(torch.tensor([fitted.tokenizer.encode(text).ids])), 1)[0].tolist()
            for text in texts
        ]
    answers = TransformerPredictor.load(exported, 1).predict([{"text": text} for text in texts])
    np.testing.assert_allclose(_probabilities(answers), expected, atol=1e-5)


def test_the_other_requests_of_a_call_change_no_answer(exported: Path) -> None:
    predictor = TransformerPredictor.load(exported, 1)
    requests = (
        task.requests(VALID, task.schema(TRAIN)) * 3
    )  # more than the few whose tokens are remembered
    together = _probabilities(predictor.predict(requests))
    alone = _probabilities([predictor.predict([request])[0] for request in requests[:60]])
    np.testing.assert_allclose(together[:60], alone, atol=1e-5)
    np.testing.assert_allclose(together[60:120], alone, atol=1e-5)


def test_same_seed_same_model_and_another_seed_another(base: str, tmp_path: Path) -> None:
    answers = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        _fit(base, tmp_path / name, seed=seed).export(tmp_path / name / "out")
        predictor = TransformerPredictor.load(tmp_path / name / "out", 1)
        answers.append(_probabilities(predictor.predict(task.requests(VALID, task.schema(TRAIN)))))
    assert np.array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])


def test_a_long_text_is_cut_and_the_answer_says_so(exported: Path) -> None:
    predictor = TransformerPredictor.load(exported, 1)
    long, short = predictor.predict([{"text": "good " * 40}, {"text": "good"}])
    assert long["truncated"] is True
    assert "truncated" not in short
    assert predictor.cost({"text": "good " * 40}) == predictor.reads == 32
    assert predictor.cost({"text": "good bad"}) == 4


def test_empty_calls_and_empty_texts_are_answered(exported: Path) -> None:
    predictor = TransformerPredictor.load(exported, 1)
    assert predictor.predict([]) == []
    assert predictor.predict([{"text": ""}])[0]["label"] in ("yes", "no")


def test_texts_cut_in_training_are_counted_by_class(base: str, tmp_path: Path) -> None:
    fitted = _fit(base, tmp_path, options={"max_length": 8, "epochs": 1})
    finding = next(f for f in fitted.findings if f.code == "truncated")
    words = TRAIN.table["text"].str.split(" ").list.len()
    assert finding.count == int((words > 6).sum())
    assert sum(finding.details["by_class"].values()) == finding.count
    assert set(finding.details["by_class"]) == {"yes", "no"}
    told = {record["label"]: record["cut short"] for record in finding.examples}  # in the report
    assert told == finding.details["by_class"]


def test_texts_that_the_budget_cuts_further_are_counted_once() -> None:
    lengths, labels = [40, 120, 200, 200], ("no", "yes")
    tokens = [np.ones(length, np.int32) for length in lengths]
    examples = Examples(tokens, np.array([0, 0, 1, 1]), np.ones(4, np.float32))
    rows = Rows(examples, np.array([False, False, True, False]))  # one was longer than 200
    assert truncated_finding(rows, labels, 200).count == 1
    wish, none = Plan(2, 200, 4), examples.lengths[:0]
    plan, (shorter,) = fit_plan(wish, examples.lengths, none, pace=1.0, seconds=800.0)
    assert (plan.length, shorter.code, shorter.count) == (110, "budget-length", 0)
    finding = truncated_finding(rows, labels, plan.length)
    assert "budget" in finding.remedy
    assert (finding.count, finding.details["by_class"]) == (3, {"no": 1, "yes": 2})
    assert finding.examples[0] == {"label": "yes", "cut short": 2, "rows": 2, "share": 1.0}


@pytest.mark.alone
def test_the_budget_is_kept_with_findings(base: str, tmp_path: Path) -> None:
    fitted = _fit(base, tmp_path, budget=6.5, options={"epochs": 20, "batch_tokens": 512})
    assert fitted.history
    assert fitted.history[-1]["seconds"] < 6.5
    assert any(finding.code.startswith("budget-") for finding in fitted.findings)


def test_rare_classes_count_for_more_when_the_metric_counts_classes_alike(
    base: str, tmp_path: Path
) -> None:
    macro = next(metric for metric in task.metrics if metric.name == "macro_f1")
    rows = np.array([row for row in range(240) if row % 2 == 0 or row % 12 == 1])
    settings = _settings(base, tmp_path, options={"epochs": 1})
    for metric, weighted in ((task.metrics[0], False), (macro, True)):
        chosen = FitSettings(
            settings.schema, metric, tmp_path / metric.name, base=base, options=settings.options
        )
        fitted = TransformerLearner().fit(TRAIN.take(rows), VALID, chosen, Quiet())
        weights = fitted.model.class_weights
        assert (weights is not None) == weighted
        if weights is not None:
            assert weights[1] / weights[0] == pytest.approx((120 / 20) ** 0.5)


@pytest.mark.parametrize("pooling", ["mean", "cls", "both"])
def test_every_pooling_exports(base: str, tmp_path: Path, pooling: str) -> None:
    fitted = _fit(base, tmp_path, options={"pooling": pooling, "epochs": 1})
    fitted.export(tmp_path / "out")
    assert (tmp_path / "out" / "model.onnx").is_file()


def test_the_base_and_its_licence_are_recorded(base: str, exported: Path, tmp_path: Path) -> None:
    head = json.loads((exported / "transformer.json").read_text(encoding="utf-8"))
    assert head["base"]["licence"] == "unknown"
    assert len(head["base"]["sha256"]) == 64
    with pytest.raises(BaseModelError, match="unknown"):
        _fit(base, tmp_path, licence="commercial")


def test_nothing_to_learn_from_is_told(base: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="empty"):
        _fit(base, tmp_path, train=TRAIN.take(np.array([], dtype=np.int64)))


def test_a_fit_can_be_estimated_without_fitting(base: str, tmp_path: Path) -> None:
    learner = TransformerLearner()
    few = learner.estimate(TRAIN.take(np.arange(20)), _settings(base, tmp_path))
    many = learner.estimate(TRAIN, _settings(base, tmp_path))
    assert 0 < few.seconds <= many.seconds
    assert learner.estimate(TRAIN, _settings(base, tmp_path, budget=3.0)).seconds <= 3.0
    assert many.bytes > 5e8


def test_it_keeps_the_contract_of_every_learner(base: str, tmp_path: Path) -> None:
    options = {"learning_rate": 3e-3, "epochs": 1, "max_length": 16, "batch_tokens": 512}
    trial = Trial(base=base, options=options)
    check_task(task, _data(120, 5), tmp_path / "check", ["transformer"], {"transformer": trial})


def test_the_rate_falls_with_the_width_and_a_number_is_taken_as_it_is() -> None:
    assert learning_rate("auto", 384) == pytest.approx(3e-4)
    assert learning_rate("auto", 768) == pytest.approx(3.75e-5)
    assert learning_rate(5e-5, 384) == 5e-5


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "transformer.json"])
def test_a_damaged_export_is_told_in_words(exported: Path, tmp_path: Path, name: str) -> None:
    for file in exported.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes() if file.name != name else b"broken")
    with pytest.raises(BundleError, match="cannot be read"):
        TransformerPredictor.load(tmp_path, 1)


def test_serving_loads_neither_torch_nor_transformers(exported: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from luodi.tasks.text_classification.transformer_predictor import TransformerPredictor\n"
        f"p = TransformerPredictor.load(Path({str(exported)!r}), 1)\n"
        "p.predict([{'text': 'good'}])\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'scipy', 'onnx', 'safetensors'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_passes_follow_classes_and_rows():
    assert [passes("auto", 2, 3_000), passes("auto", 2, 12_000)] == [3, 2]
    assert passes("auto", 77, 10_000) == 5
    assert passes(4, 2, 12_000) == 4


def test_the_scores_are_as_sure_as_they_are_right(base: str, tmp_path: Path) -> None:
    """Of labels a third of which are drawn by lot: no weight on the validation part is better."""
    rng = np.random.default_rng(3)

    def noisy(data: Dataset) -> Dataset:
        lot = pl.Series(rng.random(data.rows) < 0.33)
        drawn = pl.Series(rng.choice(["yes", "no"], data.rows))
        label = pl.DataFrame({"lot": lot, "drawn": drawn, "own": data.table["label"]}).select(
            pl.when("lot").then("drawn").otherwise("own").alias("label")
        )
        return Dataset(data.table.with_columns(label["label"]), data.roles)

    train, valid = noisy(_data(240, 0)), noisy(_data(200, 1))
    settings = _settings(base, tmp_path, options={"epochs": 10})  # enough to learn some by heart
    settings.folder.mkdir()
    TransformerLearner().fit(train, valid, settings, Quiet()).export(tmp_path / "export")
    predictor = TransformerPredictor.load(tmp_path / "export", 1)
    answers = predictor.predict(task.requests(valid, task.schema(train)))
    chance = log_chance(answers, ("no", "yes"))
    truth = np.array([label == "yes" for label in valid.table["label"]], dtype=np.int64)
    assert pool_weights([chance], truth)[0] == pytest.approx(1.0, abs=0.05)
