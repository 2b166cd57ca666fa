"""Tables to numbers and back."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from luodi.data.augment.encoding import TableCode
from tests.tables import make_table


def test_what_is_encoded_comes_back() -> None:
    table = make_table(300, seed=2).drop("__row__")
    table = table.with_columns(
        when=pl.Series([date(2020, 1, 1 + n % 28) for n in range(300)]),
        count=pl.Series(range(300)) % 7,
        same=pl.lit(5.0),
        none=pl.lit(None, pl.Float64),
    )
    rng = np.random.default_rng(0)
    code = TableCode.learn(table, 7)
    coded = code.encode(table, rng)
    assert coded.shape == (300, code.width)
    assert np.abs(coded).max() <= 1
    again = code.decode(coded, rng)
    assert again.schema == table.schema
    for name in ("city", "member", "sex", "note", "when", "count", "same", "none", "age"):
        assert again[name].to_list() == table[name].to_list(), name
    width = table["amount due"].std()
    assert (again["amount due"] - table["amount due"]).abs().mean() < 0.02 * width


def test_words_beyond_the_commonest_are_drawn_as_they_came() -> None:
    names = [f"n{k}" for k in range(400)] + ["often"] * 100
    table = pl.DataFrame({"name": names})
    code = TableCode.learn(table, 7)
    rng = np.random.default_rng(0)
    again = code.decode(code.encode(table, rng), rng)
    assert code.width == 201
    assert again["name"].to_list().count("often") == 100
    assert set(again["name"].to_list()) <= set(names)


def test_modes_are_found() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0, 1, 500), rng.normal(100, 1, 500)])
    code = TableCode.learn(pl.DataFrame({"x": values}), 7).codes[0]
    means = np.sort(code.means)  # type: ignore[union-attr]
    assert abs(means[0]) < 3
    assert abs(means[-1] - 100) < 3
