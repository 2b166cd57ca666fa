"""How the learning rate rises and falls."""

from __future__ import annotations

import math


def one_cycle(done: float, warmup: float = 0.1, floor: float = 0.0) -> float:
    """The share of the peak rate after `done` (0 to 1) of the training.

    A linear rise over the first `warmup`, then half a cosine down to `floor`: the one-cycle
    policy (Smith and Topin 2018, arXiv:1708.07120) with its long tail left out.
    """
    done = min(max(done, 0.0), 1.0)
    if done < warmup:
        return done / warmup
    fall = (done - warmup) / (1.0 - warmup)
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * fall))
