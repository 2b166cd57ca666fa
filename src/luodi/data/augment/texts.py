"""Texts that say the same in other words, or with the slips that people make.

Source for replacement, insertion, swap and deletion: Wei and Zou, EDA (2019), arXiv:1901.11196;
for translation there and back: Sennrich, Haddow and Birch (2016), arXiv:1511.06709.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from luodi.contracts import TextWay
from luodi.data.augment.words import Words, is_chinese, is_word, sound_alikes

Translate = Callable[[Sequence[str]], Sequence[str]]
"""Texts in, their translations out, in order."""

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    key: "".join(
        other
        for other_row, others in enumerate(_KEYS)
        for other_place, other in enumerate(others)
        if other != key and abs(row - other_row) <= 1 and abs(place - other_place) <= 1
    )
    for row, keys in enumerate(_KEYS)
    for place, key in enumerate(keys)
}


def augment_text(
    text: str, ways: Sequence[TextWay], rate: float, words: Words, rng: random.Random
) -> str:
    """The text changed in one of the ways, drawn at random; the text itself where none applies.

    Args:
        ways: of `synonyms`, `delete`, `swap`, `insert`, `keyboard`.
        rate: share of the words that are changed; at least one is.
    """
    order = [way for way in ways if way in _WAYS]
    rng.shuffle(order)
    pieces = words.cut(text)
    places = [place for place, piece in enumerate(pieces) if is_word(piece)]
    count = max(1, round(rate * len(places)))
    for way in order:
        changed = _tidy(_WAYS[way](list(pieces), places, count, words, rng))
        if changed.strip() and changed != text:
            return changed
    return text


def _synonyms(
    pieces: list[str], places: list[int], count: int, words: Words, rng: random.Random
) -> str:
    known = [place for place in places if words.synonyms(pieces[place])]
    for place in rng.sample(known, min(count, len(known))):
        pieces[place] = rng.choice(words.synonyms(pieces[place]))
    return "".join(pieces)


def _delete(
    pieces: list[str], places: list[int], count: int, words: Words, rng: random.Random
) -> str:
    if len(places) < 2:
        return ""
    for place in rng.sample(places, min(count, len(places) - 1)):
        pieces[place] = ""
    return "".join(pieces)


def _swap(
    pieces: list[str], places: list[int], count: int, words: Words, rng: random.Random
) -> str:
    if len(places) < 2:
        return ""
    for _ in range(count):
        # Chinese signs far apart make no text; neighbours make a slip.
        first = rng.randrange(len(places) - 1)
        near = is_chinese(pieces[places[first]])
        second = first + 1 if near else rng.choice([k for k in range(len(places)) if k != first])
        one, other = places[first], places[second]
        pieces[one], pieces[other] = pieces[other], pieces[one]
    return "".join(pieces)


def _insert(
    pieces: list[str], places: list[int], count: int, words: Words, rng: random.Random
) -> str:
    known = [place for place in places if words.synonyms(pieces[place])]
    chosen = rng.sample(known, min(count, len(known)))
    for word in [rng.choice(words.synonyms(pieces[place])) for place in chosen]:
        target = rng.choice(places)
        joint = "" if is_chinese(word) else " "
        pieces[target] = f"{pieces[target]}{joint}{word}"
    return "".join(pieces)


def _keyboard(
    pieces: list[str], places: list[int], count: int, words: Words, rng: random.Random
) -> str:
    """A neighbouring key, two letters in the wrong order, a letter lost or twice; in Chinese a
    sign of the same reading."""
    sounds = sound_alikes()
    able = [
        place
        for place in places
        if (any(sign in sounds for sign in pieces[place]) if is_chinese(pieces[place])
            else len(pieces[place]) > 2 and pieces[place].isascii())
    ]  # fmt: skip
    for place in rng.sample(able, min(count, len(able))):
        word = pieces[place]
        pieces[place] = _same_keys(word, rng) if is_chinese(word) else _slip(word, rng)
    return "".join(pieces)


def _same_keys(word: str, rng: random.Random) -> str:
    sounds = sound_alikes()
    place = rng.choice([place for place, sign in enumerate(word) if sign in sounds])
    return word[:place] + rng.choice(sounds[word[place]]) + word[place + 1 :]


def _slip(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    kind = rng.randrange(4)
    if kind == 0 and (near := _NEIGHBOURS.get(word[place].lower())):
        key = rng.choice(near)
        return word[:place] + (key.upper() if word[place].isupper() else key) + word[place + 1 :]
    if kind == 1:
        return word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]
    if kind == 2:
        return word[:place] + word[place + 1 :]
    return word[:place] + word[place] + word[place:]


_WAYS: dict[str, Callable[[list[str], list[int], int, Words, random.Random], str]] = {
    "synonyms": _synonyms,
    "delete": _delete,
    "swap": _swap,
    "insert": _insert,
    "keyboard": _keyboard,
}


def _tidy(text: str) -> str:
    """One blank where a word between two blanks went."""
    return " ".join(text.split(" ")) if "  " not in text else " ".join(text.split())


def back_translate(texts: Sequence[str], there: Translate, back: Translate) -> list[str]:
    """Each text translated into another language and back.

    Raises:
        ValueError: when a translator answers with another number of texts.
    """
    for translate in (there, back):
        answers = list(translate(texts))
        if len(answers) != len(texts) or not all(isinstance(answer, str) for answer in answers):
            raise ValueError(f"{len(answers)} translations of {len(texts)} texts")
        texts = answers
    return list(texts)
