from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.serving.packing import choose_group


def cheapest(lengths, budget, most, call_cost):
    """By trying every way to cut the sorted row into groups."""
    lengths = sorted(lengths)
    best = float("inf")
    for mask in range(1 << (len(lengths) - 1)):
        cuts = [0, *(n + 1 for n in range(len(lengths) - 1) if mask >> n & 1), len(lengths)]
        groups = [lengths[a:b] for a, b in pairwise(cuts)]
        if all(len(g) == 1 or (len(g) <= most and len(g) * g[-1] <= budget) for g in groups):
            best = min(best, sum(call_cost + len(g) * g[-1] for g in groups))
    return best


rows = st.lists(st.integers(1, 300), min_size=1, max_size=9)


@settings(max_examples=200, deadline=None)
@given(rows, st.integers(1, 900), st.integers(1, 9), st.integers(0, 60))
def test_the_groups_together_cost_the_least(costs, budget, most, call_cost):
    """Group after group, as a batcher takes them: no other way to deal the rows is cheaper."""
    left, total = list(costs), 0
    while left:
        group = choose_group(left, budget, most, call_cost)
        taken = [left[place] for place in group]
        assert 0 in group
        assert len(set(group)) == len(group)
        assert len(group) == 1 or (len(group) <= most and len(group) * max(taken) <= budget)
        total += call_cost + len(taken) * max(taken)
        left = [cost for place, cost in enumerate(left) if place not in set(group)]
    assert total == cheapest(costs, budget, most, call_cost)


def test_alike_go_together_and_a_long_one_goes_alone():
    assert choose_group([10, 10, 250, 11], 1000, 32, 32) == [0, 1, 3]
    assert choose_group([250, 10, 10, 11], 1000, 32, 32) == [0]


def test_nothing_waits():
    assert choose_group([], 10, 1, 1) == []
