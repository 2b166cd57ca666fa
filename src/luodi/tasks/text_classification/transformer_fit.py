"""The fine-tuning of an encoder, step by step, and what comes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from luodi.contracts import (
    Classified,
    Finding,
    FitSettings,
    JsonValue,
    Progress,
    Role,
    TrainingError,
    say,
)
from luodi.project.home import cache_folder
from luodi.tasks.classes import softmax
from luodi.tasks.pooling import pool_weights
from luodi.tasks.text_classification.transformer_predictor import (
    HEAD,
    MODEL,
    TOKENIZER,
)
from luodi.tasks.text_classification.transformer_student import (
    STUDENT_RATE,
    Lesson,
    half_of,
    student_passes,
)
from luodi.tasks.text_classification.transformer_texts import (
    Rows,
    digest_examples,
    load_tokenizer,
    parity_samples,
    position_limit,
    read_rows,
    truncated_finding,
)
from luodi.training.bases import BaseFolder, resolve_base
from luodi.training.budget import Clock

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from luodi.contracts import Dataset
    from luodi.tasks.text_classification.transformer_model import EncoderClassifier
    from luodi.training.recipe import Trained

VERSION = 5
_MANY_CLASSES = 10
_MANY_ROWS = 8_000
"""Rows from which on a few classes are learnt in two passes."""
_EXPORT_SECONDS = 6.0
"""What exporting and checking a small encoder takes; a larger one takes longer in proportion."""


@dataclass(frozen=True)
class Settled:
    """What a fit found out on the validation part: passes over the rows, and what its scores are
    multiplied with to be as sure as they are right."""

    passes: int
    sharpness: float = 1.0


@dataclass(frozen=True)
class TransformerFitted:
    """A fine-tuned encoder in memory."""

    model: EncoderClassifier
    tokenizer: Tokenizer
    base: BaseFolder
    labels: tuple[str, ...]
    max_length: int
    pad: int
    samples: Sequence[NDArray[np.int32]]
    settled: Settled
    history: Sequence[Mapping[str, float]] = ()
    findings: Sequence[Finding] = ()

    @property
    def licences(self) -> Mapping[str, str]:
        """The base's."""
        return {self.base.name: self.base.licence}

    def export(self, folder: Path) -> None:
        """Write model.onnx, tokenizer.json and transformer.json.

        Raises:
            TrainingError: when the exported model does not answer as the trained one does.
        """
        from luodi.tasks.text_classification.transformer_export import export_classifier

        folder.mkdir(parents=True, exist_ok=True)
        export_classifier(self.model, self.base.path, self.samples, self.pad, folder / MODEL)
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.tokenizer.save(str(folder / TOKENIZER), pretty=False)
        head = {
            "labels": self.labels,
            "max_length": self.max_length,
            "pad": self.pad,
            "settled": asdict(self.settled),
            **({} if self.model.layers is None else {"layers": self.model.layers}),
            "base": {
                "name": self.base.name,
                "sha256": self.base.sha256,
                "source": self.base.source,
                "licence": self.base.licence,
            },
        }
        (folder / HEAD).write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")


