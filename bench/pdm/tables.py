"""The two public sets as tables that the solution reads."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl

DATA = Path(os.environ.get("LUODI_BENCH_DATA", Path(__file__).parents[3] / "shared" / "data"))
_NAMES = ["unit", "cycle", "setting_1", "setting_2", "setting_3",
          *(f"sensor_{number}" for number in range(1, 22))]  # fmt: skip
_CAUSES = {"TWF": "tool wear", "HDF": "heat", "PWF": "power", "OSF": "overstrain",
           "RNF": "random"}  # fmt: skip


def engines(folder: Path) -> None:
    """C-MAPSS FD001 with its official split: `engines.csv` and `engines-test.csv`."""
    source = DATA / "pdm" / "cmapss_fd001"
    train, test = (_log(source / f"{part}_FD001.txt") for part in ("train", "test"))
    left = np.loadtxt(source / "RUL_FD001.txt")
    ended = pl.DataFrame({"unit": np.arange(1, len(left) + 1), "after": left})
    told = pl.col("after") + pl.col("cycle").max().over("unit") - pl.col("cycle")
    test = test.join(ended, on="unit").with_columns(told.alias("remaining_life")).drop("after")
    train.write_csv(folder / "engines.csv")
    test.write_csv(folder / "engines-test.csv")


def _log(path: Path) -> pl.DataFrame:
    values = np.loadtxt(path)
    whole = {name: values[:, place].astype(np.int64) if place < 2 else values[:, place]
             for place, name in enumerate(_NAMES)}  # fmt: skip
    return pl.DataFrame(whole)


def milling(folder: Path) -> None:
    """AI4I 2020 as `milling.csv`: the five flags that make up the label become its class.

    A row whose label is a failure although no flag is set, or the other way round, keeps what the
    label says (27 rows).
    """
    table = pl.read_csv(DATA / "pdm" / "ai4i2020" / "ai4i2020.csv")
    cause = pl.lit("random")
    for flag, name in reversed(list(_CAUSES.items())):
        cause = pl.when(pl.col(flag) == 1).then(pl.lit(name)).otherwise(cause)
    label = pl.when(pl.col("Machine failure") == 1).then(cause).otherwise(pl.lit("none"))
    kept = table.with_columns(label.alias("failure"))
    kept.drop("UDI", "Product ID", "Machine failure", *_CAUSES).write_csv(folder / "milling.csv")
