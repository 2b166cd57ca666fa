"""A table's identity: the same on every machine for the same columns, types and values."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson

from luodi.contracts import RESERVED

if TYPE_CHECKING:
    import polars as pl

_ROWS_AT_ONCE = 1 << 17


def fingerprint(table: pl.DataFrame) -> str:
    """`sha256:...` of the schema and the content, in order, reserved columns left out.

    Hashed is a canonical form (little-endian values, byte lengths and bytes of texts, packed
    marks of missing values), never the library's own memory: chunks, offsets and versions of the
    library do not show.
    """
    digest = hashlib.sha256()
    names = [name for name in table.columns if name not in RESERVED]
    digest.update(orjson.dumps({"format": 1, "rows": table.height, "columns": names}))
    for name in names:
        column = table.get_column(name)
        digest.update(orjson.dumps([name, str(column.dtype)]))
        for start in range(0, table.height, _ROWS_AT_ONCE):
            _add(digest, column.slice(start, _ROWS_AT_ONCE))
    return f"sha256:{digest.hexdigest()}"


def _add(digest: hashlib._Hash, column: pl.Series) -> None:
    import numpy as np
    import polars as pl

    digest.update(np.packbits(column.is_null().to_numpy()).tobytes())
    kind = column.dtype
    if kind in (pl.Categorical, pl.Enum):
        column, kind = column.cast(pl.String), pl.String()
    if kind == pl.String:
        texts = column.fill_null("")
        digest.update(texts.str.len_bytes().to_numpy().astype("<u4").tobytes())
        digest.update("".join(texts.to_list()).encode())
    elif kind == pl.Boolean:
        digest.update(np.packbits(column.fill_null(False).to_numpy()).tobytes())
    elif kind.is_numeric() and not kind.is_decimal():
        values = column.fill_null(0).to_numpy()
        digest.update(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes())
    elif kind.is_temporal():
        digest.update(column.to_physical().fill_null(0).to_numpy().astype("<i8").tobytes())
    else:  # lists, structures, decimals, bytes: rare, and small
        nested = column.to_list()
        digest.update(orjson.dumps(nested, default=repr, option=orjson.OPT_SORT_KEYS))
