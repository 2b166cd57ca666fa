"""What boosting and forest must know of the rows before they grow a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Finding, Schema, say
from luodi.tasks.tabular.codes import Boolean, Floats, Number
from luodi.tasks.tabular.fitting import Fitting, Sample
from luodi.tasks.tabular.growing import Growth, Nursery, relative
from luodi.tasks.tabular.target import LABEL, Classes, Target
from luodi.training.budget import budget_finding

_ALONE = 2_000_000
"""Cells up to which one thread grows trees as fast as several: they would wait for one another at
every split, and on a busy machine ten times as long as they work. Other models grow beside it."""
_FEW = 20
_DIRECTION = {"increasing": 1, "decreasing": -1}


def labels_of(schema: Schema) -> int:
    """How many sums a round adds to: one for two labels and for numbers."""
    labels = [len(field.categories) for field in schema.answer if field.name == LABEL]
    return labels[0] if labels and labels[0] > 2 else 1


def moments(train: Sample, target: Target) -> tuple[float, float]:
    """Mean and standard deviation of the numbers to be learnt; 0 and 1 for labels.

    LightGBM holds truths in 32 bits: a number around ten million would lose its last digits.
    """
    if isinstance(target, Classes):
        return 0, 1  # whole numbers: places among the labels stay such
    weight = relative(train)
    mean = float(np.average(train.truth, weights=weight))
    width = float(np.sqrt(np.average((train.truth - mean) ** 2, weights=weight)))
    return mean, width if width > 0 else 1.0


def shares(train: Sample, k: int) -> Floats:
    """(k,) each label's share of the weight, one row added to each label (Laplace)."""
    counts = np.bincount(train.truth.astype(np.int64), weights=relative(train), minlength=k) + 1.0
    return np.asarray(counts / counts.sum())


def prior(train: Sample, target: Target) -> Floats:
    """What sums start from: (1,) the event's log-odds, (k,) log shares, (1,) 0 for numbers."""
    if not isinstance(target, Classes):
        return np.zeros(1)
    log = np.log(shares(train, len(target.labels)))
    return np.array([log[1] - log[0]]) if len(log) == 2 else np.asarray(log)


def fills(matrix: Floats, categorical: Sequence[int]) -> Floats:
    """(f,) the median of each column of numbers that is whole; NaN for the others."""
    fill = np.full(matrix.shape[1], np.nan)
    whole: NDArray[np.bool_] = np.asarray(~np.isnan(matrix).any(axis=0))
    whole[list(categorical)] = False
    if len(matrix) and whole.any():
        fill[whole] = np.median(matrix[:, whole], axis=0)
    return fill


def monotone(fitting: Fitting) -> tuple[list[int], list[Finding]]:
    """(f,) 1, -1 or 0 a column, and what of the project's wishes cannot be kept."""
    wanted, encoder = dict(fitting.question.monotone), fitting.encoder
    signs = [0] * len(encoder.columns)
    many = isinstance(fitting.target, Classes) and len(fitting.target.labels) > 2
    broken = []
    for place, code in enumerate(encoder.codes):
        if code.name not in wanted:
            continue
        if many or not isinstance(code, Number | Boolean):
            broken.append(code.name)
        else:
            column = int(np.flatnonzero(encoder.field_of == place)[0])
            signs[column] = _DIRECTION[wanted[code.name]]
    if not broken:
        return signs, []
    names = ", ".join(broken)
    return signs, [
        Finding(
            "monotone-ignored", "warning", len(broken),
            say(
                f"Trees cannot follow {names} in one direction.",
                f"树模型无法对 {names} 保持单调。",
            ),
            remedy=say(
                "data.monotone is for numbers and yes or no, of two labels or a number to learn.",
                "data.monotone 适用于数值列与是非列，且目标为两类或数值。",
            ),
            handled=say("Learnt freely.", "不加约束地学习。"),
        )
    ]  # fmt: skip


def side_by_side(fitting: Fitting, train: Sample) -> int:
    """Models that grow at a time: one a thread, where each grows by one thread alone."""
    return fitting.settings.threads if train.matrix.size <= _ALONE else 1


def shared(fitting: Fitting, train: Sample) -> dict[str, Any]:
    """LightGBM's parameters that do not depend on how trees add up."""
    signs, _ = monotone(fitting)
    return {
        "seed": fitting.settings.seed,
        "num_threads": fitting.settings.threads if train.matrix.size > _ALONE else 1,
        "verbosity": -1,
        # The same rows give the same trees, whatever the machine is busy with.
        "deterministic": True,
        "force_col_wise": True,
        "feature_pre_filter": False,
        # A share of one row is none.
        "bagging_fraction": fitting.options["rows"] if train.rows >= _FEW else 1.0,
        "bagging_freq": 1,
        "min_data_in_bin": 3 if train.rows >= 100 else 1,
        **({"monotone_constraints": signs} if any(signs) else {}),
    }


def shortened(nursery: Nursery, growth: Growth) -> list[Finding]:
    """Told where the budget ended what the loss had not."""
    short = [
        model for model in nursery.grown
        if model.rounds < growth.rounds and model.rounds - model.best < growth.patience
    ]  # fmt: skip
    missing = nursery.models - len(nursery.grown)
    if not short and not missing:
        return []
    done = len(nursery.grown)
    return [
        budget_finding(
            "budget-rounds",
            sum(model.rounds for model in nursery.grown),
            say(
                f"To keep to the budget, growing ended early: {done} of {nursery.models} models, "
                f"{len(short)} of them before their loss stopped falling.",
                f"为不超出预算，训练提前结束：共 {nursery.models} 个模型中完成 {done} 个，"
                f"其中 {len(short)} 个在损失停止下降之前结束。",
            ),
        )
    ]
