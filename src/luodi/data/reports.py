"""The findings of the data room, in words: a count, examples, the remedy, what is done."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from luodi.contracts import CleanSettings, Dataset, Finding, JsonValue, Role, Severity, say
from luodi.data.duplicates import first_rows, numbered
from luodi.data.examples import SHOWN, row_example, row_examples, shorten

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from luodi.data.marks import Marks

Done = Literal["drop", "keep", "refuse", "together", "mask", "pseudonymise"]


def found(
    data: Dataset,
    contents: list[str],
    marks: Marks,
    clean: CleanSettings,
    table: str = "",
) -> tuple[list[Finding], dict[str, int]]:
    """Findings about rows without content or label, conflicts, copies and near-copies.

    Returns:
        The findings, and the counts: empty, conflicts (contents), duplicates and near_duplicates
        (surplus rows).
    """
    import numpy as np

    judged = marks.usable & ~marks.conflicting
    surplus = judged & ~_first_among(marks.content, judged)
    compared = marks.usable if clean.conflicts == "keep" else judged
    distinct = _first_among(marks.content, compared)
    near = distinct & ~_first_among(marks.copies, distinct)
    conflicts = len(np.unique(marks.content[marks.conflicting]))
    counts = {
        "empty": int((~marks.usable).sum()),
        "conflicts": conflicts,
        "duplicates": int(surplus.sum()),
        "near_duplicates": int(near.sum()),
    }
    findings = [
        *_unusable(data, contents, marks, clean, table),
        *_conflicts(data, contents, marks, clean, table),
        *_copies(data, contents, marks, surplus, clean, table),
        *_near_copies(data, contents, marks, distinct, clean, table),
    ]
    return findings, counts


def _first_among(groups: NDArray[np.int64], rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The first of each group's rows, among these rows."""
    import numpy as np

    places = np.flatnonzero(rows)
    mark = np.zeros(len(groups), np.bool_)
    mark[places[first_rows(groups[places])]] = True
    return mark


def _severity(done: Done) -> Severity:
    return "error" if done == "refuse" else "warning"


def handled(done: Done) -> str:
    """What was done about a finding, in words."""
    return {
        "drop": say("Left out.", "已去除。"),
        "keep": say("Kept, as data.clean has it.", "按 data.clean 的设置保留。"),
        "refuse": "",
        "together": say("Kept on one side of the split.", "划分时保持在同一侧。"),
        "mask": say("Replaced by placeholders.", "已替换为占位符。"),
        "pseudonymise": say("Replaced by keyed stand-ins.", "已替换为带密钥的化名。"),
    }[done]


def _in(table: str) -> tuple[str, str]:
    """How a sentence names an official table."""
    return {
        "": ("", ""),
        "test": (" in the test table", "测试表中，"),
        "valid": (" in the validation table", "验证表中，"),
    }[table]


def _code(code: str, table: str) -> str:
    return f"{table}-{code}" if table else code


def _unusable(
    data: Dataset, contents: list[str], marks: Marks, clean: CleanSettings, table: str
) -> list[Finding]:
    en, zh = _in(table)
    findings = []
    if count := int(marks.empty.sum()):
        findings.append(
            Finding(
                _code("empty", table),
                _severity(clean.empty),
                count,
                say(f"{count} rows{en} have no text.", f"{zh}{count} 行没有文本。"),
                row_examples(data, contents, marks.empty.nonzero()[0].tolist()),
                data.columns(Role.TEXT),
                handled=handled(clean.empty),
            )
        )
    unlabelled = marks.unlabelled & ~marks.empty
    if count := int(unlabelled.sum()):
        findings.append(
            Finding(
                _code("unlabelled", table),
                _severity(clean.empty),
                count,
                say(f"{count} rows{en} have no label.", f"{zh}{count} 行没有标签。"),
                row_examples(data, contents, unlabelled.nonzero()[0].tolist()),
                data.columns(Role.LABEL),
                remedy=say("Label them to make use of them.", "可补充标签后再用。"),
                handled=handled(clean.empty),
            )
        )
    return findings


def _conflicts(
    data: Dataset, contents: list[str], marks: Marks, clean: CleanSettings, table: str
) -> list[Finding]:
    rows = marks.conflicting.nonzero()[0]
    if not len(rows):
        return []
    labels = data.table.get_column(data.column(Role.LABEL))
    examples: dict[int, tuple[str, Counter[str]]] = {}
    for row in rows.tolist():
        number = int(marks.content[row])
        if number not in examples:
            if len(examples) >= SHOWN:
                continue
            examples[number] = (shorten(contents[row]), Counter())
        examples[number][1][str(labels[row])] += 1
    count = len(set(marks.content[rows].tolist()))
    en, zh = _in(table)
    what, counted = ("texts", "条文本") if data.columns(Role.TEXT) else ("contents", "种内容")
    return [
        Finding(
            _code("conflicts", table),
            _severity(clean.conflicts),
            count,
            say(
                f"{count} {what}{en} carry labels that contradict each other ({len(rows)} rows).",
                f"{zh}{count} {counted}带有互相矛盾的标签（共 {len(rows)} 行）。",
            ),
            [{"text": text, "labels": dict(labels)} for text, labels in examples.values()],
            data.columns(Role.LABEL),
            say("Decide which label is right.", "请确定哪个标签正确。"),
            handled(clean.conflicts),
            {"rows": len(rows)},
        )
    ]


