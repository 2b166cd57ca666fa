"""Changed texts: still texts of the same words, and never the text itself."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.data.augment.texts import augment_text, back_translate
from luodi.data.augment.words import Words, own_groups, sound_alikes

WORDS = Words(own_groups())
ENGLISH = "The staff was very friendly but the room was small and dirty."
CHINESE = "酒店很干净，服务也非常好，下次还会选择这里。"


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
@pytest.mark.parametrize("way", ["synonyms", "delete", "swap", "insert", "keyboard"])
def test_each_way_changes_a_text_a_little(text: str, way: str) -> None:
    for seed in range(20):
        changed = augment_text(text, [way], 0.1, WORDS, random.Random(seed))  # type: ignore[list-item]
        assert changed != text
        assert abs(len(changed) - len(text)) <= 12
        kept = sum(sign in changed for sign in text)
        assert kept >= 0.6 * len(text), changed
        again = augment_text(text, [way], 0.1, WORDS, random.Random(seed))  # type: ignore[list-item]
        assert again == changed


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_long_texts_and_high_rates(rate: float) -> None:
    for way in ("synonyms", "delete", "swap", "insert", "keyboard"):
        for seed in range(10):
            changed = augment_text(
                CHINESE * 5 + ENGLISH * 5, [way], rate, WORDS, random.Random(seed)
            )
            assert changed.strip()


def test_synonyms_are_of_the_same_meaning_and_case() -> None:
    words = Words([["good", "fine"], ["干净", "整洁"]])
    rng = random.Random(1)
    assert augment_text("Good food.", ["synonyms"], 0.5, words, rng) == "Fine food."
    assert augment_text("GOOD food.", ["synonyms"], 0.5, words, rng) == "FINE food."
    assert augment_text("房间干净。", ["synonyms"], 0.5, words, rng) == "房间整洁。"
    assert augment_text("nothing known", ["synonyms"], 0.5, words, rng) == "nothing known"


def test_keyboard_slips_keep_the_reading_in_chinese() -> None:
    sounds = sound_alikes()
    for seed in range(30):
        changed = augment_text(CHINESE, ["keyboard"], 0.05, WORDS, random.Random(seed))
        assert len(changed) == len(CHINESE)
        for old, new in zip(CHINESE, changed, strict=True):
            assert new == old or new in sounds[old]


@given(st.text(max_size=60), st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_any_text_survives(text: str, seed: int) -> None:
    every: Sequence[str] = ("synonyms", "delete", "swap", "insert", "keyboard")
    changed = augment_text(text, every, 0.2, WORDS, random.Random(seed))  # type: ignore[arg-type]
    assert isinstance(changed, str)
    assert bool(changed.strip()) == bool(text.strip())


@given(st.text(max_size=80))
def test_a_text_is_the_sum_of_its_pieces(text: str) -> None:
    assert "".join(WORDS.cut(text)) == text


def test_translation_there_and_back() -> None:
    there = {"好": "good", "坏": "bad"}
    back = {"good": "很好", "bad": "很坏"}
    made = back_translate(
        ["好", "坏"],
        lambda texts: [there[t] for t in texts],
        lambda texts: [back[t] for t in texts],
    )
    assert made == ["很好", "很坏"]
    with pytest.raises(ValueError, match="1 translations of 2"):
        back_translate(["a", "b"], lambda texts: ["x"], lambda texts: texts)
