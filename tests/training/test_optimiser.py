from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from luodi.training.embedding import UsedRows, used_ids
from luodi.training.optimiser import Group, MasterAdamW


def test_small_updates_of_a_bfloat16_weight_add_up() -> None:
    weight = nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    optimiser = MasterAdamW([Group({"weight": weight})])
    for _ in range(100):
        weight.grad = torch.ones_like(weight)
        optimiser.step(1e-4, 10.0)
    # One bfloat16 step below 1 is 0.004: none of the updates alone would have been seen.
    assert abs(weight[0].item() - 0.99) < 0.003


def test_a_gradient_that_is_not_finite_moves_nothing() -> None:
    weight = nn.Parameter(torch.ones(2))
    optimiser = MasterAdamW([Group({"weight": weight})])
    weight.grad = torch.tensor([1.0, math.nan])
    assert not math.isfinite(optimiser.step(0.1, 1.0))
    assert weight.tolist() == [1.0, 1.0]


def test_state_and_weights_restore_a_run() -> None:
    def fresh() -> tuple[nn.Parameter, MasterAdamW]:
        weight = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
        return weight, MasterAdamW([Group({"w": weight}, decay=0.1)])

    def go(weight: nn.Parameter, optimiser: MasterAdamW, steps: range) -> None:
        for step in steps:
            weight.grad = torch.full_like(weight, math.sin(step))
            optimiser.step(1e-2, 1.0)

    weight, optimiser = fresh()
    go(weight, optimiser, range(5))
    weights, state = optimiser.weights(), {k: v.clone() for k, v in optimiser.state().items()}
    go(weight, optimiser, range(5, 9))
    again, second = fresh()
    second.load_weights(weights)
    second.load_state(state)
    go(again, second, range(5, 9))
    assert torch.equal(again, weight)
    assert torch.equal(second.weights()["w"], optimiser.weights()["w"])


def test_learning_only_the_rows_in_use_is_the_same_as_learning_the_table() -> None:
    torch.manual_seed(1)
    table = torch.randn(50, 8)
    texts = [np.array([3, 7, 7, 9], np.int32), np.array([1, 3, 4, 4], np.int32)]
    rows = UsedRows(table, used_ids(texts, 50, pad=0), torch.float32)
    whole = nn.Parameter(table.clone())
    ids = torch.tensor(np.stack(texts), dtype=torch.int64)
    target = torch.randn(2, 4, 8)
    few = MasterAdamW([Group({"rows": rows.rows})])
    all_rows = MasterAdamW([Group({"table": whole})])
    for step in range(6):
        part = ids[:1] if step % 2 else ids  # a row may be absent from a batch
        functional.mse_loss(rows(part), target[: len(part)]).backward()
        functional.mse_loss(functional.embedding(part, whole), target[: len(part)]).backward()
        few.step(1e-2, 1e9)
        all_rows.step(1e-2, 1e9)
    torch.testing.assert_close(rows.weight, whole.detach())
    assert not torch.equal(rows.weight, table)


def test_in_evaluation_a_token_never_trained_has_its_own_row() -> None:
    table = torch.arange(20.0).reshape(10, 2)
    rows = UsedRows(table, np.array([0, 3]), torch.bfloat16).train()
    with torch.no_grad():
        rows.rows.add_(100.0)
    answer = rows.eval()(torch.tensor([[3, 5]]))
    assert answer.dtype == torch.bfloat16
    assert answer[0].tolist() == [[106.0, 107.0], [10.0, 11.0]]
