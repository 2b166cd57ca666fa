"""A fine-tuned classifier as one ONNX file in float32."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from luodi.compression.export import export_onnx
from luodi.tasks.text_classification.transformer_model import EncoderClassifier


def export_classifier(
    model: EncoderClassifier,
    base: Path,
    samples: Sequence[NDArray[np.int32]],
    pad: int,
    path: Path,
) -> float:
    """Write the classifier; returns the largest difference of scores over the samples.

    Args:
        model: as trained, its weights perhaps in bfloat16; they are exported in float32.
        base: the folder that it started from, for the encoder's shape.
        samples: real texts as tokens.
        pad: the id that fills up a batch.
        path: where to write.
    """
    plain = model.in_float32(base)
    examples = padded_examples(samples, pad)
    axes = {0: "batch", 1: "tokens"}
    return export_onnx(
        plain,
        examples,
        {"input_ids": axes, "attention_mask": axes, "scores": {0: "batch"}},
        path,
    )


def padded_examples(
    samples: Sequence[NDArray[np.int32]], pad: int
) -> list[dict[str, torch.Tensor]]:
    """Batches of several shapes, the first with padding in it so that the mask is traced."""
    found = []
    for start in range(0, len(samples), 8):
        texts = samples[start : start + 8]
        longest = max(len(text) for text in texts) + (1 if start == 0 else 0)
        ids = torch.full((len(texts), longest), pad, dtype=torch.int64)
        mask = torch.zeros((len(texts), longest), dtype=torch.int64)
        for place, text in enumerate(texts):
            ids[place, : len(text)] = torch.from_numpy(text.astype(np.int64))
            mask[place, : len(text)] = 1
        found.append({"input_ids": ids, "attention_mask": mask})
    first = {name: value[:1] for name, value in found[0].items()}
    return [found[0], first, *found[1:]]
