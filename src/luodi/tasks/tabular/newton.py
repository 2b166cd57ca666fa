"""Smooth convex losses of few numbers, brought to their least by Newton's steps. NumPy alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from luodi.tasks.classes import softmax
from luodi.tasks.tabular.codes import Floats

Step = Callable[[Floats], tuple[float, Floats, Floats]]
"""Where -> (loss, gradient (m,), Hessian (m, m)); the loss may be on another scale than those."""
_STEPS, _STILL, _SHORTEST = 50, 1e-7, 1e-6


def descend(step: Step, start: Floats, kept: Callable[[Floats], Floats] | None = None) -> Floats:
    """Where the loss is least, by damped Newton steps.

    Args:
        kept: brings a place back inside its bounds.
    """
    at = start
    loss, slope, curve = step(at)
    for _ in range(_STEPS):
        ridge = 1e-9 * (1 + np.trace(curve)) * np.eye(len(at))
        move = np.linalg.solve(curve + ridge, slope)
        size = 1.0
        while size > _SHORTEST:
            tried = at - size * move
            tried = tried if kept is None else kept(tried)
            new = step(tried)
            if new[0] <= loss:
                break
            size /= 2
        else:
            break
        done = bool(np.abs(tried - at).max() < _STILL)
        at, (loss, slope, curve) = tried, new
        if done:
            break
    return at


def logistic(
    matrix: Floats, hit: Floats, weight: Floats, strength: float, start: Floats | None = None
) -> Floats:
    """(n, f) rows, (n, k) shares of each label (or (n, 1), of the event alone) -> (f + 1, k or 1)
    weights, the bias last: the least of strength * weighted log loss + half the weights' squares.

    The bias is not shrunk. Start from the solution for another strength to be quicker.
    """
    ones = np.column_stack([matrix, np.ones(len(matrix))])
    f, k = ones.shape[1], hit.shape[1]
    shrunk = np.ones((f, k))
    shrunk[-1] = 0
    pull = strength * weight

    def step(at: Floats) -> tuple[float, Floats, Floats]:
        place = at.reshape(f, k)
        sums = ones @ place
        if k == 1:
            chance = 0.5 + 0.5 * np.tanh(sums / 2)
            each = np.logaddexp(0, sums) - hit * sums
        else:
            chance = softmax(sums)
            each = -hit * np.log(np.clip(chance, 1e-300, 1.0))
        loss = float(pull @ each.sum(axis=1)) + float((shrunk * place**2).sum()) / 2
        slope = ones.T @ (pull[:, None] * (chance - hit)) + shrunk * place
        curve = np.empty((f, k, f, k))
        for a in range(k):
            for b in range(a, k):
                bend = pull * chance[:, a] * ((a == b) - chance[:, b])
                curve[:, a, :, b] = curve[:, b, :, a] = (ones * bend[:, None]).T @ ones
        return loss, slope.ravel(), curve.reshape(f * k, f * k) + np.diag(shrunk.ravel())

    found = descend(step, np.zeros(f * k) if start is None else start.ravel())
    return np.asarray(found.reshape(f, k))


def ridge(matrix: Floats, truth: Floats, weight: Floats, penalty: float) -> Floats:
    """(n, f), (n,) -> (f + 1,) weights, the bias last: the least of the weighted squared error and
    `penalty` times the weights' squares. The bias is not shrunk.
    """
    total = weight.sum()
    middle, level = weight @ matrix / total, float(weight @ truth / total)
    off = matrix - middle
    curve = (off * weight[:, None]).T @ off
    curve[np.diag_indices_from(curve)] += penalty
    weights = np.linalg.solve(curve, off.T @ (weight * (truth - level)))
    return np.asarray(np.r_[weights, level - middle @ weights])
