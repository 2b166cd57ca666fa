"""A pretrained encoder, fine-tuned: the strongest learner of the task from a few thousand rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from luodi.contracts import (
    Choice,
    Classified,
    Estimate,
    Finding,
    FitSettings,
    Form,
    JsonValue,
    Predictor,
    Progress,
    Range,
    Request,
    Role,
    SearchSpace,
    TrainingError,
    say,
)
from luodi.project.home import cache_folder
from luodi.tasks.classes import softmax
from luodi.tasks.parts import together
from luodi.tasks.pooling import pool_weights
from luodi.tasks.text_classification.transformer_predictor import (
    HEAD,
    MODEL,
    TOKENIZER,
    TransformerPredictor,
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
            "base": {
                "name": self.base.name,
                "sha256": self.base.sha256,
                "source": self.base.source,
                "licence": self.base.licence,
            },
        }
        (folder / HEAD).write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")


class TransformerLearner:
    """Fine-tunes any encoder of the BERT family."""

    name = "transformer"
    version = 5
    refit_rows = 0  # it takes as long again: only where it is asked for
    refit_fits = 1.3
    predictor: type[Predictor] = TransformerPredictor
    space: SearchSpace = {
        "learning_rate": Choice(("auto", 3e-5, 5e-5, 1e-4, 2e-4, 3e-4, 5e-4)),
        "epochs": Choice(("auto", 1, 2, 3, 4, 5, 6, 8, 10)),
        "max_length": Range(16, 512, default=256, whole=True),
        "pooling": Choice(("both", "base", "mean", "cls")),
        "batch_tokens": Range(512, 16384, default=4096, log=True, whole=True),
        "head_rate": Range(1, 30, default=10, log=True),
        "layer_decay": Range(0.7, 1.0, default=1.0),
        "dropout": Range(0.0, 0.5, default=0.1),
        "smoothing": Range(0.0, 0.2, default=0.0),
        "balance": Choice(("auto", "none", "root", "full")),
    }

    def forms(self) -> Sequence[Form]:
        """float32, int8 and bfloat16, as far as the runtimes are installed."""
        from luodi.tasks.text_classification.transformer_forms import available_forms

        return available_forms()

    def compress(
        self, exported: Path, form: Form, requests: Sequence[Request], folder: Path
    ) -> None:
        """Write an exported model in another form; integers are calibrated on `requests`."""
        from luodi.tasks.text_classification.transformer_forms import write_form

        write_form(exported, form, requests, folder)

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """Floating-point work over what this processor was seen to do; kept to the budget."""
        from luodi.tasks.text_classification.transformer_estimate import estimate_fit

        options = settings.chosen(self.space)
        classes = len(settings.schema.answer_field("label").categories)
        epochs = passes(options["epochs"], classes, data.rows)
        return estimate_fit(data, settings, options, epochs)

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> TransformerFitted:
        """Fine-tune on `train`; the pass that does best on `valid` is kept.

        Raises:
            BaseModelError: when the base cannot be found, trusted or licensed.
            TrainingError: when the training part is empty or training does not converge.
        """
        return _Fit(settings, settings.chosen(self.space), progress).run(train, valid)

    def refits(self, train: Dataset, valid: Dataset, settings: FitSettings) -> bool:
        """Where rows were held back."""
        return valid.rows > 0

    def refit(
        self,
        train: Dataset,
        valid: Dataset,
        settings: FitSettings,
        progress: Progress,
        chosen: Path,
    ) -> TransformerFitted:
        """As many passes over both parts as did best, at the length that was read; as sure of
        itself as the chosen one could be."""
        head = json.loads((chosen / HEAD).read_text("utf-8"))
        options = settings.chosen(self.space) | {"max_length": head["max_length"]}
        fit = _Fit(settings, options, progress, Settled(**head["settled"]))
        return fit.run(together(train, valid), valid.take(np.arange(0)))


@dataclass
class _Fit:
    """One fit, step by step."""

    settings: FitSettings
    options: Mapping[str, JsonValue]
    progress: Progress
    settled: Settled | None = None
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

        from luodi.tasks.text_classification.transformer_model import EncoderClassifier
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
            model = EncoderClassifier(base.path, len(labels), self._head(base))
            precision = choose_precision(cache_folder(), settings.threads)
            used = used_ids(rows.examples.tokens, model.encoder.config.vocab_size, pad)
            model.prepare(used, dtype_of(precision))
            truth = judged.examples.targets
            model.class_weights = self._class_weights(rows.examples.targets, len(labels))
            key = loop_key(
                TransformerLearner.version, base.sha256, settings.seed, dict(options), labels,
                precision, digest_examples(rows.examples), digest_examples(judged.examples),
                settings.metric.name,
            )  # fmt: skip
            recipe = Recipe(
                epochs=self.settled.passes
                if self.settled
                else passes(options["epochs"], len(labels), len(rows.examples)),
                rate=learning_rate(options["learning_rate"], model.encoder.config.hidden_size),
                length=length,
                tokens=int(options["batch_tokens"]),
                pad=pad,
            )
            loop = Loop(settings.folder, settings.seed, clock, _reserve(base.path), key)
            trained = train_model(
                model,
                (rows.examples, judged.examples),
                recipe,
                loop,
                self._judge(truth, labels),
                self.progress,
            )
        finally:
            torch.set_num_threads(threads)
        self.findings += trained.findings
        return model, trained

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
