"""The rows that everybody learns from and those that everybody is judged on: split by Luodi."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.tabular.tables import Table, fetch
from luodi.contracts import ROW, QuestionSettings, Role, SplitSettings
from luodi.data.roles import assign_roles
from luodi.tasks import find_task

_NULLS = ["", "NA"]
TASK = "tabular-classification"


@dataclass(frozen=True)
class Rows:
    """train.csv and test.csv in a folder."""

    folder: Path
    train: int
    test: int
    fingerprint: str


def split_rows(table: Table, seed: int, cache: Path, python: Path) -> Rows:
    """Four fifths and one, no near-copy in both, stratified; or the official parts."""
    import polars as pl

    folder = cache / "tables" / f"{table.name}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)

    def read(source: str) -> pl.DataFrame:
        path = fetch(source, cache / "tables", python)
        frame = pl.read_csv(path, infer_schema_length=None, null_values=_NULLS)
        return frame.drop(table.left_out).drop_nulls(table.label)

    if table.test:
        train, test = read(table.source), read(table.test)
    else:
        frame = read(table.source)
        data = assign_roles(
            frame.with_columns(pl.Series(ROW, np.arange(frame.height))),
            {Role.LABEL: table.label},
            find_task(TASK).roles,
            QuestionSettings(positive=table.positive),
        )
        parts = find_task(TASK).split(data, SplitSettings(valid=0.1, test=0.2, seed=seed))
        chosen = parts.test.table.get_column(ROW).to_numpy()
        test = frame[np.sort(chosen)]
        train = frame[np.setdiff1d(np.arange(frame.height), chosen)]
    digest = hashlib.sha256()
    for name, part in (("train", train), ("test", test)):
        path = folder / f"{name}.csv"
        part.write_csv(path)
        digest.update(path.read_bytes())
    return Rows(folder, train.height, test.height, digest.hexdigest()[:16])
