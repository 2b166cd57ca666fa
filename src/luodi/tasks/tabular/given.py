"""The learner `given` on tables: a model that was trained elsewhere, taken over as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self, cast

from luodi.contracts import (
    BaseModelError,
    Choice,
    Dataset,
    Estimate,
    FitSettings,
    Fitted,
    Foreign,
    Predictor,
    Progress,
    SearchSpace,
    say,
)
from luodi.tasks.given import given_path, nothing_there
from luodi.tasks.tabular.given_graph import HEAD, GraphPredictor
from luodi.tasks.tabular.given_trees import GivenTreePredictor, LightGbmText, adopt_trees

_EXPECTED = (
    "a LightGBM text file (booster.save_model) or an ONNX file, such as skl2onnx writes",
    "LightGBM 文本文件（booster.save_model）或 ONNX 文件（例如 skl2onnx 所写）",
)


class GivenPredictor:
    """Reads what the learner exported: trees or a graph, each with its own predictor."""

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """A `GraphPredictor` or a `GivenTreePredictor`."""
        kind: Any = GraphPredictor if (folder / HEAD).is_file() else GivenTreePredictor
        return cast(Self, kind.load(folder, threads))


class GivenLearner:
    """Learns nothing. What it takes over answers as it did, to the last digit that counts.

    Its probabilities are calibrated only where the project asks for a calibration by name; where
    the project names costs, the threshold is chosen by them; numbers get an interval from the
    validation part.
    """

    name = "given"
    version = 1
    predictor: type[Predictor] = cast("type[Predictor]", GivenPredictor)
    space: SearchSpace = {
        "labels": Choice((None,), listed="names"),
        "columns": Choice((None,), listed="names"),
    }

    def look(self, path: Path) -> Foreign:
        """What is at `path`: LightGBM's text, or an ONNX file."""
        file = _file(path)
        if file.suffix.lower() == ".onnx":
            from luodi.tasks.tabular.given_onnx import look_at_graph

            return look_at_graph(file)
        return LightGbmText.read(_text(file), file).foreign()

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """Some answers, for the decision."""
        return Estimate(seconds=2.0 + data.rows * 1e-5, bytes=int(3e8))

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> Fitted:
        """Take the model over; decide on the validation part.

        Raises:
            BaseModelError: nothing there that can be taken over.
            TrainingError: its columns or labels are not the question's.
        """
        file = _file(given_path(settings))
        if file.suffix.lower() == ".onnx":
            from luodi.tasks.tabular.given_onnx import adopt_graph

            return adopt_graph(file, valid, settings)
        return adopt_trees(file, _text(file), train, valid, settings)


def _file(path: Path) -> Path:
    """The model's file; in a folder the only one that could be."""
    if path.is_dir():
        found = [*path.glob("*.onnx"), *path.glob("*.txt"), *path.glob("*.lgb")]
        path = found[0] if len(found) == 1 else path
    if path.is_file() and (path.suffix.lower() == ".onnx" or _is_lightgbm(path)):
        return path
    raise nothing_there(path, say(*_EXPECTED))


def _is_lightgbm(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(5) == b"tree\n"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BaseModelError(
            say(f"{path} is not UTF-8: {error}.", f"{path} 不是 UTF-8：{error}。")
        ) from error
