from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from luodi.training.batching import (
    Examples,
    collate,
    cut_tokens,
    epoch_batches,
    in_order,
    padded_tokens,
    plan_batches,
)

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=200)


def _examples(lengths: list[int]) -> Examples:
    tokens = [np.arange(1, n + 1, dtype=np.int32) for n in lengths]
    return Examples(tokens, np.arange(len(lengths)), np.ones(len(lengths), np.float32))


@given(LENGTHS, st.integers(1, 1000), st.booleans())
def test_every_row_stands_in_one_batch_within_the_budget(
    lengths: list[int], budget: int, shuffled: bool
) -> None:
    array = np.array(lengths)
    batches = plan_batches(array, budget, np.random.default_rng(1) if shuffled else None)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for rows in batches:
        assert len(rows) == 1 or len(rows) * array[rows].max() <= budget


@given(LENGTHS, st.integers(0, 5))
def test_an_epochs_batches_depend_on_seed_and_epoch_alone(lengths: list[int], epoch: int) -> None:
    array = np.array(lengths)
    first, second = (epoch_batches(array, 512, 3, epoch) for _ in range(2))
    assert [rows.tolist() for rows in first] == [rows.tolist() for rows in second]


def test_epochs_differ() -> None:
    array = np.arange(1, 200)
    one, two = (epoch_batches(array, 512, 3, epoch) for epoch in (0, 1))
    assert [rows.tolist() for rows in one] != [rows.tolist() for rows in two]


def test_like_lengths_waste_little() -> None:
    lengths = np.random.default_rng(0).integers(3, 200, 2000)
    batches = epoch_batches(lengths, 4096, 0, 0)
    assert padded_tokens(lengths, batches) < 1.15 * lengths.sum()
    assert padded_tokens(lengths, batches) == sum(len(b) * lengths[b].max() for b in batches)


def test_padding_is_masked_and_a_full_batch_needs_no_mask() -> None:
    examples = _examples([2, 4])
    batch = collate(examples, np.array([0, 1]), pad=0)
    assert batch.ids.tolist() == [[1, 2, 0, 0], [1, 2, 3, 4]]
    assert batch.mask is not None
    assert batch.mask.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert batch.size == 8
    assert collate(examples, np.array([1]), pad=0).mask is None


def test_cutting_keeps_the_closing_token() -> None:
    assert cut_tokens(np.arange(10, dtype=np.int32), 4).tolist() == [0, 1, 2, 9]
    assert _examples([10, 2]).cut(3).lengths.tolist() == [3, 2]


def test_in_order_gives_every_row_once() -> None:
    rows = [row for rows, _ in in_order(_examples([5, 1, 9, 3]), 9, 0) for row in rows.tolist()]
    assert sorted(rows) == [0, 1, 2, 3]
