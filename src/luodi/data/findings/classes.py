"""How the labels are spread: rare classes, imbalance."""

from __future__ import annotations

from luodi.contracts import Finding, say
from luodi.data.examples import shorten
from luodi.data.findings.column import (
    Noticed,
    Sheet,
)

_MOST_CLASSES = 1000
UNEVEN, VERY_UNEVEN = 10.0, 100.0


def classes(sheet: Sheet, least: int = 5) -> list[Noticed]:
    """Classes with fewer than `least` rows, and classes that outnumber others by far.

    A label of many different numbers is no class and is passed over.
    """
    column = sheet.label
    if column is None or column.card.kind == "empty":
        return []
    numeric = column.values.dtype.is_float() or column.values.dtype.is_temporal()
    if numeric or column.card.distinct > min(_MOST_CLASSES, max(2, column.rows // 2)):
        return []
    labels, times = column.counts
    counts = dict(zip(labels, times.tolist(), strict=True))
    return [*_rare(column.name, counts, least), *_uneven(column.name, counts)]


def _rare(name: str, counts: dict[str, int], least: int) -> list[Noticed]:
    rare = {label: count for label, count in counts.items() if count < least}
    if not rare:
        return []
    shown = ", ".join(f"{shorten(label, 40)} ({count})" for label, count in list(rare.items())[:5])
    finding = Finding(
        "rare-classes",
        "warning",
        sum(rare.values()),
        say(
            f"{len(rare)} classes have fewer than {least} rows: {shown}.",
            f"{len(rare)} 个类别少于 {least} 行：{shown}。",
        ),
        tuple({"label": shorten(label), "rows": count} for label, count in list(rare.items())[:10]),
        (name,),
        say(
            "Collect more rows, merge classes, or set data.clean.rare_classes.",
            "请收集更多数据、合并类别，或设置 data.clean.rare_classes。",
        ),
    )
    return [Noticed(finding)]


def _uneven(name: str, counts: dict[str, int]) -> list[Noticed]:
    if len(counts) < 2:
        return []
    ordered = list(counts.items())
    (most, most_rows), (fewest, fewest_rows) = ordered[0], ordered[-1]
    ratio = most_rows / fewest_rows
    if ratio < UNEVEN:
        return []
    whole = sum(counts.values())
    shown = shorten(most, 40), shorten(fewest, 40)
    finding = Finding(
        "class-imbalance",
        "warning" if ratio >= VERY_UNEVEN and len(counts) < 20 else "info",
        fewest_rows,
        say(
            f"The class {shown[0]} has {ratio:.0f} times the rows of {shown[1]} "
            f"({most_rows} and {fewest_rows}).",
            f"类别 {shown[0]} 的行数是 {shown[1]} 的 {ratio:.0f} 倍"
            f"（{most_rows} 与 {fewest_rows}）。",
        ),
        tuple(
            {"label": shorten(label), "rows": count, "share": round(count / whole, 4)}
            for label, count in [*list(counts.items())[:3], *list(counts.items())[3:][-3:]]
        ),
        (name,),
        say(
            "Judge by macro_f1 or pr_auc, not by accuracy.",
            "请用 macro_f1 或 pr_auc 评估，而非准确率。",
        ),
        details={"ratio": ratio},
    )
    return [Noticed(finding)]