@dataclass
class Fit:
    """One fit, step by step.

    Attributes:
        settled: what an earlier fit found out on rows that this one learns from; it then has
            nothing to be judged on.
        lesson: what a teacher says of the rows, to be learnt in place of their labels.
    """

    settings: FitSettings
    options: Mapping[str, JsonValue]
    progress: Progress
    settled: Settled | None = None
    lesson: Lesson | None = None
    findings: list[Finding] = field(default_factory=list)

    def _usual_base(self, train: Dataset) -> str:
        """The catalogue's encoder for the script that the texts are written in."""
        text = "".join(train.table[train.column(Role.TEXT)].head(500).drop_nulls().to_list())
        han = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
        name = "bge-small-zh" if han > 0.2 * len(text) else "minilm-en"
        self.progress.say(
            say(f"model.base is not set: taking {name}.", f"未设置 model.base，采用 {name}。")
        )
        return name

    def run(self, train: Dataset, valid: Dataset) -> TransformerFitted:
        """Read, train, and make the scores as sure as they are right.

        Raises:
            BaseModelError: when the base cannot be found, trusted or licensed.
            TrainingError: when the training part is empty or training does not converge.
        """
        clock = Clock(self.settings.budget)
        if not train.rows:
            raise TrainingError(say("The training part is empty.", "训练集为空。"))
        wanted = self.settings.base or self._usual_base(train)
        base = resolve_base(wanted, self.settings.licence, cache_folder(), self.progress)
        labels = self.settings.schema.answer_field("label").categories
        tokenizer, pad = load_tokenizer(base.path)
        length = min(int(self.options["max_length"]), position_limit(base.path))
        rows = read_rows(train, labels, tokenizer, length)
        judged = read_rows(valid, labels, tokenizer, length)
        if finding := truncated_finding(rows, labels, length):
            self.progress.say(finding.message)
        model, trained = self._train(base, rows, judged, pad, clock, length)
        settled = self.settled or Settled(trained.passes, _sharpness(trained, judged))
        model.sharpen(settled.sharpness)
        plan_length = trained.plan.length
        # Counted once, at the length that the budget left.
        if finding := truncated_finding(rows, labels, plan_length):
            self.findings.append(finding)
        return TransformerFitted(
            model,
            tokenizer,
            base,
            labels,
            plan_length,
            pad,
            parity_samples(judged.examples, rows.examples),
            settled,
            () if self.settled else trained.history,  # nothing was left to watch it on
            tuple(self.findings),
        )

    def _train(
        self, base: BaseFolder, rows: Rows, judged: Rows, pad: int, clock: Clock, length: int
    ) -> tuple[EncoderClassifier, Trained]:
        import torch

        from luodi.training.embedding import used_ids
        from luodi.training.loop import train_model
        from luodi.training.precision import choose_precision, dtype_of
        from luodi.training.recipe import Loop, Recipe, loop_key

        settings, options = self.settings, self.options
        labels = settings.schema.answer_field("label").categories
        threads = torch.get_num_threads()
        torch.set_num_threads(settings.threads)
        try:
            torch.manual_seed(settings.seed)
            model = self._model(base, len(labels))
            precision = choose_precision(cache_folder(), settings.threads)
            learnt = rows.examples
            used = used_ids(learnt.tokens, model.encoder.config.vocab_size, pad)
            model.prepare(used, dtype_of(precision))
            truth = judged.examples.targets
            if self.lesson is None:
                model.class_weights = self._class_weights(learnt.targets, len(labels))
            else:
                learnt = replace(learnt, targets=self.lesson.said)
            key = loop_key(
                VERSION, base.sha256, settings.seed, dict(options), labels,
                precision, digest_examples(learnt), digest_examples(judged.examples),
                settings.metric.name,
            )  # fmt: skip
            recipe = Recipe(
                epochs=self._passes(len(labels), len(learnt)),
                rate=self._rate(model.encoder.config.hidden_size),
                length=length,
                tokens=int(options["batch_tokens"]),
                pad=pad,
            )
            loop = Loop(settings.folder, settings.seed, clock, _reserve(base.path), key)
            trained = train_model(
                model,
                (learnt, judged.examples),
                recipe,
                loop,
                self._judge(truth, labels),
                self.progress,
            )
        finally:
            torch.set_num_threads(threads)
        self.findings += trained.findings
        return model, trained

    def _model(self, base: BaseFolder, classes: int) -> EncoderClassifier:
        from luodi.tasks.text_classification.transformer_model import EncoderClassifier, Student

        if self.lesson is None:
            return EncoderClassifier(base.path, classes, self._head(base))
        layers = self.lesson.layers or half_of(base.path)
        model = Student(base.path, classes, self._head(base), layers=layers)
        told = say(
            f"The student keeps {layers} of the base's layers.", f"学生模型保留基座的 {layers} 层。"
        )
        self.findings.append(Finding("student", "info", layers, told))
        return model

    def _passes(self, classes: int, rows: int) -> int:
        wanted = passes(self.options["epochs"], classes, rows)
        return wanted if self.lesson is None else student_passes(wanted)

    def _rate(self, width: int) -> float:
        wanted = self.options["learning_rate"]
        faster = STUDENT_RATE if self.lesson is not None and wanted == "auto" else 1.0
        return learning_rate(wanted, width) * faster

    def _head(self, base: BaseFolder) -> Any:
        from luodi.tasks.text_classification.transformer_model import Head

        pooling = str(self.options["pooling"])
        return Head(
            pooling=base.pooling if pooling == "base" else pooling,
            dropout=float(self.options["dropout"]),
            smoothing=float(self.options["smoothing"]),
            rate=float(self.options["head_rate"]),
            layer_decay=float(self.options["layer_decay"]),
        )

    def _class_weights(self, targets: NDArray[np.int64], classes: int) -> Any:
        """Rare classes count for more when the metric chosen on counts classes alike.

        By default by the root of their rarity: full balance would spoil the probabilities.
        """
        import torch

        balance = str(self.options["balance"])
        if balance == "auto":
            per_class = self.settings.metric.name in {"macro_f1", "recall", "balanced_accuracy"}
            balance = "root" if per_class else "none"
        if balance == "none":
            return None
        counts = np.maximum(np.bincount(targets, minlength=classes), 1).astype(np.float64)
        weights = (counts.mean() / counts) ** (0.5 if balance == "root" else 1.0)
        return torch.from_numpy((weights / weights[targets].mean()).astype(np.float32))

    def _judge(self, truth: NDArray[np.int64], labels: tuple[str, ...]) -> Any:
        metric = self.settings.metric
        sign = 1.0 if metric.higher_is_better else -1.0

        def judge(scores: NDArray[np.float32]) -> dict[str, float]:
            chance = softmax(scores.astype(np.float64))
            rows = np.arange(len(truth))
            scored = Classified(
                weight=np.ones(len(truth)),
                cluster=rows.astype(np.int64),
                truth=truth,
                predicted=chance.argmax(1).astype(np.int64),
                probability=chance,
                labels=labels,
            )
            value = float(metric.compute(scored, np.ones((1, len(truth))))[0])
            hit = np.maximum(chance[rows, truth], 1e-15)
            return {
                "score": sign * value if np.isfinite(value) else -np.inf,
                metric.name: value,
                "loss": float(-np.log(hit).mean()),
            }

        return judge


