"""What a killed fit goes on from: tensors in safetensors, the rest in JSON, swapped in whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.contracts import JsonValue

if TYPE_CHECKING:
    import torch

_NAME = "checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by section (`weights`, `best`, `moments`, `random`) and plain facts."""

    tensors: Mapping[str, Mapping[str, torch.Tensor]]
    facts: Mapping[str, JsonValue]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write beside the old one, then swap: a kill at any moment leaves one that is whole."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    fresh, old = folder / f"{_NAME}.new", folder / f"{_NAME}.old"
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir()
    for section, tensors in checkpoint.tensors.items():
        save_file({k: v.contiguous() for k, v in tensors.items()}, fresh / f"{section}.safetensors")
    facts = json.dumps({"sections": list(checkpoint.tensors), **checkpoint.facts})
    (fresh / "facts.json").write_text(facts, encoding="utf-8")
    for path in fresh.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    current = folder / _NAME
    if current.exists():
        current.rename(old)
    fresh.rename(current)
    shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """The latest whole checkpoint of the folder; None when there is none."""
    from safetensors.torch import load_file

    for name in (_NAME, f"{_NAME}.old"):
        path = folder / name
        if (path / "facts.json").is_file():
            facts = json.loads((path / "facts.json").read_text(encoding="utf-8"))
            tensors = {
                section: load_file(path / f"{section}.safetensors") for section in facts["sections"]
            }
            return Checkpoint(tensors, facts)
    return None


def drop_checkpoint(folder: Path) -> None:
    """Forget it."""
    for name in (_NAME, f"{_NAME}.old", f"{_NAME}.new"):
        shutil.rmtree(folder / name, ignore_errors=True)
