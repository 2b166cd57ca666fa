"""Arrow streams: never held when long, the same rows as when short, damage told."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from luodi.contracts import DataError, Quiet
from luodi.data import arrow_streams, reading
from luodi.data.sources import collect, gather

TABLE = pl.DataFrame(
    {
        "n": range(300),
        "text": ["好书", None, "fine"] * 100,
        "kind": pl.Series(["甲", "乙"] * 150, dtype=pl.Categorical),
        "price": pl.Series([Decimal("1.25"), None] * 150, dtype=pl.Decimal(12, 2)),
        "list": [[1, 2], [], None] * 100,
        "object": [{"a": 1}] * 300,
    }
)


def stream(*tables: pl.DataFrame, compression: str = "uncompressed") -> bytes:
    """One stream of several batches, each with dictionaries of its own, as writers do it."""
    found = []
    for table in tables:
        raw = io.BytesIO()
        table.write_ipc_stream(raw, compression=compression)  # type: ignore[arg-type]
        found.append(raw.getvalue())
    schema = [next(iter(read(raw))) for raw in found]
    bodies = [raw[len(one.head) : -8] for raw, one in zip(found, schema, strict=True)]
    return b"".join([schema[0].head, *bodies, found[0][-8:]])


def read(raw: bytes) -> Sequence[arrow_streams.Message]:
    return list(arrow_streams.messages(io.BytesIO(raw).read, "t.arrow"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is long from its first bytes on; nothing may load it."""
    monkeypatch.setattr(reading, "FROM", 64)
    monkeypatch.setattr(reading, "read_file", None)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("name", ["t.arrow", "t.feather", "t.arrows", "t.arrow.gz"])
def test_a_long_stream_is_its_batches(small, tmp_path: Path, name, compression) -> None:
    raw = stream(TABLE.head(120), TABLE[120:], compression=compression)
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    part = gather(name, tmp_path, Quiet()).parts[0]
    assert part.table is None
    assert (part.rows, part.columns) == (300, TABLE.columns)
    expected = TABLE.with_columns(pl.col("kind").cast(pl.String))
    assert pl.concat(part.tables()).equals(expected)
    assert collect(name, tmp_path, sample=10).table["n"].n_unique() == 10


def test_a_dictionary_may_change_on_the_way(small, tmp_path: Path) -> None:
    def kinds(*words: str) -> pl.DataFrame:
        kind = pl.Categorical(pl.Categories(words[0]))
        return pl.DataFrame({"kind": words}, schema={"kind": kind})

    (tmp_path / "t.arrow").write_bytes(stream(kinds("a", "b"), kinds("c", "a"), kinds("好")))
    part = gather("t.arrow", tmp_path, Quiet()).parts[0]
    assert pl.concat(part.tables())["kind"].to_list() == ["a", "b", "c", "a", "好"]


@pytest.mark.parametrize("way", ["short", "long"])
def test_what_is_damaged_is_told(way: str, tmp_path: Path, monkeypatch) -> None:
    if way == "long":
        monkeypatch.setattr(reading, "FROM", 64)
    raw, path = stream(TABLE), tmp_path / "t.arrow"
    schema = len(read(raw)[0].head)
    for wrong, said in (
        (raw[:-8], "the stream has no end"),
        (raw[: len(raw) // 2], "the stream has no end"),
        (raw + raw, "more follows the stream's end"),
        (raw[schema:], "no such message"),
        (raw[:schema] + b"\xff" * 400, "no such message"),
        (raw[:200] + b"\xff" * 100 + raw[300:], ""),
    ):
        path.write_bytes(wrong)
        with pytest.raises(DataError, match=rf"t\.arrow is no readable Arrow.*{said}"):
            collect("t.arrow", tmp_path)


@pytest.mark.parametrize("way", ["short", "long"])
def test_a_stream_without_rows_is_told(way: str, tmp_path: Path, monkeypatch) -> None:
    if way == "long":
        monkeypatch.setattr(reading, "FROM", 64)
    (tmp_path / "t.arrow").write_bytes(stream(TABLE.head(0)))
    with pytest.raises(DataError, match="holds no rows"):
        collect("t.arrow", tmp_path)
