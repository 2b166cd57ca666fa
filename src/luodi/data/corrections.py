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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import ROW, DataError, Dataset, Finding, Role, say
from luodi.data.normal import normalise

if TYPE_CHECKING:
    pass

HEADS = ("row", "key", "given", "suggested", "confidence", "corrected", "content")
_NEEDED = ("key", "given", "corrected")
_SHOWN = 5
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        content = str(row["content"])
        safe = f"'{content}" if content.startswith(_FORMULA) else content
        writer.writerow({**row, "corrected": "", "content": safe})
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace"))


def read_corrections(path: Path, shown: str) -> Corrections:
    """The rows whose `corrected` is filled.

    Raises:
        DataError: no such file, columns that lack, or two decisions for one content.
    """
    from luodi.data.encoding import to_utf8

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(
            say(
                f"{shown} cannot be read: {error.strerror}.",
                f"无法读取 {shown}：{error.strerror}。",
            ),
            say("data.corrections names it.", "由 data.corrections 指定。"),
        ) from None
    text = to_utf8(raw, shown).raw.decode().removeprefix("\ufeff")
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_separator(text))
    lacking = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if lacking:
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
    decided: dict[tuple[str, str], str] = {}
    lines: dict[tuple[str, str], int] = {}
    for record in reader:
        label = (record["corrected"] or "").strip()
        place = (_key(record["key"] or ""), (record["given"] or "").strip())
        if not label:
            continue
        if decided.get(place, label) != label:
            raise DataError(
                say(
                    f"{shown}, line {reader.line_num}: {label}; line {lines[place]} decided the "
                    f"same content otherwise ({decided[place]}).",
                    f"{shown} 第 {reader.line_num} 行为 {label}，但第 {lines[place]} 行对同一内容"
                    f"的判定是 {decided[place]}。",
                ),
                say("Expected one decision for one content.", "同一内容应只有一个判定。"),
            )
        decided[place] = label
        lines.setdefault(place, reader.line_num)
    return Corrections(decided, shown, lines)


def _separator(text: str) -> str:
    """What a spreadsheet put between the values: it follows the machine's region."""
    first = text[: text.find("\n")] if "\n" in text else text
    return max(",;\t", key=first.count)


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
    known = {str(label).strip() for label in given.unique().drop_nulls().to_list()}
    _check(corrections, known)
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
    strangers = len(corrections.decided) - len(met)
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
