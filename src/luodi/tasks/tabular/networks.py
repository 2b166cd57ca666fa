"""The learners `mlp` and `transformer`: trained in torch, served by ONNX Runtime without it."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from luodi.contracts import (
    Choice,
    Dataset,
    Estimate,
    FitSettings,
    JsonValue,
    Predictor,
    Range,
    SearchSpace,
    TrainingError,
    say,
)
from luodi.tasks.tabular.codes import Flavour, Floats
from luodi.tasks.tabular.fitting import (
    Fitting,
    Sample,
    TabularLearner,
    Trained,
    loss,
)
from luodi.tasks.tabular.predicting import Scorer, TabularPredictor
from luodi.tasks.tabular.target import Classes

if TYPE_CHECKING:
    from luodi.tasks.tabular.neural.embedding import Layout
    from luodi.tasks.tabular.neural.models import Network
    from luodi.tasks.tabular.neural.rows import RowExamples

MODEL, HEAD = "model.onnx", "network.json"
_BLOCK = 1024
"""Rows a run of the model."""
_EXPORT_SECONDS = 3.0
_STEPS = 2000
"""Steps that a training has, about: more passes over few rows, fewer over many."""
_FLOPS = 15e9
"""Operations a second and thread that a small network's training reaches on a plain processor."""
_ONE_THREAD = 1e9
"""Operations of a step up to which a second thread costs more in waiting than it brings."""


