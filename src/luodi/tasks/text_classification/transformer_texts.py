"""Texts as tokens: the base's tokenizer, the limit, and what the limit cuts off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from luodi.contracts import BaseModelError, Finding, say
from luodi.tasks.text_classification.linear import texts_and_truth
from luodi.training.batching import Examples

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from luodi.contracts import Dataset

_PARITY_TEXTS = 32


@dataclass(frozen=True)
class Rows:
    """A part of the data as tokens, and which of its texts were cut short."""

    examples: Examples
    truncated: NDArray[np.bool_]


def read_rows(data: Dataset, labels: Sequence[str], tokenizer: Tokenizer, length: int) -> Rows:
    """A part of the data as tokens, no text longer than `length` of them."""
    texts, truth = texts_and_truth(data, labels)
    tokenizer.no_padding()
    tokenizer.enable_truncation(length)
    encodings = tokenizer.encode_batch(texts)
    examples = Examples(
        [np.asarray(e.ids, dtype=np.int32) for e in encodings],
        truth,
        np.ones(len(texts), dtype=np.float32),
    )
    cut = np.fromiter((bool(e.overflowing) for e in encodings), bool, len(texts))
    return Rows(examples, cut)


def truncated_finding(rows: Rows, labels: Sequence[str], length: int) -> Finding | None:
    """How many texts are cut short, by class, the most first; None when none is.

    Args:
        length: tokens that are read in the end; at most those that `rows` were read up to.
    """
    further = rows.examples.lengths > length
    cut = rows.truncated | further
    count = int(cut.sum())
    if not count:
        return None
    targets = rows.examples.targets
    shortened = np.bincount(targets[cut], minlength=len(labels))
    whole = np.maximum(np.bincount(targets, minlength=len(labels)), 1)
    by_class = {label: int(n) for label, n in zip(labels, shortened, strict=True)}
    shares = {label: round(float(s), 4) for label, s in zip(labels, shortened / whole, strict=True)}
    records = [
        {
            "label": labels[place],
            "cut short": int(shortened[place]),
            "rows": int(whole[place]),
            "share": shares[labels[place]],
        }
        for place in np.argsort(-shortened, kind="stable")
        if shortened[place]
    ]
    return Finding(
        "truncated",
        "warning" if count > len(targets) // 20 else "info",
        count,
        say(
            f"{count} of {len(targets)} training texts are longer than {length} tokens and "
            f"are read up to there.",
            f"{len(targets)} 条训练文本中有 {count} 条超过 {length} 个词元，只读取前面部分。",
        ),
        records,
        remedy=say("Raise model.budget.", "可调高 model.budget。")
        if further.any()
        else say(
            "Raise model.options.max_length (slower).",
            "可调高 model.options.max_length(会变慢)。",
        ),
        handled=say("Cut short.", "已截短。"),
        details={"length": length, "by_class": by_class, "share_by_class": shares},
    )


def load_tokenizer(folder: Path) -> tuple[Tokenizer, int]:
    """The fast tokenizer of a base, and the id that pads.

    Raises:
        BaseModelError: when the folder has none that can be read.
    """
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        if path.is_file():
            tokenizer = Tokenizer.from_file(str(path))
        else:
            import transformers

            slow = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            tokenizer = Tokenizer.from_str(slow.backend_tokenizer.to_str())
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except Exception as error:
        # The tokenizers library raises bare exceptions for files that it cannot read.
        raise BaseModelError(
            say(
                f"The tokenizer of {folder.name} cannot be read: {error}",
                f"无法读取 {folder.name} 的分词器：{error}",
            ),
            say("Expected a tokenizer.json.", "应有 tokenizer.json。"),
        ) from error
    return tokenizer, int(config.get("pad_token_id") or 0)


def position_limit(folder: Path) -> int:
    """The longest text, in tokens, that the encoder has positions for."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    limit = int(config.get("max_position_embeddings") or 512)
    # RoBERTa and its kin start counting positions after the padding id.
    shifted = config.get("model_type") in {"roberta", "xlm-roberta", "camembert", "mpnet"}
    return limit - 2 if shifted else limit


def parity_samples(valid: Examples, train: Examples) -> list[NDArray[np.int32]]:
    """Real texts of every length, on which the export is compared."""
    source = valid if len(valid) else train
    order = np.argsort(source.lengths, kind="stable")
    places = np.linspace(0, len(order) - 1, min(_PARITY_TEXTS, len(order))).round().astype(int)
    return [source.tokens[order[place]] for place in places]


def digest_examples(examples: Examples) -> str:
    """A hash of tokens and targets: what a checkpoint was made from."""
    found = hashlib.sha256()
    for tokens in examples.tokens:
        found.update(len(tokens).to_bytes(4, "little"))
        found.update(tokens.tobytes())
    found.update(examples.targets.tobytes())
    return found.hexdigest()
