"""A pretrained encoder, loaded from a checked folder, fast for short texts on a processor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import BaseModelError, TrainingError, say

if TYPE_CHECKING:
    import torch

ATTENTION = "luodi"
"""The name under which `attend` is registered with Transformers."""


def load_encoder(folder: Path, attention: str = ATTENTION, dropout: float | None = None) -> Any:
    """The encoder in float32, with no pooler and no head.

    Args:
        folder: a Transformers folder with safetensors; remote code is never run.
        attention: how to attend: ours, or `eager` for export.
        dropout: the rate everywhere in the encoder; None keeps what its config says.

    Raises:
        BaseModelError: when Transformers cannot make an encoder of it.
    """
    import transformers

    if attention == ATTENTION:
        register_attention()
    with _silence():
        try:
            config = transformers.AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            if dropout is not None:
                _set_dropout(config, dropout)
            options = {"add_pooling_layer": False} if _has_pooler(config) else {}
            try:
                encoder = _load(folder, config, attention, options)
            except ValueError:
                if attention != ATTENTION:
                    raise
                # A model type that does not take attention functions from outside.
                encoder = _load(folder, config, "eager", options)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise BaseModelError(
                say(
                    f"Transformers cannot load {folder.name}: {error}",
                    f"Transformers 无法加载 {folder.name}:{error}",
                ),
                say(
                    "Expected an encoder of the BERT family.",
                    "应为 BERT 系列的编码器。",
                ),
            ) from error
    return encoder


def keep_layers(encoder: Any, count: int) -> None:
    """Leave `count` of the encoder's layers in it, spread evenly over them, first and last among
    them.

    Raises:
        TrainingError: it has no more than that.
        BaseModelError: its layers do not stand in a list of their own.
    """
    from torch import nn

    config = encoder.config
    there = int(getattr(config, "num_hidden_layers", 0))
    if count >= there:
        raise TrainingError(
            say(f"The base has {there} layers.", f"基座模型有 {there} 层。"),
            say("A student has fewer than its base.", "学生模型的层数应少于基座模型。"),
            say(
                f"Ask for fewer than {there} in model.distil, or take a larger base.",
                f"请在 model.distil 中要求少于 {there} 层，或换用更大的基座模型。",
            ),
        )
    stacks = [
        (owner, name)
        for owner in encoder.modules()
        for name, child in owner.named_children()
        if isinstance(child, nn.ModuleList) and len(child) == there
    ]
    if len(stacks) != 1:  # shared layers, or none that can be told
        raise BaseModelError(
            say("The layers of this base cannot be told apart.", "无法区分该基座模型的各层。"),
            say("Expected an encoder of the BERT family.", "应为 BERT 系列的编码器。"),
            say("Leave model.distil out.", "请去掉 model.distil。"),
        )
    [(owner, name)] = stacks
    kept = [0] if count == 1 else [round(i * (there - 1) / (count - 1)) for i in range(count)]
    layers = getattr(owner, name)
    setattr(owner, name, nn.ModuleList([layers[place] for place in kept]))
    config.num_hidden_layers = count
    if (kinds := getattr(config, "layer_types", None)) is not None:
        config.layer_types = [kinds[place] for place in kept]


def _load(folder: Path, config: Any, attention: str, options: dict[str, Any]) -> Any:
    import torch
    import transformers

    return transformers.AutoModel.from_pretrained(
        folder,
        config=config,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.float32,
        attn_implementation=attention,
        **options,
    )


def _has_pooler(config: Any) -> bool:
    """Whether the type's model takes `add_pooling_layer`: its pooler would be random or unused."""
    import inspect

    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    found: Any = MODEL_MAPPING.get(type(config), None)
    model = found[0] if isinstance(found, tuple) else found
    return model is not None and "add_pooling_layer" in inspect.signature(model).parameters


def _set_dropout(config: Any, rate: float) -> None:
    """Set whatever this model type calls its dropout rates."""
    names = (
        "hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout",
        "embd_pdrop", "resid_pdrop", "attn_pdrop", "mlp_dropout", "embedding_dropout",
    )  # fmt: skip
    for name in names:
        if isinstance(getattr(config, name, None), float):
            setattr(config, name, rate)


def register_attention() -> None:
    """Make `attend` known to Transformers, with masks that are added to scores."""
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, eager_mask
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(ATTENTION, attend)
    ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, eager_mask)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention by plain matrix products: softmax(q k' / sqrt(d) + mask) v.

    On a processor the fused kernel's backward pass costs more than all the matrix products of a
    layer when texts are short (a few dozen tokens); batched products do not. Weights are not
    dropped: a mask over heads x tokens x tokens costs as much again and gained nothing.

    Shapes: query, key, value (batch, heads, tokens, d); mask (batch, 1, 1 or tokens, tokens);
    the answer (batch, tokens, heads, d).
    """
    import torch

    del module
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.matmul(query * scale, key.transpose(2, 3))
    if attention_mask is not None:
        scores = scores + attention_mask.to(scores.dtype)
    weights = torch.softmax(scores, dim=-1)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), None


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """No bars and reports of Transformers: a missing pooler is expected, and not news."""
    import transformers

    logging: Any = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
