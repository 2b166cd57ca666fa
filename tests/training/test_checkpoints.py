from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from luodi.training import checkpoints
from luodi.training.checkpoints import (
    Checkpoint,
    drop_checkpoint,
    load_checkpoint,
    save_checkpoint,
)


def _checkpoint(value: float) -> Checkpoint:
    return Checkpoint({"weights": {"a.b": torch.full((2, 3), value)}}, {"step": value})


def _value(folder: Path) -> float:
    found = load_checkpoint(folder)
    assert found is not None
    assert float(found.tensors["weights"]["a.b"][0, 0]) == found.facts["step"]
    return float(found.facts["step"])


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None
    save_checkpoint(tmp_path, _checkpoint(1.0))
    assert _value(tmp_path) == 1.0
    save_checkpoint(tmp_path, _checkpoint(2.0))
    assert _value(tmp_path) == 2.0
    drop_checkpoint(tmp_path)
    assert load_checkpoint(tmp_path) is None


@pytest.mark.parametrize("moment", ["write", "swap", "clean"])
def test_a_kill_at_any_moment_leaves_one_that_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    save_checkpoint(tmp_path, _checkpoint(1.0))
    renames = 0

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def rename(path: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if moment == "swap" and renames == 2:
            raise KeyboardInterrupt
        shutil.move(path, target)
        return target

    with monkeypatch.context() as patch:
        if moment == "write":
            patch.setattr(checkpoints.os, "fsync", killed)
        patch.setattr(Path, "rename", rename)
        if moment == "clean":
            real = shutil.rmtree
            patch.setattr(
                checkpoints.shutil,
                "rmtree",
                lambda path, **k: killed() if renames == 2 else real(path, **k),
            )
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(tmp_path, _checkpoint(2.0))
    assert _value(tmp_path) == (2.0 if moment == "clean" else 1.0)
    save_checkpoint(tmp_path, _checkpoint(3.0))
    assert _value(tmp_path) == 3.0
