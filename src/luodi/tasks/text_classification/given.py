"""The learner `given`: a text classifier that was trained elsewhere, taken over as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from luodi.contracts import (
    Choice,
    Dataset,
    Estimate,
    FitSettings,
    Fitted,
    Foreign,
    Form,
    Predictor,
    Progress,
    Request,
    SearchSpace,
    TrainingError,
    say,
)
from luodi.tasks.given import given_path, nothing_there
from luodi.tasks.text_classification.given_predictor import WORDS, GivenPredictor
from luodi.training.bases.folder import weights_of


class GivenLearner:
    """Learns nothing. What it takes over answers as it did where it was trained."""

    name = "given"
    version = 1
    predictor: type[Predictor] = cast("type[Predictor]", GivenPredictor)
    space: SearchSpace = {
        "labels": Choice((None,), listed="names"),
        "max_length": Choice((None, 128, 256, 512), searched=False),
    }

    def look(self, path: Path) -> Foreign:
        """What is at `path`."""
        place = _place(path)
        if place.is_dir():
            from luodi.tasks.text_classification.given_encoder import look_at_folder

            return look_at_folder(place)
        from luodi.tasks.text_classification.given_graph import look_at_graph

        return look_at_graph(place)

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """Loading, exporting and some answers."""
        return Estimate(seconds=20.0, bytes=int(1.5e9))

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> Fitted:
        """Take the model over.

        Raises:
            BaseModelError: nothing there that can be taken over.
            TrainingError: its labels are not the question's.
        """
        place = _place(given_path(settings))
        if place.is_dir():
            from luodi.tasks.text_classification.given_encoder import adopt_folder

            return adopt_folder(place, train, valid, settings, progress)
        from luodi.tasks.text_classification.given_graph import adopt_graph

        return adopt_graph(place, train, valid, settings)

    def forms(self) -> Sequence[Form]:
        """As a transformer's."""
        from luodi.tasks.text_classification.transformer_forms import available_forms

        return available_forms()

    def compress(
        self, exported: Path, form: Form, requests: Sequence[Request], folder: Path
    ) -> None:
        """An encoder in another form; a graph of words stays what it is."""
        from luodi.tasks.text_classification.transformer_forms import write_form

        if (exported / WORDS).is_file():
            raise TrainingError(
                say("a graph that takes texts is served as it is.", "接收文本的图按原样部署。")
            )
        write_form(exported, form, requests, folder)


def _place(path: Path) -> Path:
    """The Transformers folder, or the ONNX file: in a folder the only one."""
    if path.is_dir():
        if (path / "config.json").is_file() and weights_of(path):
            return path
        found = sorted(path.glob("*.onnx")) or sorted(path.glob("onnx/*.onnx"))
        plain = [file for file in found if file.name == "model.onnx"]
        if len(found) == 1 or plain:
            return (plain or found)[0]
    if path.is_file() and path.suffix.lower() == ".onnx":
        return path
    raise nothing_there(
        path,
        say(
            "a Transformers folder with a sequence classifier, an ONNX file beside its "
            "tokenizer.json, or an ONNX file that takes texts, such as skl2onnx writes",
            "含序列分类器的 Transformers 目录、与 tokenizer.json 同目录的 ONNX 文件，"
            "或直接接收文本的 ONNX 文件（例如 skl2onnx 所写）",
        ),
    )