def _copies(
    data: Dataset,
    contents: list[str],
    marks: Marks,
    surplus: NDArray[np.bool_],
    clean: CleanSettings,
    table: str,
) -> list[Finding]:
    count = int(surplus.sum())
    if not count:
        return []
    en, zh = _in(table)
    share = count / data.rows
    return [
        Finding(
            _code("duplicates", table),
            _severity(clean.duplicates),
            count,
            say(
                f"{count} rows{en} are exact copies of earlier ones ({share:.0%}).",
                f"{zh}{count} 行与前面的行完全相同（占 {share:.0%}）。",
            ),
            _crowds(data, contents, marks.content, surplus),
            remedy=say(
                "A copy on each side of a split makes a model look better than it is.",
                "副本若分在划分的两侧，模型会显得比实际更好。",
            ),
            handled=handled(clean.duplicates),
            details={"share": share},
        )
    ]


def _crowds(
    data: Dataset, contents: list[str], groups: NDArray[np.int64], surplus: NDArray[np.bool_]
) -> list[dict[str, JsonValue]]:
    """One row of each of the largest groups, with how often it stands there."""
    import numpy as np

    numbers, times = np.unique(groups[surplus], return_counts=True)
    largest = np.argsort(-times, kind="stable")[:SHOWN]
    examples = []
    for place in largest:
        row = int(np.flatnonzero(surplus & (groups == numbers[place]))[0])
        examples.append(row_example(data, row, contents[row], times=int(times[place]) + 1))
    return examples


def _near_copies(
    data: Dataset,
    contents: list[str],
    marks: Marks,
    distinct: NDArray[np.bool_],
    clean: CleanSettings,
    table: str,
) -> list[Finding]:
    import numpy as np

    places = np.flatnonzero(distinct)
    numbers, sizes = np.unique(marks.copies[places], return_counts=True)
    count = int((sizes - 1).sum())
    if not count:
        return []
    largest = np.argsort(-sizes, kind="stable")[: min(SHOWN, int((sizes > 1).sum()))]
    crowds = [places[marks.copies[places] == number] for number in numbers[largest]]
    examples = [_side_by_side(data, contents, rows) for rows in crowds]
    en, zh = _in(table)
    differing = _differing(data, marks, places)
    return [
        Finding(
            _code("near-duplicates", table),
            _severity(clean.near_duplicates),
            count,
            say(
                f"{count} texts{en} are near-copies of others "
                f"(Jaccard similarity {clean.similarity:g} or more).",
                f"{zh}{count} 条文本与其他文本近似重复"
                f"（Jaccard 相似度不低于 {clean.similarity:g}）。",
            ),
            examples,
            handled=handled(clean.near_duplicates),
            details={"groups": int((sizes > 1).sum()), "largest": int(sizes.max())},
        ),
        *_near_conflicts(data, contents, differing, table),
    ]


def _side_by_side(
    data: Dataset, contents: list[str], rows: NDArray[np.int64]
) -> dict[str, JsonValue]:
    """The first few rows of a group, one under another."""
    shown = [row_example(data, row, contents[row]) for row in rows[:3].tolist()]
    record: dict[str, JsonValue] = {"row": [example["row"] for example in shown]}
    record["text"] = [example["text"] for example in shown]
    if "label" in shown[0]:
        record["label"] = [example["label"] for example in shown]
    return {**record, "times": len(rows)}


def _differing(data: Dataset, marks: Marks, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The groups of near-copies among these rows whose labels differ: the rows of each."""
    import numpy as np

    if not data.columns(Role.LABEL):
        return []
    label = data.table.get_column(data.column(Role.LABEL))
    if label.dtype.is_numeric():
        return []
    labels = numbered(label.fill_null("").to_list())
    groups = marks.copies[places]
    pairs = np.unique(np.stack((groups, labels[places])), axis=1)[0]
    split = np.unique(pairs[1:][pairs[1:] == pairs[:-1]])
    return [places[groups == number] for number in split.tolist()]


def _near_conflicts(
    data: Dataset, contents: list[str], groups: list[NDArray[np.int64]], table: str
) -> list[Finding]:
    """Near-copies may differ in the very word that decides: shown, and left as they are."""
    if not groups:
        return []
    en, zh = _in(table)
    return [
        Finding(
            _code("near-conflicts", table),
            "info",
            len(groups),
            say(
                f"{len(groups)} groups of near-copies{en} carry different labels.",
                f"{zh}{len(groups)} 组近似重复的文本带有不同标签。",
            ),
            [_side_by_side(data, contents, rows) for rows in groups[:SHOWN]],
            data.columns(Role.LABEL),
            say("Look whether the labels are right.", "请检查标签是否正确。"),
            handled("together"),
        )
    ]


def leak(
    data: Dataset,
    leaking: NDArray[np.bool_],
    exact: NDArray[np.bool_],
    held: str,
    clean: CleanSettings,
    inside: str = "train",
) -> list[Finding]:
    """The finding for rows of one table that are copies of rows of an official one."""
    count = int(leaking.sum())
    if not count:
        return []
    held_en, held_zh = {"test": ("test", "测试表"), "valid": ("validation", "验证表")}[held]
    in_en, in_zh = {"train": ("training", "训练表"), "valid": ("validation", "验证表")}[inside]
    same = int(exact.sum())
    textual = data.columns(Role.TEXT)
    return [
        Finding(
            f"{held}-copies",
            _severity(clean.test_copies),
            count,
            say(
                f"{count} rows of the {in_en} table are copies of rows of the {held_en} table "
                f"({same} exact).",
                f"{in_zh}有 {count} 行是{held_zh}中行的副本（其中 {same} 行完全相同）。",
            ),
            [
                row_example(data, row, " ".join(str(data.table[name][row]) for name in textual))
                for row in leaking.nonzero()[0][:SHOWN].tolist()
            ],
            remedy=say(
                "A model that has seen the answers proves nothing.",
                "见过答案的模型，成绩不能说明问题。",
            ),
            handled=handled(clean.test_copies),
            details={"exact": same, "near": count - same, "table": inside},
        )
    ]
