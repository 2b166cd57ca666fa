"""What is wrong with the rows, and rows that can be learnt from. Every row is accounted for.

Two rows are exact copies when their contents are equal after normalisation. A content whose
copies carry different labels is a conflict. Near-copies are groups of contents that are almost
equal (`duplicates.near_groups`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from luodi.contracts import (
    COPIES,
    CleanSettings,
    DataError,
    Dataset,
    Finding,
    JsonValue,
    Progress,
    Quiet,
    Role,
    say,
)
from luodi.data import reports
from luodi.data.duplicates import first_rows, numbered
from luodi.data.marks import Marks, mark, near_numbers
from luodi.data.masking import Mask, hiding
from luodi.data.mending import missing_rows
from luodi.data.normal import normalise_all
from luodi.data.personal import hidden_columns, personal
from luodi.data.preparation import Preparation, Step
from luodi.data.tidy import tidy
from luodi.data.tidying import Ways, text_ways, tidied, tidying_steps

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Inspection:
    """What was noticed; nothing is changed.

    `counts` has rows, duplicates, near_duplicates, conflicts, empty, personal_data.
    `normal` are the rows' normalised contents, kept so that a test table can be compared.
    """

    findings: list[Finding]
    counts: dict[str, int]
    marks: Marks
    normal: list[str]


@dataclass(frozen=True)
class Prepared:
    """Rows to learn from, and what became of the others.

    `counts`: as in the inspection, and `kept`, `dropped` {reason: rows}, `test_copies`; for
    official tables `test` and `valid` with their own. Rows in are kept + dropped, always.
    """

    data: Dataset
    test: Dataset | None
    findings: list[Finding]
    counts: dict[str, JsonValue]
    preparation: Preparation
    valid: Dataset | None = None


def inspect(
    data: Dataset,
    contents: Sequence[str],
    clean: CleanSettings,
    progress: Progress = Quiet(),  # noqa: B008
) -> Inspection:
    """Count and show copies, near-copies, conflicts, empty rows, missing labels, personal data.

    Args:
        data: as its roles were assigned.
        contents: (n) each row's content as one text, labels left out (`task.content(data)`).
        clean: tells what will be done, and from which similarity on texts are near-copies.
        progress: told of each step.
    """
    contents = _compared(data, contents, clean)
    normal = normalise_all(contents)
    marks = mark(data, normal, clean, progress)
    findings, counts = reports.found(data, list(contents), marks, clean)
    told, rows = personal(data, clean)
    return Inspection(
        [*findings, *told],
        {"rows": data.rows, **counts, "personal_data": rows},
        marks,
        normal,
    )


def prepare(
    data: Dataset,
    inspection: Inspection,
    clean: CleanSettings,
    test: Dataset | None = None,
    test_contents: Sequence[str] | None = None,
    valid: Dataset | None = None,
    valid_contents: Sequence[str] | None = None,
) -> Prepared:
    """Drop and mask as the settings say.

    Official tables are judged on as they are: only rows without content or label leave them.
    Copies and near-copies of their rows leave the training table (`test_copies`), copies of test
    rows the validation table too.

    Returns:
        The rows kept, in order, with the column COPIES: rows of one number, in any of the tables,
        are near-copies.

    Raises:
        DataError: where a setting says `refuse`, with examples; or when no row is left.
    """
    _refuse(inspection.findings)
    official: list[_Official] = []
    if test is not None:
        official.append(_Official.read("test", test, test_contents or (), clean))
    if valid is not None:
        official.append(_Official.read("valid", valid, valid_contents or (), clean))
    marks = inspection.marks
    if official:
        marks = _compare_tables(data, inspection, official, clean)
    sieve = _Sieve(data.rows)
    _drop_unusable(sieve, marks, clean)
    sieve.drop("missing", missing_rows(data, clean))
    findings = list(inspection.findings)
    leaks = _drop_official_copies(sieve, data, marks, official, clean)
    _refuse(leaks)
    if clean.rare_classes == "drop":
        sieve.drop("rare_classes", _rare(data, sieve.kept, clean.min_rows_per_class))
    findings += leaks + [finding for table in official for finding in table.findings]
    ways = text_ways(data, clean)
    kept = _finish(data, sieve.kept, marks.copies, clean, ways)
    counts: dict[str, JsonValue] = {
        **inspection.counts,
        "kept": kept.rows,
        "dropped": sieve.dropped,
        "test_copies": sum(finding.count for finding in leaks),
        **{table.name: table.counts for table in official},
    }
    assert data.rows == kept.rows + sum(sieve.dropped.values())  # noqa: S101  # the promise
    if not kept.rows:
        raise _nothing_left(data.rows, sieve.dropped)
    tables = {table.name: table.finished(clean, ways) for table in official}
    step = hiding(clean)
    steps: tuple[Step, ...] = (
        *tidying_steps(data, ways),
        *(() if step is None else (step,)),
    )
    return Prepared(
        kept, tables.get("test"), findings, counts, Preparation(steps), tables.get("valid")
    )


class _Sieve:
    """Which rows are kept, and how many went for each reason: each row for the first that fits."""

    def __init__(self, rows: int) -> None:
        import numpy as np

        self.kept = np.ones(rows, np.bool_)
        self.dropped: dict[str, int] = {}

    def drop(self, reason: str, rows: NDArray[np.bool_]) -> None:
        """Let these rows go."""
        gone = self.kept & rows
        if count := int(gone.sum()):
            self.dropped[reason] = self.dropped.get(reason, 0) + count
            self.kept &= ~gone

    def drop_surplus(self, reason: str, groups: NDArray[np.int64]) -> None:
        """Keep the first row of each group among those still kept."""
        import numpy as np

        places = np.flatnonzero(self.kept)
        surplus = np.zeros(len(self.kept), np.bool_)
        surplus[places[~first_rows(groups[places])]] = True
        self.drop(reason, surplus)


@dataclass
class _Official:
    """A table that is judged on as it is."""

    name: str
    data: Dataset
    normal: list[str]
    marks: Marks
    findings: list[Finding]
    counts: dict[str, JsonValue]
    kept: NDArray[np.bool_]

    @classmethod
    def read(
        cls, name: str, data: Dataset, contents: Sequence[str], clean: CleanSettings
    ) -> _Official:
        texts = _compared(data, contents, clean)
        normal = normalise_all(texts)
        marks = mark(data, normal, replace(clean, conflicts="keep"), Quiet())
        as_is = replace(
            clean, duplicates="keep", near_duplicates="together", conflicts="keep", empty="drop"
        )
        findings, counts = reports.found(data, list(texts), marks, as_is, name)
        sieve = _Sieve(data.rows)
        sieve.drop("empty", marks.empty)
        sieve.drop("unlabelled", marks.unlabelled)
        told: dict[str, JsonValue] = {"rows": data.rows, **counts, "kept": int(sieve.kept.sum())}
        told["dropped"] = sieve.dropped
        return cls(name, data, normal, marks, findings, told, sieve.kept)

    def finished(self, clean: CleanSettings, ways: Ways) -> Dataset:
        """The rows that stay, masked as the training rows are."""
        return _finish(self.data, self.kept, self.marks.copies, clean, ways)


def _compared(data: Dataset, contents: Sequence[str], clean: CleanSettings) -> Sequence[str]:
    """What is compared: texts that tidying or masking makes equal are copies too."""
    ways = next((clean.of(name).normalise for name in data.columns(Role.TEXT)), clean.normalise)
    if ways:
        contents = [tidy(text, ways) for text in contents]
    step = hiding(clean)
    return contents if step is None else step.texts(contents)


def _compare_tables(
    data: Dataset, inspection: Inspection, official: Sequence[_Official], clean: CleanSettings
) -> Marks:
    """Number contents and near-copies over all tables together; returns the training table's."""
    import numpy as np

    normal = [*inspection.normal, *(text for table in official for text in table.normal)]
    content = numbered(normal)
    marks = inspection.marks
    usable = [marks.usable, *(table.marks.usable for table in official)]
    if clean.conflicts != "keep":
        usable[0] = usable[0] & ~marks.conflicting
    copies = content
    if data.columns(Role.TEXT):
        copies = near_numbers(normal, content, np.concatenate(usable), clean.similarity, Quiet())
    ends = np.cumsum([data.rows, *(table.data.rows for table in official)])
    for table, start, end in zip(official, ends[:-1], ends[1:], strict=True):
        table.marks = table.marks._replace(content=content[start:end], copies=copies[start:end])
    return marks._replace(content=content[: data.rows], copies=copies[: data.rows])


