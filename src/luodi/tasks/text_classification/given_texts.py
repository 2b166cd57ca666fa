"""What classifiers over tokens share, wherever they were trained: texts, tokenizer, head file."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import Dataset, Finding, JsonValue
from luodi.tasks.text_classification.transformer_predictor import HEAD, MODEL, TOKENIZER
from luodi.tasks.text_classification.transformer_texts import (
    Rows,
    position_limit,
    read_rows,
    truncated_finding,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_UNLIMITED = 1_000_000
_USUAL = 512


@dataclass(frozen=True)
class EncoderFitted(ABC):
    """A classifier over tokens, ready to be written as a transformer's files."""

    tokenizer: Tokenizer
    labels: tuple[str, ...]
    length: int
    pad: int
    name: str
    licence: str
    findings: Sequence[Finding]

    @property
    def history(self) -> Sequence[Mapping[str, float]]:
        """Nothing was trained."""
        return ()

    @property
    def licences(self) -> Mapping[str, str]:
        """As its folder states."""
        return {self.name: self.licence}

    @abstractmethod
    def write_model(self, path: Path) -> None:
        """Write the ONNX file: input_ids and attention_mask to scores."""

    def export(self, folder: Path) -> None:
        """Write model.onnx, tokenizer.json and transformer.json."""
        folder.mkdir(parents=True, exist_ok=True)
        self.write_model(folder / MODEL)
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.tokenizer.save(str(folder / TOKENIZER), pretty=False)
        head = {"labels": self.labels, "max_length": self.length, "pad": self.pad}
        (folder / HEAD).write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")


def names_of(config: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """A config's names of its labels, in order; none where they are LABEL_0, LABEL_1, ..."""
    named: Mapping[str, Any] = config.get("id2label") or {}
    names = tuple(str(named[key]) for key in sorted(named, key=int))
    return () if all(name.startswith("LABEL_") for name in names) else names


def length_of(folder: Path, tokenizer: Tokenizer, asked: JsonValue) -> int:
    """How many tokens of a text are read: what was asked for, as far as the model goes."""
    limits = [_told(folder), tokenizer.truncation and tokenizer.truncation["max_length"]]
    if (folder / "config.json").is_file():
        limits.append(position_limit(folder))
    known = [int(limit) for limit in limits if limit and int(limit) < _UNLIMITED]
    most = min(known, default=_USUAL)
    return most if asked is None else min(int(asked), most)


def _told(folder: Path) -> int | None:
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return None
    value = json.loads(path.read_text("utf-8")).get("model_max_length")
    return int(min(value, _UNLIMITED)) if isinstance(value, int | float) else None


def read_texts(
    train: Dataset, valid: Dataset, labels: Sequence[str], tokenizer: Tokenizer, length: int
) -> tuple[Rows, Rows, list[Finding]]:
    """Both parts as tokens, and what was cut short."""
    rows, judged = (read_rows(part, labels, tokenizer, length) for part in (train, valid))
    found = truncated_finding(rows, labels, length)
    return rows, judged, [found] if found else []
