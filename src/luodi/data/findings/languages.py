"""Which scripts, and so which languages, the texts of a column are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from luodi.contracts import say
from luodi.data.examples import shorten
from luodi.data.findings.column import (
    Column,
    Noticed,
    Record,
    Sheet,
    by_column,
    listed,
    rows_of,
)

if TYPE_CHECKING:
    import polars as pl

    from luodi.data.findings.column import Marks

# A text is of the first script that holds: kana and hangul settle it though Han stands beside.
_SCRIPTS = (
    ("Japanese", "日文", r"\p{Hiragana}|\p{Katakana}", 1),
    ("Korean", "韩文", r"\p{Hangul}", 1),
    ("Chinese", "中文", r"\p{Han}", 2),
    ("Cyrillic", "西里尔字母", r"\p{Cyrillic}", 3),
    ("Arabic", "阿拉伯文", r"\p{Arabic}", 3),
    ("Thai", "泰文", r"\p{Thai}", 3),
    ("Devanagari", "天城文", r"\p{Devanagari}", 3),
    ("Greek", "希腊文", r"\p{Greek}", 3),
)
# Words that run through nearly every sentence of the language and of none of the others.
_LATIN = (
    ("English", "英文", "the|and|is|was|of|to|in|it|for|not|this|that|with|my|you|are|have"),
    ("German", "德文", "der|die|das|und|ist|nicht|mit|ich|ein|eine|für|auf|wir|sehr|auch"),
    ("French", "法文", "le|les|des|est|et|une|pas|pour|dans|que|nous|très|avec|vous|je"),
    ("Spanish", "西班牙文", "el|los|las|que|una|por|con|para|muy|está|pero|como|más|y"),
    ("Portuguese", "葡萄牙文", "não|uma|com|para|os|muito|mais|são|você|meu|foi|em"),
    ("Italian", "意大利文", "il|che|di|non|una|per|è|sono|molto|con|gli|della|questo"),
)
_SHARE, _ROWS, _MANY = 0.01, 5, 0.1
_AT_MOST = 5_000
_HEAD = 400
"""Characters of a text that are looked at."""


def languages(sheet: Sheet) -> list[Noticed]:
    """Columns of texts in several languages: a model learns each from its own rows alone."""
    import numpy as np

    records: list[Record] = []
    marks: Marks = {}
    most = 0.0
    for column in sheet.of_kind("text"):
        if not column.textual or (column.card.mean or 0) < 4:
            continue
        # Above, an even sample tells the shares well enough.
        step = max(1, -(-column.rows // _AT_MOST))
        named = _named(column.values.gather_every(step))
        counts = named.drop_nulls().value_counts(sort=True, name="__times__")
        told = [(str(name), int(n)) for name, n in counts.iter_rows()]
        whole = sum(n for _, n in told)
        others = [(name, n) for name, n in told[1:] if n >= _ROWS and n >= _SHARE * whole]
        if not others:
            continue
        most = max(most, others[0][1] / whole)
        rare = named.is_in([name for name, _ in others])
        places = rare.fill_null(False).arg_true().to_numpy().astype(np.int64) * step
        share = {name: round(n / whole, 3) for name, n in [told[0], *others]}
        records.append(
            {
                "column": column.name,
                "rows": sum(n for _, n in others) * step,
                "languages": {_shown(name): value for name, value in share.items()},
                "values": _examples(column, named, step, [name for name, _ in others]),
            }
        )
        marks[column.name] = places
    if not records:
        return []
    shown = [
        f"{r['column']} ({', '.join(f'{k} {v:.0%}' for k, v in list(r['languages'].items())[:3])})"
        for r in records
    ]
    en, zh = listed(shown)
    finding = by_column(
        "mixed-languages",
        "warning" if most >= _MANY else "info",
        say(f"Texts in several languages: {en}.", f"文本含有多种语言：{zh}。"),
        records,
        count=rows_of(records),
        remedy=say(
            "Take a base model that knows them all, or judge each language by itself (role slice).",
            "请选用支持这些语言的基座模型，或用 slice 角色分别评估。",
        ),
    )
    return [Noticed(finding, marks)]


def _named(values: pl.Series) -> pl.Series:
    """The language of each text by its English name; null where nothing tells."""
    import polars as pl

    text = pl.col("text")
    frame = pl.DataFrame({"text": values.str.slice(0, _HEAD)})
    letters = text.str.count_matches(r"\p{L}")
    expression: Any = pl.when(text.is_null() | (letters < 2)).then(None)
    for name, _, pattern, weight in _SCRIPTS:
        found = text.str.count_matches(pattern)
        # A Chinese word in an English sentence makes it no Chinese one: signs weigh as words do.
        expression = expression.when(found * 3 * (2 if weight < 3 else 1) >= letters).then(
            pl.lit(name)
        )
    # Latin letters: the language whose words stand there most often; two words at least.
    lowered = text.str.to_lowercase()
    hits = [lowered.str.count_matches(rf"\b({words})\b").alias(name) for name, _, words in _LATIN]
    wide = frame.select(text.str.len_bytes() > text.str.len_chars()).to_series().fill_null(False)
    plain = frame.select(pl.when(letters >= 2).then(pl.lit("Latin"))).to_series()
    scripts = frame.filter(wide).select(expression.otherwise(pl.lit("Latin"))).to_series()
    first = plain.scatter(wide.arg_true(), scripts) if wide.any() else plain
    latin = first == "Latin"
    if not latin.any():
        return first
    names = [name for name, _, _ in _LATIN]
    counts = frame.filter(latin.fill_null(False)).select(hits)
    best = counts.select(
        pl.when(pl.max_horizontal(names) < 2)
        .then(pl.lit("Latin"))
        .otherwise(
            pl.concat_list(names)
            .list.arg_max()
            .replace_strict(range(len(names)), names, return_dtype=pl.String)
        )
    ).to_series()
    told = best.filter(best != "Latin")
    # Too short to tell: taken for the commonest Latin language, not for one of its own.
    usual = told.mode().sort()[0] if len(told) else "English"
    best = best.replace({"Latin": usual})
    return first.scatter(latin.fill_null(False).arg_true(), best)


def _examples(column: Column, named: pl.Series, step: int, names: list[str]) -> list[str]:
    shown = []
    for name in names[:3]:
        place = (named == name).fill_null(False).arg_true()
        if len(place):
            shown.append(shorten(str(column.values[int(place[0]) * step]), 40))
    return shown


def _shown(name: str) -> str:
    for en, zh, *_ in (*_SCRIPTS, *_LATIN):
        if en == name:
            return say(en, zh)
    return name