def _drop_unusable(sieve: _Sieve, marks: Marks, clean: CleanSettings) -> None:
    sieve.drop("empty", marks.empty)
    sieve.drop("unlabelled", marks.unlabelled)
    if clean.conflicts == "drop":
        sieve.drop("conflicts", marks.conflicting)
    if clean.duplicates == "drop":
        # Copies that disagree, where they are kept, are no surplus: each says something else.
        groups = marks.content.copy()
        disagreeing = marks.conflicting.nonzero()[0]
        groups[disagreeing] = groups.max(initial=0) + 1 + disagreeing
        sieve.drop_surplus("duplicates", groups)
    if clean.near_duplicates == "drop":
        sieve.drop_surplus("near_duplicates", marks.copies)


def _rare(data: Dataset, kept: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Rows whose label fewer than `least` of the kept rows carry."""
    import numpy as np
    import polars as pl

    if not data.columns(Role.LABEL):
        return np.zeros(data.rows, np.bool_)
    table = pl.DataFrame({"label": data.table[data.column(Role.LABEL)], "kept": kept})
    rare: NDArray[np.bool_] = table.select(pl.col("kept").sum().over("label") < least)[
        "kept"
    ].to_numpy()
    return rare


def _drop_official_copies(
    sieve: _Sieve,
    data: Dataset,
    marks: Marks,
    official: Sequence[_Official],
    clean: CleanSettings,
) -> list[Finding]:
    """Copies of official rows leave the training table; those of test rows also the other."""
    import numpy as np

    findings: list[Finding] = []
    for place, table in enumerate(official):
        held = table.marks.copies[table.kept]
        exact = table.marks.content[table.kept]
        leaking = np.isin(marks.copies, held) & sieve.kept
        same = np.isin(marks.content, exact) & leaking
        findings += reports.leak(data, leaking, same, table.name, clean)
        if clean.test_copies == "drop":
            sieve.drop(f"{table.name}_copies", leaking)
            for later in official[place + 1 :]:
                inside = np.isin(later.marks.copies, held) & later.kept
                if count := int(inside.sum()):
                    findings += reports.leak(
                        later.data, inside, inside, table.name, clean, later.name
                    )
                    later.kept &= ~inside
                    later.counts["dropped"][f"{table.name}_copies"] = count
                    later.counts["kept"] -= count
    return findings


def _finish(
    data: Dataset,
    kept: NDArray[np.bool_],
    copies: NDArray[np.int64],
    clean: CleanSettings,
    ways: Ways,
) -> Dataset:
    import numpy as np
    import polars as pl

    rows = np.flatnonzero(kept)
    table = data.table[rows].with_columns(pl.Series(COPIES, copies[rows], dtype=pl.Int64))
    table = tidied(table, ways)
    if step := hiding(clean):
        columns = [table.get_column(name) for name in hidden_columns(data, clean)]
        table = table.with_columns([_hidden(column, step) for column in columns])
    return replace(data, table=table)


def _hidden(column: pl.Series, step: Mask) -> pl.Series:
    """The column with its personal data hidden; what is missing stays missing."""
    values = column.drop_nulls().unique(maintain_order=True).to_list()
    hidden = dict(zip(values, step.texts(values), strict=True))
    return column.replace(list(hidden), list(hidden.values()))


def _refuse(findings: Sequence[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return
    lines = []
    for finding in errors:
        shown = "; ".join(
            ", ".join(f"{key}: {value}" for key, value in example.items())
            for example in finding.examples
        )
        lines.append(f"{finding.message} {shown}" if shown else finding.message)
    raise DataError(
        "\n".join(lines),
        say("data.clean says `refuse`.", "data.clean 设为 `refuse`（拒绝）。"),
        say(
            "Correct the rows, or set data.clean to `drop` or `keep`.",
            "请修正这些行，或将 data.clean 设为 `drop` 或 `keep`。",
        ),
    )


def _nothing_left(rows: int, dropped: dict[str, int]) -> DataError:
    reasons = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
    return DataError(
        say(
            f"Of {rows} rows none is left ({reasons}).",
            f"{rows} 行数据全部被去除（{reasons}）。",
        ),
        say("Expected rows to learn from.", "应有可供学习的数据行。"),
        say(
            "Look at the findings, then at data.columns and data.clean.",
            "请查看数据问题，再检查 data.columns 和 data.clean。",
        ),
    )
