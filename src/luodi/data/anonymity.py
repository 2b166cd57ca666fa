"""How far a table hides who is who: k-anonymity, l-diversity, t-closeness.

Measured by pyCANON (Sáinz-Pardo Díaz and López García, 2022, doi:10.1038/s41597-022-01894-2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import polars as pl

from luodi.contracts import (
    AnonymitySettings,
    DataError,
    Finding,
    JsonValue,
    MissingPartError,
    say,
)
from luodi.data.examples import SHOWN


@dataclass(frozen=True)
class Anonymity:
    """How far a table hides who is who.

    Attributes:
        k: rows in the smallest group that is equal in all quasi-identifiers (Sweeney 2002).
        l: the fewest different sensitive values in a group (Machanavajjhala et al. 2007); None
            where no sensitive column was named.
        t: the largest distance of a group's sensitive values from the whole table's (Li et al.
            2007), 0 to 1.
        below: rows in groups of fewer than the wanted k.
        groups: how many groups there are, and how many are too small.
    """

    k: int
    l: int | None  # noqa: E741  # the field's own name for it
    t: float | None
    below: int
    groups: int
    small_groups: int

    def to_json(self) -> dict[str, JsonValue]:
        """The measures as JSON."""
        return asdict(self)


def measure(
    table: pl.DataFrame, quasi_identifiers: Sequence[str], sensitive: Sequence[str] = (), k: int = 5
) -> Anonymity:
    """Measure a table. A missing value counts as a value of its own: all who have none are alike.

    Raises:
        DataError: when a column is not there, or there are no rows.
        MissingPartError: when pyCANON is not installed.
    """
    _known(table, [*quasi_identifiers, *sensitive])
    known, hidden = list(dict.fromkeys(quasi_identifiers)), list(dict.fromkeys(sensitive))
    groups = table.group_by(known).len("__rows__")["__rows__"]
    small = groups.filter(groups < k)
    least, diversity, closeness = _canon(table, known, hidden)
    return Anonymity(least, diversity, closeness, int(small.sum()), groups.len(), small.len())


def _canon(
    table: pl.DataFrame, quasi_identifiers: list[str], sensitive: list[str]
) -> tuple[int, int | None, float | None]:
    try:
        import pandas as pd
        from pycanon import anonymity
    except ModuleNotFoundError as error:
        raise MissingPartError(
            say(
                f"data.anonymity needs {error.name}, which is not installed.",
                f"data.anonymity 需要 {error.name}，但未安装。",
            ),
            "",
            say("pip install 'luodi[privacy]'", "请执行 pip install 'luodi[privacy]'"),
        ) from error
    # pyCANON looks rows up by a column's name and value: codes and plain names hold for any table.
    columns = [*quasi_identifiers, *sensitive]
    coded = {f"c{place}": _codes(table.get_column(name)) for place, name in enumerate(columns)}
    frame = pd.DataFrame(coded)
    quasi = [f"c{place}" for place in range(len(quasi_identifiers))]
    if len(quasi) == 1:  # pyCANON groups by a list of one in a way that pandas will soon refuse
        frame["same"] = 0
        quasi = [*quasi, "same"]
    hidden = [f"c{len(quasi_identifiers) + place}" for place in range(len(sensitive))]
    least = int(anonymity.k_anonymity(frame, quasi))
    if not hidden:
        return least, None, None
    diversity = int(anonymity.l_diversity(frame, quasi, hidden))
    return least, diversity, float(anonymity.t_closeness(frame, quasi, hidden))


def _codes(column: pl.Series) -> list[int] | list[str]:
    """Numbers of the values, in their order: t-closeness measures along it; words as words."""
    ranks = column.rank("dense").fill_null(0).cast(pl.Int64)
    ordered = column.dtype.is_numeric() or column.dtype.is_temporal()
    if ordered and column.n_unique() > 1:
        return ranks.to_list()
    return [f"v{rank}" for rank in ranks.to_list()]


def _known(table: pl.DataFrame, columns: Sequence[str]) -> None:
    if missing := [name for name in columns if name not in table.columns]:
        raise DataError(
            say(
                f"data.anonymity names {', '.join(missing)}, which the table does not have.",
                f"data.anonymity 中的 {'、'.join(missing)} 不在表中。",
            ),
            say(
                f"Columns: {', '.join(table.columns[:30])}.",
                f"列：{'、'.join(table.columns[:30])}。",
            ),
        )
    if not table.height:
        raise DataError(say("The table has no rows.", "表中没有数据行。"))


def anonymity_findings(table: pl.DataFrame, settings: AnonymitySettings) -> list[Finding]:
    """The finding about how far the table hides who is who: a warning under the wanted k.

    Raises:
        DataError, MissingPartError: as `measure`.
    """
    quasi, sensitive = list(settings.quasi_identifiers), list(settings.sensitive)
    found = measure(table, quasi, sensitive, settings.k)
    told = f"k = {found.k}"
    if found.l is not None:
        told += f", l = {found.l}, t = {found.t:.3f}"
    warned = found.k < settings.k
    return [
        Finding(
            "anonymity",
            "warning" if warned else "info",
            found.below,
            say(
                f"By {', '.join(quasi)} the table has {told}; {found.below} rows stand in groups "
                f"of fewer than {settings.k}.",
                f"按 {'、'.join(quasi)} 计，{told}；"
                f"有 {found.below} 行所在的组少于 {settings.k} 行。",
            ),
            _smallest(table, quasi, settings.k) if warned else (),
            quasi,
            say(
                "Coarsen these columns (age classes, the first digits of a postcode), or drop the "
                "rows, before the table is passed on.",
                "对外提供前，请将这些列粗化（如年龄段、邮编前几位），或去除这些行。",
            )
            if warned
            else "",
            details={**found.to_json(), "wanted": settings.k, "sensitive": sensitive},
        )
    ]


def _smallest(table: pl.DataFrame, quasi: Sequence[str], k: int) -> list[dict[str, JsonValue]]:
    groups = table.group_by(quasi).len("__rows__").filter(pl.col("__rows__") < k)
    # How many, not who: an example of somebody who stands alone would name them.
    sizes = groups.group_by("__rows__").len("__groups__").sort("__rows__").head(SHOWN)
    return [{"rows": int(rows), "groups": int(count)} for rows, count in sizes.iter_rows()]
