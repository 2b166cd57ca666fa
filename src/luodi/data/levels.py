"""The different values of a column of texts, and which of them each row has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


def levels(values: pl.Series) -> tuple[list[str], NDArray[np.int64]]:
    """The different texts in order, and (n,) the place of each row's among them.

    Not by NumPy's arrays of texts: there every row is as wide as the longest, and one cell of a
    mebibyte makes four gigabytes of a thousand rows.

    Args:
        values: (n,) texts, none of them missing.
    """
    import numpy as np

    names: list[str] = values.unique().sort().to_list()
    return names, values.rank("dense").to_numpy().astype(np.int64) - 1
