"""The different values of a column as texts, and which of them each row has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


def levels(values: pl.Series) -> tuple[list[str], NDArray[np.int64]]:
    """The different values in order, and (n,) the place of each row's among them.

    Not by NumPy's arrays of texts: there every row is as wide as the longest, and one cell of a
    mebibyte makes four gigabytes of a thousand rows.

    Args:
        values: (n,) of any type; a missing one counts as an empty text.
    """
    import numpy as np

    texts = values.cast(str).fill_null("")
    names: list[str] = texts.unique().sort().to_list()
    return names, texts.rank("dense").to_numpy().astype(np.int64) - 1
