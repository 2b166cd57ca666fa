"""An encoder with a classification head, as it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from luodi.training.batching import Batch
from luodi.training.embedding import UsedRows
from luodi.training.encoder import keep_layers, load_encoder
from luodi.training.optimiser import Group

TEMPERATURE = 2.0
"""Softens what a teacher says: what it holds for the second likeliest is much of the lesson."""


@dataclass(frozen=True)
class Head:
    """How a text's class is read off the encoder, and what the loss is.

    Attributes:
        pooling: `mean` of all tokens, `cls` for the first one, `both` for the two side by side.
        dropout: on the pooled vector.
        smoothing: the share of probability that labels give away to all classes alike.
        rate: the head's learning rate, as a multiple of the encoder's.
        layer_decay: each layer's rate as a share of the one above it.
        encoder_dropout: inside the encoder.
    """

    pooling: str = "mean"
    dropout: float = 0.1
    smoothing: float = 0.0
    rate: float = 10.0
    layer_decay: float = 1.0
    encoder_dropout: float = 0.0
    decay: float = 0.01


class EncoderClassifier(nn.Module):
    """tokens -> encoder -> pooled vector -> linear layer -> (batch, classes) logits.

    Args:
        layers: how many of the encoder's are kept; None for all.
    """

    def __init__(
        self,
        base: Path,
        classes: int,
        head: Head,
        attention: str = "luodi",
        layers: int | None = None,
    ) -> None:
        super().__init__()
        self.settings, self.layers = head, layers
        self.encoder = load_encoder(base, attention, head.encoder_dropout)
        if layers is not None:
            keep_layers(self.encoder, layers)
        width = int(self.encoder.config.hidden_size) * (2 if head.pooling == "both" else 1)
        self.dropout = nn.Dropout(head.dropout)
        self.head = nn.Linear(width, classes)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.class_weights: torch.Tensor | None = None

    def prepare(self, used: NDArray[np.int64], dtype: torch.dtype) -> None:
        """Get ready to learn: the encoder in `dtype`, only the token rows in `used` learnt."""
        embedding = self.encoder.get_input_embeddings()
        rows = UsedRows(embedding.weight, used, dtype)
        self.encoder.to(dtype)
        self.encoder.set_input_embeddings(rows)
        for name, parameter in self.encoder.named_parameters():
            # One row serves every token: the next layer's bias says the same, and thousands of
            # gradients added up in bfloat16 would be lost in its 8 bits.
            if "token_type_embeddings" in name:
                parameter.requires_grad_(False)

    def in_float32(self, base: Path) -> EncoderClassifier:
        """The same classifier, made anew for export: float32, plain attention, plain embedding."""
        classes = self.head.out_features
        plain = EncoderClassifier(base, classes, self.settings, "eager", self.layers)
        state = {name: value.float() for name, value in self.state_dict().items()}
        embedding = self.encoder.get_input_embeddings()
        if isinstance(embedding, UsedRows):
            stem = next(name for name, module in self.named_modules() if module is embedding)
            state.pop(f"{stem}.rows")
            state[f"{stem}.weight"] = embedding.weight
        plain.load_state_dict({**plain.state_dict(), **state})
        return plain.eval()

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor | None = None, **more: Any
    ) -> torch.Tensor:
        """(batch, tokens) ids and 0/1 mask -> (batch, classes) logits in float32."""
        if mask is None:
            mask = torch.ones_like(ids)
        states = self.encoder(input_ids=ids, attention_mask=mask, **more).last_hidden_state
        scores: torch.Tensor = self.head(self.dropout(pool(states, mask, self.settings.pooling)))
        return scores

    def loss(self, batch: Batch) -> torch.Tensor:
        """Softmax cross-entropy, averaged over the batch by row and class weights."""
        logits = self(batch.ids, batch.mask)
        losses = functional.cross_entropy(
            logits, batch.targets, reduction="none", label_smoothing=self.settings.smoothing
        )
        weights = batch.weights
        if self.class_weights is not None:
            weights = weights * self.class_weights[batch.targets]
        return (losses * weights).sum() / weights.sum().clamp_min(1e-8)

    def outputs(self, batch: Batch) -> torch.Tensor:
        """Logits, with nothing dropped: (batch, classes)."""
        logits: torch.Tensor = self(batch.ids, batch.mask)
        return logits

    def sharpen(self, weight: float) -> None:
        """Multiply all scores: below one, the model was surer of itself than it was right."""
        with torch.no_grad():
            self.head.weight.mul_(weight)
            self.head.bias.mul_(weight)

    def groups(self) -> Sequence[Group]:
        """Weights by rate and decay: no decay on biases, norms and embeddings."""
        layers = max(int(getattr(self.encoder.config, "num_hidden_layers", 1)), 1)
        found: dict[tuple[float, float], dict[str, nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if not parameter.requires_grad:
                continue
            decay = 0.0 if parameter.ndim < 2 or "embedding" in name else self.settings.decay
            if name.startswith("head."):
                rate = self.settings.rate
            else:
                rate = self.settings.layer_decay ** (layers - 1 - _layer(name))
            found.setdefault((rate, decay), {})[name] = parameter
        return [Group(parameters, *key) for key, parameters in found.items()]


class Student(EncoderClassifier):
    """Learns what another model said: a batch's targets are (batch, classes) log-probabilities.

    Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network"
    (arXiv:1503.02531); layers taken over from the base, as DistilBERT does (arXiv:1910.01108).
    """

    def loss(self, batch: Batch) -> torch.Tensor:
        """How far the student's distribution lies from the teacher's, both softened."""
        found = functional.log_softmax(self(batch.ids, batch.mask) / TEMPERATURE, dim=1)
        taught = functional.log_softmax(batch.targets / TEMPERATURE, dim=1)
        distance = functional.kl_div(found, taught, reduction="batchmean", log_target=True)
        return distance * TEMPERATURE**2


def _layer(name: str) -> int:
    """Which layer a weight belongs to, from 0; -1 for embeddings."""
    numbers = [int(part) for part in name.split(".") if part.isdigit()]
    return numbers[0] if numbers and "embedding" not in name else -1


def pool(states: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """(batch, tokens, hidden) -> (batch, hidden or twice hidden), in float32."""
    states = states.float()
    if pooling == "cls":
        return states[:, 0]
    shares = mask.unsqueeze(-1).to(states.dtype)
    mean = (states * shares).sum(1) / shares.sum(1).clamp_min(1.0)
    return torch.cat([states[:, 0], mean], dim=1) if pooling == "both" else mean
