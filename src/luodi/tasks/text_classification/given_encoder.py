"""Taking over a Transformers folder that holds a sequence classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from luodi.compression.export import export_onnx
from luodi.contracts import (
    BaseModelError,
    Dataset,
    Finding,
    FitSettings,
    Foreign,
    JsonValue,
    Progress,
    say,
)
from luodi.project.home import cache_folder
from luodi.tasks.given import adopted_finding, order_of, output_labels
from luodi.tasks.text_classification.given_texts import (
    EncoderFitted,
    length_of,
    names_of,
    read_texts,
)
from luodi.tasks.text_classification.transformer_export import padded_examples
from luodi.tasks.text_classification.transformer_texts import load_tokenizer, parity_samples
from luodi.training.bases import BaseFolder, resolve_base
from luodi.training.bases.folder import check_config

KIND = "Transformers"


def look_at_folder(folder: Path) -> Foreign:
    """What its config.json says."""
    return Foreign(KIND, labels=names_of(_checked(folder)))


def _checked(folder: Path) -> dict[str, JsonValue]:
    """The folder's config.

    Raises:
        BaseModelError: it is no sequence classifier, or one of several labels a text.
    """
    config = check_config(folder)
    made = " ".join(config.get("architectures") or [])
    several = config.get("problem_type")
    if "ForSequenceClassification" in made and several in (None, "single_label_classification"):
        return config
    raise BaseModelError(
        say(
            f"{folder.name} is {made or 'of no architecture'}"
            + (f", {several}." if several else "."),
            f"{folder.name} 的结构为 {made or '未写明'}" + (f"，{several}。" if several else "。"),
        ),
        say(
            "Expected a ...ForSequenceClassification that gives one label a text.",
            "应为每条文本一个标签的 ...ForSequenceClassification。",
        ),
        say(
            "To learn a classifier from an encoder, set model.learner: transformer.",
            "如需在编码器上训练分类器，请设置 model.learner: transformer。",
        ),
    )


@dataclass(frozen=True)
class FolderFitted(EncoderFitted):
    """A classifier in memory.

    Attributes:
        module: ids and mask to (n, k) scores, in the question's order.
        examples: batches to trace and compare on.
    """

    module: nn.Module
    examples: Sequence[dict[str, torch.Tensor]]

    def write_model(self, path: Path) -> None:
        """As one ONNX file, held against the classifier itself."""
        axes = {0: "batch", 1: "tokens"}
        names = {"input_ids": axes, "attention_mask": axes, "scores": {0: "batch"}}
        export_onnx(self.module, self.examples, names, path)


class _Scores(nn.Module):
    """A classifier's logits, in the question's order."""

    def __init__(self, model: Any, order: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("order", torch.tensor(list(order)))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(batch, tokens) ids and 0/1 mask -> (batch, classes)."""
        logits = self.model(input_ids=ids, attention_mask=mask).logits
        return logits.index_select(1, self.order)  # type: ignore[no-any-return]


def adopt_folder(
    folder: Path, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
) -> FolderFitted:
    """A folder as a model of the question; see `GivenLearner.fit`."""
    config = _checked(folder)
    base = resolve_base(str(folder), settings.licence, cache_folder(), progress)
    labels = settings.schema.answer_field("label").categories
    model = _load(base)
    outputs = int(model.config.num_labels)
    names = output_labels(names_of(config), settings.options.get("labels"), outputs, labels)
    if outputs == 1:
        raise BaseModelError(
            say(f"{folder.name} has one output: it answers with a number.",
                f"{folder.name} 只有一个输出：给出的是数值。"),
            say("Expected one output a label.", "应为每个标签一个输出。"),
        )  # fmt: skip
    tokenizer, pad = load_tokenizer(base.path)
    length = length_of(base.path, tokenizer, settings.options.get("max_length"))
    rows, judged, found = read_texts(train, valid, labels, tokenizer, length)
    samples = parity_samples(judged.examples, rows.examples)
    findings: list[Finding] = [adopted_finding(KIND, folder.name), *found]
    return FolderFitted(
        tokenizer=tokenizer,
        labels=labels,
        length=length,
        pad=pad,
        name=folder.name,
        licence=base.licence,
        findings=findings,
        module=_Scores(model, order_of(names, labels)),
        examples=padded_examples(samples, pad),
    )


def _load(base: BaseFolder) -> Any:
    import transformers

    try:
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            base.path,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            attn_implementation="eager",
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BaseModelError(
            say(
                f"Transformers cannot load {base.name}: {error}",
                f"Transformers 无法加载 {base.name}：{error}",
            ),
            say("Expected a sequence classifier.", "应为序列分类器。"),
        ) from error
    return model.eval()
