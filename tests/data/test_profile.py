"""Each card says what its column holds."""

from __future__ import annotations

import datetime as dt
import json
import random

import polars as pl
import pytest

from luodi.contracts import ROW
from luodi.data.profile import profile


def test_kinds_are_told_apart() -> None:
    rng = random.Random(1)
    count = 200
    table = pl.DataFrame(
        {
            "review": [f"{rng.random()} 很好 " * rng.randint(1, 9) for _ in range(count)],
            "city": [rng.choice(["北京", "上海", "广州"]) for _ in range(count)],
            "price": [rng.random() * 100 for _ in range(count)],
            "stars": [rng.randint(1, 5) for _ in range(count)],
            "vip": [rng.random() < 0.5 for _ in range(count)],
            "day": [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(count)],
            "day_text": [f"2024-01-{n % 28 + 1:02} 10:00:00" for n in range(count)],
            "order": [f"A{n:06}" for n in range(count)],
            "id": list(range(1000, 1000 + count)),
            "nothing": [None] * count,
            "blank": ["  "] * count,
        }
    ).with_row_index(ROW)
    kinds = {card.name: card.kind for card in profile(table)}
    assert kinds == {
        "review": "text",
        "city": "category",
        "price": "number",
        "stars": "number",
        "vip": "boolean",
        "day": "date",
        "day_text": "date",
        "order": "identifier",
        "id": "identifier",
        "nothing": "empty",
        "blank": "empty",
    }


def test_numbers() -> None:
    (card,) = profile(pl.DataFrame({"n": [1.0, 2.0, 3.0, 4.0, None, float("nan"), float("inf")]}))
    assert (card.rows, card.missing, card.distinct) == (7, 2, 5)
    assert (card.minimum, card.maximum, card.mean) == (1.0, 4.0, 2.5)
    assert card.quantiles["0.5"] == pytest.approx(2.5)


def test_texts_by_length_and_masked() -> None:
    (card,) = profile(
        pl.DataFrame({"t": ["好", "好", "call 13800138000", "call 13800138000", None, " "]})
    )
    assert (card.rows, card.missing, card.distinct) == (6, 2, 2)
    assert (card.minimum, card.maximum) == (1.0, 16.0)
    assert card.top == [("call <PHONE>", 2), ("好", 2)]
    assert json.loads(json.dumps(card.to_json()))["kind"] == "category"


def test_an_empty_table() -> None:
    assert [card.kind for card in profile(pl.DataFrame({"a": [], "b": []}))] == ["empty", "empty"]


def test_strange_types_do_not_stop_it() -> None:
    table = pl.DataFrame(
        {
            "list": [[1], [2]],
            "bytes": [b"a", b"b"],
            "struct": [{"a": 1}, {"a": 2}],
            "t": [dt.time(1), None],
        }
    )
    assert [card.rows for card in profile(table)] == [2, 2, 2, 2]
