"""Suspicious rows as a file that a person can correct, and the corrected file read back.

Columns: `row` (as collected, from 1), `key` (what its content is known by), `given`, `suggested`,
`confidence`, `corrected` (for the person to fill: the right label, be it the given one; blank: not
decided) and `content`. A correction goes to every row of the same content and given label.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from luodi.contracts import ROW, DataError, Dataset, Finding, Role, say
from luodi.data.normal import normalise
from luodi.data.spreadsheets import Labels, bare, defused, saved_rows

HEADS = ("row", "key", "given", "suggested", "confidence", "corrected", "content")
_NEEDED = ("key", "given", "corrected")
_SAID = ("given", "suggested", "corrected")
_SHOWN = 5


@dataclass(frozen=True)
class Corrections:
    """What a person decided: (content's key, given label) -> the right label."""

    decided: Mapping[tuple[str, str], str]
    file: str
    lines: Mapping[tuple[str, str], int]


def content_key(content: str) -> str:
    """What a content is known by: equal after normalisation, equal key.

    Twelve letters: a spreadsheet makes numbers of digits, of 123456e78901 too.
    """
    digest = hashlib.sha256(normalise(content).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return digest.translate(_LETTERS)


_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def _key(written: str) -> str:
    """A key as it stands in a file; earlier files have it in hexadecimal digits."""
    key = written.strip()
    earlier = re.fullmatch(r"[0-9a-f]{12}", key) and re.search(r"\d", key)
    return key.translate(_LETTERS) if earlier else key


def write_suspicious(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows as CSV that a spreadsheet opens in the right encoding, formulas defused."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADS, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        safe = {name: defused(str(row[name] or "")) for name in ("given", "suggested", "content")}
        writer.writerow({**row, **safe, "corrected": ""})
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace"))


def read_corrections(path: Path, shown: str, known: Iterable[str] = ()) -> Corrections:
    """The rows whose `corrected` is filled.

    A spreadsheet that saved the file may have rewritten labels: what is one of those known in
    another spelling is read as that.

    Args:
        known: the labels that the table has; without them each text is a label of its own.

    Raises:
        DataError: no such file, columns that lack, a text that may be several labels, or two
            decisions for one content.
    """
    records = list(_records(path, shown))
    labels = Labels(
        known, (text for _, record in records for text in map(record.get, _SAID) if text)
    )
    decided: dict[tuple[str, str], str] = {}
    lines: dict[tuple[str, str], int] = {}
    for line, record in records:
        if not record["corrected"]:
            continue
        label = _one_label(labels, record["corrected"], shown, line)
        key = _key(record["key"])
        # Several may be meant: the content's key tells which of them its rows have.
        for given in labels.meant(record["given"]) or [record["given"]]:
            place = (key, given)
            if decided.get(place, label) != label:
                raise _otherwise(shown, line, label, lines[place], decided[place])
            decided[place] = label
            lines.setdefault(place, line)
    return Corrections(decided, shown, lines)


def _one_label(labels: Labels, written: str, shown: str, line: int) -> str:
    """The label that is meant; what is none of them as it stands, for `correct` to tell."""
    found = labels.meant(written)
    if len(found) < 2:
        return found[0] if found else written
    raise DataError(
        say(f"{shown}, line {line}: {written} may be {' or '.join(found)}.",
            f"{shown} 第 {line} 行：{written} 可能是 {'或'.join(found)}。"),
        say("A spreadsheet writes these labels alike.", "电子表格会把这些标签写成一样。"),
        say("Open the file with its columns as text, or fill it in a text editor.",
            "请以“文本”格式导入各列，或用文本编辑器填写。"),
    )  # fmt: skip


def _otherwise(shown: str, line: int, label: str, before: int, other: str) -> DataError:
    return DataError(
        say(f"{shown}, line {line}: {label}; line {before} decided the same content otherwise "
            f"({other}).",
            f"{shown} 第 {line} 行为 {label}，但第 {before} 行对同一内容的判定是 {other}。"),
        say("Expected one decision for one content.", "同一内容应只有一个判定。"),
    )  # fmt: skip


def _records(path: Path, shown: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each record with its line, of a workbook with its row; values without white space around."""
    names: list[str] = []
    for line, values in saved_rows(path, shown):
        if not names:
            names = [value.strip() for value in values]
            _check_names(names, shown)
            continue
        record = dict.fromkeys(HEADS, "") | dict(zip(names, values, strict=False))
        yield line, {name: bare((record[name] or "").strip()) for name in HEADS}
    _check_names(names, shown)  # of an empty file


def _check_names(names: Sequence[str], shown: str) -> None:
    lacking = [name for name in _NEEDED if name not in names]
    if not lacking:
        return
    raise DataError(
        say(
            f"{shown} has no column {', '.join(lacking)}.",
            f"{shown} 缺少列 {'、'.join(lacking)}。",
        ),
        say(f"Expected the columns {', '.join(HEADS)}.", f"应有列：{'、'.join(HEADS)}。"),
        say(
            "Fill the column `corrected` of the file that the run wrote.",
            "请在运行生成的文件中填写 `corrected` 列。",
        ),
    )


def known_labels(data: Dataset) -> set[str]:
    """The labels that a table has."""
    given = data.table.get_column(data.column(Role.LABEL))
    return {str(label).strip() for label in given.unique().drop_nulls().to_list()}


def correct(
    data: Dataset, contents: Sequence[str], corrections: Corrections
) -> tuple[Dataset, list[Finding]]:
    """The table with the decided labels, and what was done.

    Raises:
        DataError: labels that the table does not know (slips of the pen), each with its line.
    """
    import polars as pl

    name = data.column(Role.LABEL)
    given = data.table.get_column(name)
    _check(corrections, known_labels(data))
    labels, met, changed = given.cast(pl.String).to_list(), set(), Counter[tuple[str, str]]()
    keys = [content_key(text) for text in contents]
    examples: list[dict[str, Any]] = []
    for place, (key, label) in enumerate(zip(keys, labels, strict=True)):
        known_as = (key, (label or "").strip())
        right = corrections.decided.get(known_as)
        if right is None:
            continue
        met.add(known_as)
        if right != known_as[1]:
            labels[place] = right
            changed[known_as[1], right] += 1
            if len(examples) < _SHOWN:
                examples.append(_example(data, place, contents[place], known_as[1], right))
    table = data.table.with_columns(pl.Series(name, labels, dtype=pl.String))
    strangers = len({*corrections.lines.values()} - {corrections.lines[one] for one in met})
    return replace(data, table=table), _told(corrections, changed, strangers, examples, name)


def confirmed(
    contents: Sequence[str], labels: Sequence[str | None], corrections: Corrections
) -> list[bool]:
    """Which rows carry the label that a person decided on."""
    right = {(key, label) for (key, _), label in corrections.decided.items()}
    return [
        (content_key(text), (label or "").strip()) in right
        for text, label in zip(contents, labels, strict=True)
    ]


def _check(corrections: Corrections, known: set[str]) -> None:
    from difflib import get_close_matches

    wrong = [(place, label) for place, label in corrections.decided.items() if label not in known]
    if not wrong:
        return
    told = []
    for place, label in wrong[:_SHOWN]:
        near = get_close_matches(label, known, n=1)
        hint = say(f" (did you mean {near[0]}?)", f"（是否想写 {near[0]}？）") if near else ""
        told.append(
            say(
                f"line {corrections.lines[place]}: {label}",
                f"第 {corrections.lines[place]} 行：{label}",
            )
            + hint
        )
    raise DataError(
        say(
            f"{corrections.file} names {len(wrong)} labels that the table does not have: "
            f"{'; '.join(told)}.",
            f"{corrections.file} 中有 {len(wrong)} 个标签不在数据中：{'；'.join(told)}。",
        ),
        say(
            f"The labels are: {', '.join(sorted(known)[:20])}.",
            f"现有标签：{'、'.join(sorted(known)[:20])}。",
        ),
        say("Correct the column `corrected`.", "请更正 `corrected` 列。"),
    )


def _example(data: Dataset, place: int, content: str, given: str, right: str) -> dict[str, Any]:
    from luodi.data.examples import shorten

    numbers = data.table.get_column(ROW) if ROW in data.table.columns else range(data.rows)
    return {
        "row": int(numbers[place]) + 1,
        "text": shorten(content),
        "given": given,
        "corrected": right,
    }


def _told(
    corrections: Corrections,
    changed: Counter[tuple[str, str]],
    strangers: int,
    examples: list[dict[str, Any]],
    name: str,
) -> list[Finding]:
    count = sum(changed.values())
    findings = [
        Finding(
            "corrections",
            "info",
            count,
            say(
                f"{count} labels were corrected as {corrections.file} says "
                f"({len(corrections.decided)} contents decided).",
                f"按 {corrections.file} 更正了 {count} 个标签"
                f"（共判定 {len(corrections.decided)} 条内容）。",
            ),
            examples,
            (name,),
            handled=say("Corrected.", "已更正。"),
            details={f"{old} → {new}": rows for (old, new), rows in changed.most_common(20)},
        )
    ]
    if strangers:
        findings.append(
            Finding(
                "corrections-unmatched",
                "warning",
                strangers,
                say(
                    f"{strangers} decisions of {corrections.file} fit no row of the table.",
                    f"{corrections.file} 中有 {strangers} 条判定与数据中的任何行都不对应。",
                ),
                columns=(name,),
                remedy=say(
                    "The table has changed since, or they were made in the source already.",
                    "数据可能已改变，或已在源数据中更正。",
                ),
            )
        )
    return findings
