"""What a sensor says, as a row.

A payload that is a JSON object gives a column a field; a JSON number the column `value`; other
text the column `payload`; bytes that are no text their hexadecimal form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from luodi.data.fetching.pieces import series

if TYPE_CHECKING:
    import polars as pl


def row_of(payload: bytes | None, **known: Any) -> dict[str, Any]:
    """A row: what is known of the message, then what its payload says."""
    import orjson

    row = dict(known)
    if payload is None:
        return row | {"payload": None}
    try:
        said = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return row | {"payload": _text(payload)}
    if isinstance(said, dict):
        # A field must not take the place of the moment at which it came.
        return row | {f"payload.{k}" if k in known else k: v for k, v in said.items()}
    if isinstance(said, int | float) and not isinstance(said, bool):
        return row | {"value": said}
    return row | {"payload": _text(payload)}


def table_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows under the columns of all of them."""
    import polars as pl

    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame([series(name, [row.get(name) for row in rows]) for name in names])


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload.hex()
