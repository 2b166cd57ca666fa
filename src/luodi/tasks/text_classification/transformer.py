"""A pretrained encoder, fine-tuned: the strongest learner of the task from a few thousand rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from luodi.contracts import (
    Answer,
    Choice,
    Estimate,
    FitSettings,
    Form,
    Predictor,
    Progress,
    Range,
    Request,
    SearchSpace,
)
from luodi.tasks.parts import together
from luodi.tasks.text_classification.transformer_fit import (
    VERSION,
    Fit,
    Settled,
    TransformerFitted,
    passes,
)
from luodi.tasks.text_classification.transformer_predictor import HEAD, TransformerPredictor
from luodi.tasks.text_classification.transformer_student import lesson_of

if TYPE_CHECKING:
    from luodi.contracts import Dataset


class TransformerLearner:
    """Fine-tunes any encoder of the BERT family."""

    name = "transformer"
    version = VERSION
    refit_rows = 0  # it takes as long again: only where it is asked for
    refit_fits = 1.3
    distil_fits = 1.5
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
        return Fit(settings, settings.chosen(self.space), progress).run(train, valid)

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
        settled = Settled(**head["settled"])
        known = {"max_length": head["max_length"], "epochs": settled.passes}
        fit = Fit(settings, settings.chosen(self.space) | known, progress, settled)
        return fit.run(together(train, valid), valid.take(np.arange(0)))

    def distil(
        self,
        train: Dataset,
        valid: Dataset,
        settings: FitSettings,
        progress: Progress,
        answers: Sequence[Answer],
        layers: int | None,
    ) -> TransformerFitted:
        """The base with fewer of its layers, taught by `answers`; the pass that does best on
        `valid` is kept.

        Raises:
            BaseModelError: when the base cannot be found, or has no layers to leave out.
            TrainingError: when it has no more layers than are asked for.
        """
        labels = settings.schema.answer_field("label").categories
        lesson = lesson_of(answers, labels, layers)
        options = settings.chosen(self.space)
        return Fit(settings, options, progress, lesson=lesson).run(train, valid)
