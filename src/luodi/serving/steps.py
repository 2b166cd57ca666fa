"""How a predictor is called: in one step or in two, its rows added up or padded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.contracts import Answer, Predictor, Preparing, Request
from luodi.serving.packing import choose_group


@dataclass(frozen=True)
class Steps:
    """How a predictor is called.

    Attributes:
        prepare: the first step, where there is one: requests -> (cost, payload).
        answer: payloads (or requests, where there is no first step) -> answers.
        cost: of a request; used where there is no first step.
        call_cost: what a call costs beyond its rows where rows are padded to the longest;
            None where rows add up.
    """

    prepare: Callable[[Sequence[Request]], Sequence[tuple[int, Any]]] | None
    answer: Callable[[Sequence[Any]], list[Answer]]
    cost: Callable[[Request], int]
    call_cost: int | None

    def group(self, costs: Sequence[int], budget: int, most: int) -> list[int]:
        """Places of the rows to be called together, the first one among them."""
        if self.call_cost is not None:
            return choose_group(costs, budget, most, self.call_cost)
        total, count = 0, 0
        for cost in costs[:most]:
            total += cost
            if count and total > budget:
                break
            count += 1
        return list(range(count))

    def padded(self, costs: Sequence[int]) -> int:
        """What a call of rows of these costs costs."""
        return sum(costs) if self.call_cost is None else len(costs) * max(costs)


def steps_of(predictor: Predictor) -> Steps:
    """How this predictor is called."""
    if isinstance(predictor, Preparing):
        return Steps(predictor.prepare, predictor.answer, predictor.cost, predictor.call_cost)
    return Steps(None, predictor.predict, predictor.cost, None)
