"""A Chinese reader is spoken to in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from luodi.contracts import (
    ROW,
    CleanSettings,
    DataError,
    Dataset,
    Finding,
    Role,
    SplitSettings,
    use_language,
)
from luodi.data import reading
from luodi.data.clean import inspect, prepare
from luodi.data.sources import collect
from luodi.data.split import split

HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    use_language("zh")
    yield
    use_language(None)


def spoken(findings: list[Finding]) -> None:
    for finding in findings:
        for sentence in (finding.message, finding.remedy, finding.handled):
            assert not sentence or HAN.search(sentence), sentence


def test_what_is_kept_of_a_long_file_is_told_in_the_next_readers_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FROM", 1 << 10)
    rows = "".join(f"这家酒店的早餐很好吃，第{n}次入住,好\n" for n in range(100))
    (tmp_path / "rows.csv").write_bytes(("评论,标签\n" + rows).encode("gb18030"))
    spoken(collect("rows.csv", tmp_path).findings)
    use_language("en")
    (finding,) = collect("rows.csv", tmp_path).findings
    assert finding.message == "rows.csv is GB18030; it was read as such."


def test_findings() -> None:
    text = "the room was clean and the breakfast was good"
    table = pl.DataFrame(
        {
            "text": [text, text, f"{text}!", "x", "x", "", "call 13800138000", "y", "keep"],
            "label": ["p", "p", "n", "p", "n", "p", "p", None, "p"],
        }
    ).with_row_index(ROW)
    data = Dataset(table, {Role.TEXT: ("text",), Role.LABEL: ("label",)})
    contents = table["text"].to_list()
    test = data.take(pl.Series([0, 5, 6]).to_numpy())
    clean = CleanSettings()
    done = prepare(
        data, inspect(data, contents, clean), clean, test, [contents[0], "", contents[6]]
    )
    codes = {finding.code for finding in done.findings}
    assert codes >= {"duplicates", "near-duplicates", "near-conflicts", "conflicts", "empty"}
    assert codes >= {"unlabelled", "personal-data", "test-copies", "test-empty"}
    spoken(done.findings)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.csv", b"a,b\n1\n"),
        ("a.csv", b""),
        ("a.csv", b'a\n"b'),
        ("a.csv", b"a,a\n1,2\n"),
        ("a.csv", "文本\n好\n".encode("utf-16")[:-1]),
        ("a.jsonl", b"{"),
        ("a.parquet", b"PAR1"),
        ("a.xlsx", b"PK"),
        ("a.gz", b"1"),
        ("a.doc", b"1"),
    ],
)
def test_refusals(name: str, raw: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(DataError) as caught:
        collect(name, tmp_path)
    assert HAN.search(caught.value.found)
    (tmp_path / "r.csv").write_bytes("文本\n好\n".encode("gbk"))
    spoken(collect("r.csv", tmp_path).findings)


def test_a_split_that_cannot_be() -> None:
    data = Dataset(pl.DataFrame({"label": ["a"]}), {})
    with pytest.raises(DataError, match="无法划分"):
        split(data, SplitSettings(), "label")
