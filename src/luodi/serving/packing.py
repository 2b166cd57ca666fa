"""Which of the waiting rows go into one call, where a call costs its longest row times its rows."""

from __future__ import annotations

from collections.abc import Sequence


def choose_group(costs: Sequence[int], budget: int, most: int, call_cost: int) -> list[int]:
    """The rows that are best answered together with the first one.

    All rows are dealt into groups of like cost so that the sum of all calls is least, a call
    being `call_cost` + rows * longest, within the budget; the first row's group is returned. By
    dynamic programming over the rows sorted by cost: a best dealing has only groups of
    neighbours.

    Args:
        costs: what each waiting row costs, in the order of their turns.
        budget: for rows * longest of one group; a single row may be over it.
        most: rows in one group.
        call_cost: what a call costs beyond its rows.

    Returns:
        Places in `costs`, the cheapest first; empty when there are no rows.
    """
    if not costs:
        return []
    order = sorted(range(len(costs)), key=costs.__getitem__)
    cuts = _deal([costs[place] for place in order], budget, most, call_cost)
    end, mine = len(order), order.index(0)
    while not cuts[end] <= mine:
        end = cuts[end]
    return order[cuts[end] : end]


def _deal(lengths: Sequence[int], budget: int, most: int, call_cost: int) -> list[int]:
    """cuts[j]: where the last group of the best dealing of the first j rows begins."""
    best, cuts = [0.0], [0]
    for end, longest in enumerate(lengths, 1):
        rows = max(1, min(most, budget // longest))
        least, place, total = float("inf"), end - 1, float(call_cost)
        for start in range(end - 1, max(0, end - rows) - 1, -1):
            total += longest
            if best[start] + total < least:
                least, place = best[start] + total, start
        best.append(least)
        cuts.append(place)
    return cuts