def _sharpness(trained: Trained, judged: Rows) -> float:
    """By the rows that were held out; 1 where there are none."""
    if trained.outputs is None:
        return 1.0
    [weight] = pool_weights([trained.outputs.astype(np.float64)], judged.examples.targets)
    return weight


def passes(wanted: JsonValue, classes: int, rows: int) -> int:
    """Passes over the rows: what was asked for, else by the number of classes and of rows.

    Many classes have few rows each and take five passes to tell apart. Few classes are learnt in
    three: on 3,000 noisy reviews a five-pass schedule was at its best, unannealed, in the second.
    Of many rows, two: on 12,000 reviews the third made the validation loss worse.
    """
    if wanted != "auto":
        return int(wanted)
    if classes >= _MANY_CLASSES:
        return 5
    return 3 if rows < _MANY_ROWS else 2


def learning_rate(wanted: JsonValue, width: int) -> float:
    """The peak rate: what was asked for, else by the encoder's width.

    3e-4 for a width of 384, falling with the cube of the width: 1.3e-4 for 512, 3.8e-5 for the
    usual 768. At 512, 1e-4 did better than 1.7e-4 and more; 768 is as BERT's makers advise.
    """
    if wanted != "auto":
        return float(wanted)
    return min(max(3e-4 * (384 / width) ** 3, 2e-5), 5e-4)


def _reserve(folder: Path) -> float:
    """Seconds to leave for the export: in proportion to the weights."""
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return _EXPORT_SECONDS * max(size / 90e6, 1.0)
