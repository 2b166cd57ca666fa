from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from luodi.compression import export as export_module
from luodi.compression.export import export_onnx
from luodi.compression.parity import largest_difference, onnx_session, require_parity
from luodi.contracts import TrainingError


class Pooled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(30, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        shares = mask.unsqueeze(-1).float()
        return self.head((self.table(ids) * shares).sum(1) / shares.sum(1))


def _inputs(rows: int, tokens: int) -> dict[str, torch.Tensor]:
    ids = torch.arange(rows * tokens).reshape(rows, tokens) % 30
    return {"ids": ids, "mask": torch.ones_like(ids)}


AXES = {0: "batch", 1: "tokens"}
DYNAMIC = {"ids": AXES, "mask": AXES, "scores": {0: "batch"}}


def test_the_file_answers_as_the_module_does_for_any_shape(tmp_path: Path) -> None:
    module, path = Pooled(), tmp_path / "model.onnx"
    difference = export_onnx(module, [_inputs(2, 5), _inputs(1, 3)], DYNAMIC, path)
    assert difference < 1e-5
    session = onnx_session(path, 1)
    for rows, tokens in ((1, 1), (7, 11)):
        inputs = _inputs(rows, tokens)
        found = session.run(None, {k: v.numpy() for k, v in inputs.items()})[0]
        np.testing.assert_allclose(found, module(*inputs.values()).detach(), atol=1e-5)


def test_a_file_that_answers_otherwise_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = export_module._trace

    def tampered(module: nn.Module, *rest: object) -> None:
        with torch.no_grad():
            module.head.bias.add_(1.0)
        trace(module, *rest)

    monkeypatch.setattr(export_module, "_trace", tampered)
    with pytest.raises(TrainingError, match="differ from the trained"):
        export_onnx(Pooled(), [_inputs(2, 5)], DYNAMIC, tmp_path / "model.onnx")


def test_parity_is_infinite_for_another_shape_or_no_number(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(Pooled(), [_inputs(2, 5)], DYNAMIC, path)
    feeds = [{k: v.numpy() for k, v in _inputs(2, 5).items()}]
    assert largest_difference(path, feeds, [np.zeros((2, 4), np.float32)]) == float("inf")
    nothing = np.full((2, 3), np.nan, np.float32)
    with pytest.raises(TrainingError):
        require_parity(largest_difference(path, feeds, [nothing]), 1.0)