@dataclass(frozen=True)
class NetworkScorer:
    """A network as ONNX Runtime runs it.

    Attributes:
        content: the ONNX file.
        middle, size: what a standardised number is turned back by; None for labels.
    """

    session: Any
    content: bytes
    middle: float | None = None
    size: float = 1.0

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `export` wrote."""
        head = json.loads((folder / HEAD).read_text("utf-8"))
        return cls.open((folder / MODEL).read_bytes(), threads, head["middle"], head["size"])

    @classmethod
    def open(cls, content: bytes, threads: int, middle: float | None, size: float) -> Self:
        """A scorer over an ONNX file's bytes."""
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = max(threads, 1)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A call is over in a fraction of a millisecond: threads that spin for the next one would
        # take the processor from everybody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        return cls(session, content, middle, size)

    def export(self, folder: Path) -> None:
        """`model.onnx` and `network.json`."""
        (folder / MODEL).write_bytes(self.content)
        (folder / HEAD).write_text(json.dumps({"middle": self.middle, "size": self.size}))

    def score(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, k) probabilities, or (n,) values."""
        cells = matrix.astype(np.float32)
        parts = [
            self.session.run(None, {"cells": cells[start : start + _BLOCK]})[0]
            for start in range(0, max(len(cells), 1), _BLOCK)
        ]
        scores = np.concatenate(parts).astype(np.float64)
        if self.middle is not None:
            return np.asarray(scores[:, 0] * self.size + self.middle)
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))


class NetworkPredictor(TabularPredictor):
    """Answers by a network."""

    scorer_type: ClassVar[type[Scorer]] = NetworkScorer


_SHARED: SearchSpace = {
    "epochs": Choice(("auto", 5, 10, 20, 40, 80)),
    "batch": Choice(("auto", 32, 64, 128, 256, 512, 1024)),
    "bins": Choice((32, 8, 16, 48, 64)),
    "weight_decay": Range(1e-5, 0.3, default=0.01, log=True),
    "precision": Choice(("auto", "float32", "bfloat16"), searched=False),
}


class NetworkLearner(TabularLearner):
    """Trains a network by the shared loop: within the budget, resumable, the best pass kept."""

    flavour: ClassVar[Flavour] = "tokens"
    predictor: type[Predictor] = NetworkPredictor

    @abstractmethod
    def build(self, layout: Layout, bins: Any, options: Mapping[str, Any], outputs: int) -> Network:
        """The network, its weights drawn from torch's seed."""

    @abstractmethod
    def operations(self, fields: int, options: Mapping[str, Any]) -> float:
        """Multiplications of one row, one way."""

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """Operations over what a processor does in a second, and the memory of torch and steps."""
        options = settings.chosen(self.space)
        fields = max(len(settings.schema.request), 1)
        batch = batch_rows(options["batch"], data.rows)
        rows = data.rows * passes(options["epochs"], data.rows, batch)
        each = 6 * self.operations(fields, options)
        seconds = 5 + rows * (each / (_FLOPS * max(settings.threads, 1)) + 2e-3 / batch)
        return Estimate(
            seconds=seconds, bytes=int(6e8 + batch * each / 4 + data.rows * fields * 24)
        )

    def train(self, train: Sample, valid: Sample, fitting: Fitting) -> Trained:
        """Learn from `train`; the pass with the least loss on `valid` is kept."""
        import torch

        from luodi.training.budget import Clock

        clock = Clock(fitting.settings.budget)
        threads = torch.get_num_threads()
        torch.set_num_threads(self._threads(train.rows, fitting))
        try:
            return self._train(train, valid, fitting, clock)
        finally:
            torch.set_num_threads(threads)

    def _threads(self, rows: int, fitting: Fitting) -> int:
        options, fields = fitting.options, len(fitting.encoder.codes)
        step = 6 * self.operations(fields, options) * batch_rows(options["batch"], rows)
        return 1 if step < _ONE_THREAD else fitting.settings.threads

    def _train(self, train: Sample, valid: Sample, fitting: Fitting, clock: Any) -> Trained:
        import torch

        from luodi.project.home import cache_folder
        from luodi.tasks.tabular.neural.embedding import Layout, quantile_bins
        from luodi.training.loop import train_model
        from luodi.training.precision import choose_precision, dtype_of
        from luodi.training.recipe import Loop, Recipe, loop_key

        settings, options = fitting.settings, fitting.options
        target = fitting.target
        outputs = len(target.labels) if isinstance(target, Classes) else 1
        middle, size = _standard(train) if outputs == 1 else (None, 1.0)
        rows, judged = (_examples(part, middle, size) for part in (train, valid))
        layout = Layout.of(fitting.encoder.codes)
        bins = quantile_bins(train.matrix[:, list(layout.numbers)], int(options["bins"]))
        torch.manual_seed(settings.seed)
        model = self.build(layout, bins, options, outputs)
        precision = str(options["precision"])
        if precision == "auto":
            precision = choose_precision(cache_folder(), settings.threads)
        model.in_precision(dtype_of(precision))
        batch = batch_rows(options["batch"], len(rows))
        epochs = passes(options["epochs"], len(rows), batch)
        recipe = Recipe(epochs, float(options["learning_rate"]), 1, batch,
                        patience=max(8, epochs // 3))  # fmt: skip
        key = loop_key(self.name, self.version, settings.seed, dict(options), precision,
                       rows.digest(), judged.digest())  # fmt: skip
        loop = Loop(settings.folder, settings.seed, clock, _EXPORT_SECONDS, key)

        def judge(found: Any) -> Mapping[str, float]:
            scores = found.astype(np.float64)
            if middle is not None:
                scores = scores[:, 0] * size + middle
            value = loss(scores, valid, target)
            return {"score": -value, "loss": value}

        trained = train_model(model, (rows, judged), recipe, loop, judge, fitting.progress)
        model.in_precision(torch.float32)
        content = _exported(model, rows, settings.folder)
        scorer = NetworkScorer.open(content, settings.threads, middle, size)
        return Trained(scorer, list(trained.history), trained.findings)


class MlpLearner(NetworkLearner):
    """Fields embedded, then layers shared by many members: see `neural/models.py`."""

    name = "mlp"
    space: SearchSpace = {
        "learning_rate": Range(1e-4, 1e-2, default=2e-3, log=True),
        "width": Choice((256, 64, 128, 384, 512)),
        "depth": Choice((2, 1, 3, 4)),
        "members": Choice((8, 1, 4, 16, 32)),
        "vector": Choice((16, 8, 24, 32)),
        "dropout": Range(0.0, 0.5, default=0.1),
        **_SHARED,
    }

    def build(self, layout: Layout, bins: Any, options: Mapping[str, Any], outputs: int) -> Network:
        """A multilayer perceptron."""
        from luodi.tasks.tabular.neural.embedding import FieldVectors
        from luodi.tasks.tabular.neural.models import Mlp, Shape

        vector = int(options["vector"])
        shape = Shape(int(options["width"]), int(options["depth"]), outputs,
                      int(options["members"]), dropout=float(options["dropout"]))  # fmt: skip
        fields = FieldVectors(layout, bins, vector)
        return Mlp(fields, shape, float(options["weight_decay"]), layout.fields * vector)

    def operations(self, fields: int, options: Mapping[str, Any]) -> float:
        """Every member's layers."""
        width, vector = int(options["width"]), int(options["vector"])
        layers = fields * vector * width + (int(options["depth"]) - 1) * width**2
        return float(int(options["members"]) * layers + fields * int(options["bins"]) * vector)


class TransformerLearner(NetworkLearner):
    """Attention between fields: see `neural/models.py`."""

    name = "transformer"
    space: SearchSpace = {
        "learning_rate": Range(1e-4, 1e-2, default=1e-3, log=True),
        "width": Choice((64, 32, 96, 128, 192)),
        "depth": Choice((2, 1, 3, 4)),
        "heads": Choice((4, 2, 8)),
        "dropout": Range(0.0, 0.5, default=0.1),
        **_SHARED,
    }

    def build(self, layout: Layout, bins: Any, options: Mapping[str, Any], outputs: int) -> Network:
        """Blocks of attention."""
        from luodi.tasks.tabular.neural.embedding import FieldVectors
        from luodi.tasks.tabular.neural.models import FieldTransformer, Shape

        shape = Shape(int(options["width"]), int(options["depth"]), outputs,
                      heads=int(options["heads"]), dropout=float(options["dropout"]))  # fmt: skip
        fields = FieldVectors(layout, bins, shape.width)
        return FieldTransformer(fields, shape, float(options["weight_decay"]))

    def operations(self, fields: int, options: Mapping[str, Any]) -> float:
        """Products of each block for each field, and between the fields.

        Raises:
            TrainingError: the width cannot be dealt out to so many heads.
        """
        width, depth, heads = (int(options[name]) for name in ("width", "depth", "heads"))
        if width % heads:
            raise TrainingError(
                say(
                    f"model.options.width is {width}, and heads {heads}.",
                    f"model.options.width 为 {width}，heads 为 {heads}。",
                ),
                say("Expected a width that the heads share evenly.", "width 应能被 heads 整除。"),
            )
        block = (fields + 1) * 8 * width**2 + 2 * (fields + 1) ** 2 * width
        return float(depth * block + fields * int(options["bins"]) * width)


def batch_rows(wanted: JsonValue, rows: int) -> int:
    """Rows a step: what was asked for, else a fiftieth of all, 32 to 512, a power of two."""
    if wanted != "auto":
        return int(wanted)
    return int(min(max(2 ** round(np.log2(max(rows, 1) / 50)), 32), 512))


def passes(wanted: JsonValue, rows: int, batch: int) -> int:
    """Passes over the rows: what was asked for, else as many as make `_STEPS` steps, 10 to 60."""
    if wanted != "auto":
        return int(wanted)
    return int(min(max(round(_STEPS * batch / max(rows, 1)), 10), 60))


def _standard(train: Sample) -> tuple[float, float]:
    middle, size = float(train.truth.mean()), float(train.truth.std())
    return middle, size if size > 0 else 1.0


def _examples(part: Sample, middle: float | None, size: float) -> RowExamples:
    from luodi.tasks.tabular.neural.rows import RowExamples

    targets = part.truth.astype(np.int64) if middle is None else (
        ((part.truth - middle) / size).astype(np.float32))  # fmt: skip
    return RowExamples(part.matrix.astype(np.float32), targets, part.weight.astype(np.float32))


def _exported(model: Network, rows: RowExamples, folder: Path) -> bytes:
    """The network as ONNX, found to answer as torch does: rows with and without missing values."""
    import torch

    from luodi.compression.export import export_onnx

    places = np.unique(np.linspace(0, len(rows) - 1, 64).astype(np.int64))
    cells = torch.from_numpy(rows.cells[places])
    lacking = cells.clone()
    lacking[::2, list(model.fields.layout.numbers)] = torch.nan
    path = folder / MODEL
    export_onnx(
        model,
        [{"cells": cells}, {"cells": lacking}, {"cells": cells[:1]}],
        {"cells": {0: "rows"}, "scores": {0: "rows"}},
        path,
    )
    return path.read_bytes()
