"""Values of `model.options`, held against what the learners that get them say can be set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from luodi.contracts import Choice, JsonValue, Learner, Mistake, Range, say
from luodi.project.places import Places


def wrong_values(
    options: Mapping[str, Any], learners: Sequence[Learner], places: Places
) -> list[Mistake]:
    """A mistake for each value that a learner cannot use; names that none knows are left alone."""
    mistakes = []
    for name, value in options.items():
        for learner in learners:
            if name in learner.space and (expected := expects(learner.space[name], value)):
                given = say(f"{value!r} for {learner.name}", f"{learner.name} 的取值 {value!r}")
                mistakes.append(places.mistake(f"model.options.{name}", given, expected))
                break
    return mistakes


def expects(place: Choice | Range, value: object) -> str:
    """What would do where `value` does not; empty where it does.

    The ends and values of a search space say where to look, not what is possible: a person may ask
    for more trees than any search would try. What they do say is the kind: whole or not, above
    nothing or from nothing on, and where a range ends by 1, a share or a rate, which 1 bounds.
    """
    if isinstance(place, Range):
        most = 1.0 if place.high <= 1 else math.inf
        return _number(value, place.whole, place.low, most)
    if any(value == known and type(value) is type(known) for known in place.values):
        return ""
    if place.listed:
        return _list(value, place.listed)
    numbers = [known for known in place.values if _is_number(known)]
    words = ", ".join(map(_shown, place.values))
    if not numbers:
        return say(f"one of {words}", f"以下之一：{words}")
    whole = all(isinstance(known, int) for known in numbers)
    expected = _number(value, whole, min(map(float, numbers)), math.inf)
    rest = [known for known in place.values if not _is_number(known)]
    others = "".join(say(f", or {_shown(one)}", f"，或 {_shown(one)}") for one in rest)
    return expected and expected + others


def _number(value: object, whole: bool, low: float, most: float) -> str:
    least = say("above 0", "大于 0") if low > 0 else say("of 0 or more", "不小于 0")
    bounds = [least] if low >= 0 else []
    bounds += [] if math.isinf(most) else [say("at most 1", "不大于 1")]
    if (
        _is_number(value)
        and (isinstance(value, int) or not whole)
        and (low < 0 or value > 0 or (value == 0 and low == 0))
        and value <= most
    ):
        return ""
    english = ["a whole number" if whole else "a number", " and ".join(bounds)]
    chinese = "、".join(bounds) + "的" * bool(bounds) + ("整数" if whole else "数值")
    return say(" ".join(filter(None, english)), chinese)


def _list(value: object, of: str) -> str:
    items = value if isinstance(value, list | tuple) else []
    if of == "numbers":
        good = all(not _number(item, False, 1.0, math.inf) for item in items)
        expected = say("a list of numbers above 0", "大于 0 的数值的列表")
    else:
        good = all(isinstance(item, str | int | float) for item in items)
        expected = say("a list of names", "名称列表")
    return "" if items and good else expected


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def _shown(value: JsonValue) -> str:
    return "null" if value is None else str(value)
