"""The traffic log as a table, for monitoring, retraining and A/B tests. Loads Polars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from luodi.traffic.segments import feedback_files, files, folder_of, root

if TYPE_CHECKING:
    import polars as pl

_ATTEMPTS = 5
"""A file may be compacted between being listed and being read."""


def columns() -> dict[str, Any]:
    """The log's columns: input and output are JSON texts, as models differ in their fields."""
    import polars as pl

    return {
        "time": pl.Datetime("ms", "UTC"),
        "request_id": pl.String,
        "model": pl.String,
        "version": pl.String,
        "arm": pl.String,
        "protocol": pl.String,
        "seconds": pl.Float64,
        "failure": pl.String,
        "row": pl.Int64,
        "input": pl.String,
        "output": pl.String,
    }


def models(home: Path) -> list[str]:
    """The models that have traffic here."""
    return sorted(path.name for path in root(home).glob("*") if path.is_dir())


def read_traffic(
    home: Path,
    model: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pl.DataFrame:
    """A model's requests and answers, a row each, in the order of time; see `columns`.

    A request that several versions answered (a shadow) has a row from each. Reads while a service
    writes; a line that a crash tore is passed over.

    Args:
        since, until: from when (included) to when (excluded); by the clock of the service.
    """
    import polars as pl

    folder = folder_of(home, model)
    for attempt in range(_ATTEMPTS):
        try:
            tables = [_read(path) for path in files(folder) if not _before(path, since)]
            break
        except FileNotFoundError:
            if attempt == _ATTEMPTS - 1:
                raise
    table = pl.concat([pl.DataFrame(schema=columns()), *tables])
    if since is not None:
        table = table.filter(pl.col("time") >= since)
    if until is not None:
        table = table.filter(pl.col("time") < until)
    return table.sort("time", maintain_order=True)


def read_feedback(home: Path, model: str) -> pl.DataFrame:
    """The true answers that arrived: time, request_id, row, truth (a JSON text).

    Of several for one row of a request the last counts.
    """
    import polars as pl

    schema = {
        "time": pl.Datetime("ms", "UTC"),
        "request_id": pl.String,
        "row": pl.Int64,
        "truth": pl.String,
    }
    found = [
        (value["time"], value["request_id"], value["row"], orjson.dumps(value["truth"]).decode())
        for path in feedback_files(folder_of(home, model))
        for value in _lines(path)
    ]
    table = _table(found, schema)
    return table.sort("time", maintain_order=True).unique(
        ["request_id", "row"], keep="last", maintain_order=True
    )


def read_segment(path: Path) -> pl.DataFrame:
    """One file of lines as a table."""
    names = [*columns()]
    rows = [
        tuple(
            orjson.dumps(value[name]).decode()
            if name in ("input", "output") and value[name] is not None
            else value[name]
            for name in names
        )
        for value in _lines(path)
    ]
    return _table(rows, columns())


def _table(rows: Sequence[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    plain = {name: pl.Int64 if name == "time" else kind for name, kind in schema.items()}
    table = pl.DataFrame(rows, schema=plain, orient="row")
    return table.with_columns(pl.col("time").cast(pl.Datetime("ms", "UTC")))


def _before(path: Path, since: datetime | None) -> bool:
    """Whether a file's last line is older than what is asked for: it need not be read."""
    return since is not None and path.stat().st_mtime < since.timestamp()


def _read(path: Path) -> pl.DataFrame:
    import polars as pl

    if path.suffix == ".parquet":
        with path.open("rb") as file:
            return pl.read_parquet(file)
    return read_segment(path)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file; a torn one is none."""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(value, dict):
                yield value
