"""Records that arrive in batches, kept as Parquet pieces: bounded memory, whatever comes."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import DataError, say
from luodi.project.secrets import Secrets

if TYPE_CHECKING:
    import polars as pl

_STATE = "state.json"


class Pieces:
    """The pieces of one fetch in its folder, and the place from which it would go on.

    A piece and the state after it are written together as far as a disk can: the piece first,
    then the state that counts it. A piece that no state counts is written anew.
    """

    def __init__(self, folder: Path, secrets: Secrets | None = None) -> None:
        self.folder, self._secrets = folder, secrets
        try:
            kept = json.loads((folder / _STATE).read_text("utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            kept = {}
        self.count: int = kept.get("count", 0)
        self.rows: int = kept.get("rows", 0)
        resolve = secrets.resolve if secrets else str
        self.state: dict[str, Any] = _each(kept.get("state", {}), resolve)

    @property
    def files(self) -> list[Path]:
        """The pieces, in order."""
        return [self._piece(number) for number in range(self.count)]

    def add(self, table: pl.DataFrame, **state: Any) -> None:
        """Keep one batch, and where to go on after it."""
        if table.height:
            path = self._piece(self.count)
            temporary = path.with_suffix(".writing")
            table.write_parquet(temporary, compression="zstd", statistics=False)
            _synced(temporary, path)
            self.count += 1
            self.rows += table.height
        self.state = state
        # The address of a next page may hold a token: on the disk it is named, not written.
        hide = self._secrets.hide if self._secrets else str
        kept = {"count": self.count, "rows": self.rows, "state": _each(state, hide)}
        temporary = self.folder / f".{_STATE}"
        temporary.write_text(json.dumps(kept), "utf-8")
        _synced(temporary, self.folder / _STATE)

    def restart(self) -> None:
        """Forget what was kept: this source cannot be gone on with."""
        for path in self.files:
            path.unlink(missing_ok=True)
        (self.folder / _STATE).unlink(missing_ok=True)
        self.count, self.rows, self.state = 0, 0, {}

    def _piece(self, number: int) -> Path:
        return self.folder / f"piece-{number:06d}.parquet"


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """The value with each text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _each(item, change) for name, item in value.items()}
    return value


def _synced(temporary: Path, final: Path) -> None:
    handle = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    temporary.replace(final)


def table_of(names: Sequence[str], rows: Sequence[Sequence[Any]], source: str) -> pl.DataFrame:
    """Rows of Python values, as a database's driver gives them, as a table.

    Decimals become floats, structures JSON text, identifiers text, bytes hexadecimal text;
    columns of mixed kinds text. A column without any value is of the type Null.
    """
    import polars as pl

    if len(set(names)) != len(names):
        twice = ", ".join(sorted({name for name in names if list(names).count(name) > 1}))
        raise DataError(
            say(f"{source} gives columns of one name: {twice}.", f"{source} 的列名重复：{twice}。"),
            remedy=say("Name them apart: select a.id as a_id, ...",
                       "请分别命名：select a.id as a_id, ..."),
        )  # fmt: skip
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    made = [series(name, list(values)) for name, values in zip(names, columns, strict=True)]
    return pl.DataFrame(made)


def series(name: str, values: Sequence[Any]) -> pl.Series:
    """Values of any kinds in the one type that holds them all."""
    import polars as pl

    plain = [_plain(value) for value in values]
    kinds = {type(value) for value in plain} - {type(None)}
    if not kinds:
        return pl.Series(name, plain, dtype=pl.Null)
    whole = kinds == {int} and all(
        value is None or -(1 << 63) <= value < 1 << 63 for value in plain
    )
    if whole:
        return pl.Series(name, plain, dtype=pl.Int64)
    if kinds <= {int, float} and float in kinds:
        return pl.Series(name, plain, dtype=pl.Float64, strict=False)
    if len(kinds) == 1 and (kind := _TYPES.get(next(iter(kinds)))):
        if kind == "datetime":
            return _moments(name, plain)
        return pl.Series(name, plain, dtype=getattr(pl, kind))
    return pl.Series(name, [None if v is None else _text(v) for v in plain], dtype=pl.String)


_TYPES: Mapping[type, str] = {
    str: "String", bool: "Boolean", dt.date: "Date", dt.datetime: "datetime",
}  # fmt: skip


def _moments(name: str, values: Sequence[Any]) -> pl.Series:
    """Moments with a time zone in UTC; without one as they are; a mixture as text."""
    import polars as pl

    zoned = {value.tzinfo is not None for value in values if value is not None}
    if len(zoned) > 1:
        return pl.Series(name, [v and v.isoformat() for v in values], dtype=pl.String)
    if zoned == {True}:
        values = [v and v.astimezone(dt.UTC).replace(tzinfo=None) for v in values]
        column = pl.Series(name, values, dtype=pl.Datetime("us"))
        return column.dt.replace_time_zone("UTC")
    return pl.Series(name, values, dtype=pl.Datetime("us"))


def _plain(value: Any) -> Any:
    if value is None or type(value) in (str, int, float, bool, dt.date, dt.datetime):
        # Neither a NUL nor half a surrogate pair can be kept as text elsewhere.
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
    if isinstance(value, decimal.Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, dt.date) else str(value)
