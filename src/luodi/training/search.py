"""Settings worth trying next, from what those before reached: Optuna's estimator of good settings.

Tree-structured Parzen estimator, Bergstra et al. 2011. Nothing is kept between two calls: what was
tried says all, so a search that was killed goes on as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.contracts import Choice, JsonValue, Range, SearchSpace

_ASKED = 20
"""How often another proposal is asked for when one was tried already."""
_DIGITS = 3
"""A rate of 0.0421 is as good as 0.0420713862 and can be told to a person."""


@dataclass(frozen=True)
class Trial:
    """Settings that were tried.

    Attributes:
        options: a value for every place that is searched.
        value: what they reached; None where nothing could be trained with them.
        seconds: that it took.
        error: why nothing could be trained.
    """

    options: Mapping[str, JsonValue]
    value: float | None
    seconds: float
    error: str = ""


def searched(space: SearchSpace, fixed: Mapping[str, JsonValue]) -> SearchSpace:
    """The places of `space` that are worth trials: those with a choice that `fixed` leaves open."""
    return {
        name: place
        for name, place in space.items()
        if name not in fixed and place.searched and not _single(place)
    }


def _single(place: Choice | Range) -> bool:
    return len(place.values) < 2 if isinstance(place, Choice) else place.low == place.high


def propose(
    space: SearchSpace, tried: Sequence[Trial], higher_is_better: bool, seed: int
) -> dict[str, JsonValue] | None:
    """The next settings: first the defaults, then what promises most; None where all were tried.

    The same trials and seed give the same proposal.

    Args:
        space: what is searched, as `searched` leaves it.
    """
    if not tried:
        return {name: place.default for name, place in space.items()}
    if len(tried) >= _size(space):
        return None
    from optuna import create_study, logging
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState, create_trial

    logging.set_verbosity(logging.ERROR)
    kinds = {name: _distribution(place) for name, place in space.items()}
    for again in range(_ASKED):
        # A sampler's own state is lost with its process: each call starts from a seed of its own.
        sampler = TPESampler(seed=(seed + 1000 * len(tried) + again) % 2**32)
        study = create_study(
            sampler=sampler, direction="maximize" if higher_is_better else "minimize"
        )
        for trial in tried:
            done = trial.value is not None
            study.add_trial(
                create_trial(
                    params=dict(trial.options), distributions=kinds, value=trial.value,
                    state=TrialState.COMPLETE if done else TrialState.FAIL,
                )
            )  # fmt: skip
        asked = study.ask(kinds)
        found = {name: _plain(asked.params[name], space[name]) for name in space}
        if all(found != dict(trial.options) for trial in tried):
            return found
    return None


def best(tried: Sequence[Trial], higher_is_better: bool) -> int:
    """Which trial reached most; of equal ones the first."""
    sign = 1 if higher_is_better else -1

    def reached(number: int) -> float:
        value = tried[number].value
        return -math.inf if value is None else sign * value

    return max(range(len(tried)), key=reached)


def _size(space: SearchSpace) -> float:
    """How many settings there are; infinite where a number has no steps."""
    size = 1.0
    for place in space.values():
        if isinstance(place, Choice):
            size *= len(place.values)
        else:
            size *= place.high - place.low + 1 if place.whole else math.inf
    return size


def _distribution(place: Choice | Range) -> Any:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(place, Choice):
        return CategoricalDistribution(place.values)
    if place.whole:
        return IntDistribution(int(place.low), int(place.high), log=place.log)
    return FloatDistribution(place.low, place.high, log=place.log)


def _plain(value: Any, place: Choice | Range) -> JsonValue:
    """A value with as many digits as mean anything, still between the ends."""
    if isinstance(place, Choice) or place.whole:
        return value
    return min(max(float(f"{value:.{_DIGITS}g}"), place.low), place.high)
