"""N-grams by arrays are the n-grams by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from luodi.tasks.text_classification import ngrams
from luodi.tasks.text_classification.ngrams import hashed_ngrams, normalise


def by_hand(text: str, longest: int, words: bool) -> int:
    """How many n-grams there are, counted the slow way."""
    clean = normalise(text)
    count = sum(
        1
        for n in range(1, longest + 1)
        for start in range(len(clean) - n + 1)
        if n > 1 or clean[start] != " "
    )
    if words:
        table = ngrams._word_table()
        inside = [bool(table[min(ord(c), len(table) - 1)]) for c in clean]
        runs = sum(
            now and not before for before, now in zip([False, *inside], inside, strict=False)
        )
        count += runs + max(runs - 1, 0)
    return count


@given(st.lists(st.text(max_size=40), max_size=12), st.integers(1, 5), st.booleans())
def test_every_ngram_is_there_once(texts, longest, words):
    row, hashed = hashed_ngrams(texts, longest, words)
    assert len(row) == len(hashed)
    assert (np.diff(row) >= 0).all()
    counted = np.bincount(row, minlength=len(texts))
    assert counted.tolist() == [by_hand(text, longest, words) for text in texts]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8))
def test_a_texts_ngrams_do_not_depend_on_its_neighbours(texts):
    row, hashed = hashed_ngrams(texts)
    for index, text in enumerate(texts):
        alone = hashed_ngrams([text])[1]
        assert sorted(hashed[row == index].tolist()) == sorted(alone.tolist())


def test_equal_pieces_have_equal_hashes_and_others_do_not():
    _, first = hashed_ngrams(["good value"], 4, True)
    _, same = hashed_ngrams(["  GOOD   value "], 4, True)
    _, other = hashed_ngrams(["poor value"], 4, True)
    assert set(first.tolist()) == set(same.tolist())
    assert set(first.tolist()) != set(other.tolist())


def test_no_collision_to_speak_of_among_many_words():
    texts = [f"word{n}" for n in range(50_000)]
    row, hashed = hashed_ngrams(texts, 1, True)
    words = {int(h) for r, h in zip(row, hashed, strict=True)}
    letters = len(set("word0123456789"))
    assert len(words) >= 50_000 + letters - 5  # 32 bits: 50,000 values collide 0.3 times


def test_blocks_change_nothing(monkeypatch):
    texts = [f"评论 {n} 很好 good" for n in range(200)]
    whole = hashed_ngrams(texts)
    monkeypatch.setattr(ngrams, "_BLOCK", 50)
    parts = hashed_ngrams(texts)
    assert (whole[0] == parts[0]).all()
    assert (whole[1] == parts[1]).all()
