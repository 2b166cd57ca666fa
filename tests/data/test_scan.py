"""Long files: the pieces hold what the short way reads, to the row, the type and the line."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from luodi.contracts import ROW, DataError, LuodiError, Quiet
from luodi.data import arrow_streams, reading, scan, textstream
from luodi.data.fingerprint import fingerprint
from luodi.data.sources import collect, gather


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text file is long, and comes a few bytes at a time."""
    monkeypatch.setattr(reading, "FROM", 8)
    monkeypatch.setattr(textstream, "_BLOCK", 13)
    monkeypatch.setattr(scan, "_ROWS", 2)


def both(
    path: Path, raw: bytes, monkeypatch: pytest.MonkeyPatch, block: int = 13
) -> tuple[object, object]:
    """What the short way and the long way make of the same bytes: rows and findings, or words."""
    path.write_bytes(raw)
    found = []
    for limit in (1 << 30, 8 if block == 13 else 120):
        with monkeypatch.context() as patch:
            patch.setattr(reading, "FROM", limit)
            patch.setattr(textstream, "_BLOCK", block)
            patch.setattr(scan, "_ROWS", 2)
            try:
                collected = collect(path.name, path.parent)
            except LuodiError as error:
                found.append(str(error))
                continue
            counts = {(f.code, f.count) for f in collected.findings if f.code != "mixed-types"}
            found.append((collected.table.schema, collected.table.rows(), counts))
    return found[0], found[1]


FILES = {
    "plain.csv": "text,n,x,code\n好,1,1.5,007\nb,2,2,8\n,3,,9\n",
    "quoted.csv": 'a,b\n"x\ny",1\n"p ""q"" r",2\n\n\n"z",3',
    "stray.csv": 'a,b\ndisk,5" wide\n"x\ny",3\n\n"z",4\nw,8" high\n',
    "windows.csv": 'a,b\r\n"1\r\n2",x\r\n3,y\r\n',
    "semicolon.csv": "a;b\n1;2\n3;4\n",
    "mac.csv": "a,b\r1,2\r3,4\r",
    "late.csv": "text,n\n" + "plain,1\n" * 20 + "房间很干净服务周到,2\n",
    "a.tsv": "a\tb\n1\tx y\n",
    "a.txt": "eins\r\n\r\nzwei\nd\u2028rei",
    "a.jsonl": '{"a": 1, "b": "x"}\n\n{"b": null, "c": [1]}\n{"a": 2.5, "b": "y"}\n{"a": null}',
    "ragged.csv": "a,b\n1,2\n3,4\n5\n6,7,8\n",
    "open.csv": 'a,b\n1,2\n3,"4\n5,6\n7,8\n9,10\n',
    "nul.csv": "a,b\n1,2\n3,x\0y\n",
    "bad.jsonl": '{"a": 1}\n{"a": 2}\n{"a": \n',
    "numbers.csv": "1,2\n3,4\n",
    "twice.csv": "a,a\n1,2\n3,4\n",
    "empty-column.csv": "a,b\n1,\n2,\n3,\n",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig", "utf-16"])
def test_both_ways_read_the_same(name: str, encoding: str, tmp_path: Path, monkeypatch) -> None:
    # What tells GB18030 from others is a text, not a few bytes.
    block = 120 if encoding == "gb18030" else 13
    short, long = both(tmp_path / name, FILES[name].encode(encoding), monkeypatch, block)
    if isinstance(short, str):
        # The long way stops at the first wrong block; it may not know how many there are.
        assert isinstance(long, str)
        assert long.split(":")[0] == short.split(":")[0]
    else:
        assert long == short


@settings(
    deadline=None, max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    ending=st.sampled_from([".csv", ".tsv", ".txt", ".jsonl"]),
    raw=st.one_of(
        st.text(st.sampled_from("ab1,\t\"\n\r 好"), max_size=80).map(str.encode),
        st.lists(st.text(st.sampled_from('a1,"\n好'), max_size=6), min_size=2, max_size=20).map(
            lambda cells: ("x,y\n" + "\n".join(
                ",".join('"' + cell.replace('"', '""') + '"' for cell in pair)
                for pair in zip(cells[::2], cells[1::2], strict=False))).encode()
        ),
    ),
)  # fmt: skip
@example(ending=".txt", raw="111好好".encode())  # its first block ends within a character
@example(ending=".csv", raw="\r好好好".encode())  # nothing stands before its first line's end
def test_any_bytes_are_read_alike_both_ways(ending, raw, tmp_path, monkeypatch) -> None:
    if ending == ".txt":  # a lone carriage return ends a line where no line feed ever does
        raw = raw.replace(b"\r", b"")
    short, long = both(tmp_path / f"any{ending}", raw, monkeypatch)
    if isinstance(short, tuple):
        assert long == short
    else:
        assert isinstance(long, str)


@pytest.mark.parametrize("block", [120, 333, 1 << 20])
def test_lines_of_two_encodings_in_a_long_file(block: int, tmp_path: Path, monkeypatch) -> None:
    one, two = "房间很干净，下次还来", "早餐一般，价格偏高"
    lines = [
        f"{n},{two if n % 7 == 5 else one}\n".encode("gbk" if n % 7 == 5 else "utf-8")
        for n in range(200)
    ]
    short, long = both(tmp_path / "r.csv", b"n,text\n" + b"".join(lines), monkeypatch, block)
    assert not isinstance(short, str)
    assert [row[2] for row in short[1]] == [two if n % 7 == 5 else one for n in range(200)]
    assert ("mixed-encodings", 28) in short[2]
    assert long == short
    lines[150] = b"150,\xff\xff\xff\n"
    _, long = both(tmp_path / "r.csv", b"n,text\n" + b"".join(lines), monkeypatch, block)
    place = len(b"n,text\n") + sum(map(len, lines[:150])) + 5
    assert str(long).startswith(f"r.csv, line 152: byte {place} (0xff)")


def test_an_error_names_its_line_in_a_long_file(small, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(textstream, "_BLOCK", 4000)
    rows = "".join(f"{n},x\n" for n in range(500))
    (tmp_path / "r.csv").write_text("a,b\n" + rows + "1,2,3\n" + rows)
    with pytest.raises(DataError, match="line 502 has 3"):
        collect("r.csv", tmp_path)
    (tmp_path / "d.csv").write_bytes(
        b"a,b\n" + rows.encode() + "很好,好\n".encode() * 30 + b"\xff,1\n"
    )
    with pytest.raises(DataError, match=r"d\.csv, line 532: byte \d+ \(0xff\)"):
        collect("d.csv", tmp_path)


def test_a_scan_is_done_once(small, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,x\n" * 100))
    first = collect("r.csv.gz", tmp_path)
    monkeypatch.setattr(reading, "scan", None)  # a second scan would fail
    again = collect("r.csv.gz", tmp_path)
    assert fingerprint(again.table) == fingerprint(first.table)
    assert again.files == first.files


def test_a_sample_is_even_and_counts_the_others(small, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(textstream, "_BLOCK", 4000)
    rows = "".join(f"{n},x\n" for n in range(5000))
    (tmp_path / "r.csv").write_text("a,b\n" + rows)
    collected = collect("r.csv", tmp_path, sample=1000)
    table = collected.table
    assert table.height == 1000
    assert table[ROW].to_list() == table["a"].to_list() == sorted(table["a"].to_list())
    assert 2300 < float(table["a"].mean() or 0) < 2700  # type: ignore[arg-type]
    assert [(f.code, f.count) for f in collected.findings] == [("sample", 4000)]
    assert collect("r.csv", tmp_path, sample=1000).table.equals(table)
    assert collect("r.csv", tmp_path, sample=9000).table.height == 5000


def test_more_than_the_memory_holds(small, tmp_path: Path, monkeypatch) -> None:
    from luodi.data import sampling

    monkeypatch.setattr(textstream, "_BLOCK", 4000)
    (tmp_path / "r.csv").write_text("a,b\n" + "1,x\n" * 5000)
    monkeypatch.setattr(sampling, "memory_bytes", lambda: (50_000, 10**9))
    with pytest.raises(DataError, match=r"5,000 rows.*data\.sample: \d000"):
        collect("r.csv", tmp_path)
    fitting = collect("r.csv", tmp_path, fitting=True)
    assert 1000 <= fitting.table.height < 5000
    assert [(f.code, f.count) for f in fitting.findings] == [("sample", 5000 - len(fitting.table))]
    assert collect("r.csv", tmp_path, sample=100).table.height == 100


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_long_files_of_columns_are_read_by_rows(ending, tmp_path: Path, monkeypatch) -> None:
    table = pl.DataFrame({"n": range(1000), "kind": ["甲", "乙"] * 500}).with_columns(
        pl.col("kind").cast(pl.Categorical)
    )
    path = tmp_path / f"r.{ending}"
    if ending == "parquet":
        table.write_parquet(path)
    else:  # a batch is decoded as a whole: no fewer rows than one has are taken
        table.write_ipc(path, record_batch_size=45)
    short = collect(path.name, tmp_path)
    monkeypatch.setattr(reading, "FROM", 8)
    monkeypatch.setattr(reading, "ROWS_AT_ONCE", 90)
    assert len(list(gather(path.name, tmp_path, Quiet()).parts[0].tables())) == 12
    long = collect(path.name, tmp_path)
    assert long.table.equals(short.table)
    assert long.files == short.files
    assert collect(path.name, tmp_path, sample=10).table["n"].n_unique() == 10
    raw = path.read_bytes()
    if ending == "parquet":  # Arrow's values carry no sum that damage could break
        middle = b"\xff" * (len(raw) // 6)
        path.write_bytes(raw[: len(raw) // 3] + middle + raw[len(raw) // 3 + len(middle) :])
        with pytest.raises(DataError, match=r"r\.parquet is no readable"):
            collect(path.name, tmp_path)
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(DataError, match=rf"r\.{ending} is no readable"):
        collect(path.name, tmp_path)


@pytest.mark.parametrize("ending", ["parquet", "arrow", "arrows"])
def test_wide_rows_are_taken_by_their_bytes(ending: str, tmp_path: Path, monkeypatch) -> None:
    table = pl.DataFrame({"n": range(5000), "text": ["x" * 200 + str(n) for n in range(5000)]})
    path = tmp_path / f"r.{ending}"
    if ending == "parquet":
        table.write_parquet(path)
    elif ending == "arrow":
        table.write_ipc(path, record_batch_size=500)
    else:
        table.write_ipc_stream(path)
    monkeypatch.setattr(reading, "FROM", 8)
    monkeypatch.setattr(reading, "BYTES_AT_ONCE", 300_000)
    parts = gather(path.name, tmp_path, Quiet()).parts
    tables = list(parts[0].tables())
    assert pl.concat(tables).equals(table)
    whole = ending == "arrows"  # written as one batch, which is decoded as a whole
    assert max(len(part) for part in tables) <= (5000 if whole else 1500)
    if ending == "arrow":
        assert arrow_streams.batches_in(path) == 10
        path.write_bytes(path.read_bytes()[:-7])
        assert arrow_streams.batches_in(path) == 1


SCRIPT = """
import json, re, sys
from pathlib import Path
from luodi.contracts import Quiet
from luodi.data.sources import collect, gather
root = Path(sys.argv[1])
gathered = gather(sys.argv[2], root, Quiet())
sample = collect(sys.argv[2], root, sample=10_000)
# Of this program alone: ru_maxrss also knows what the tests' own process had when it began us.
status = Path("/proc/self/status").read_text()
peak = int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) * 1024
print(json.dumps({"rows": gathered.rows, "sample": sample.table.height, "peak": peak,
                  "columns": gathered.parts[0].columns}))
"""


def write_long(path: Path, size: int) -> int:
    """A CSV of about `size` bytes with every trouble of a real one; returns its rows."""
    line = '{n},"评论 {n}, with ""quotes"" and\nlines",{x},2024-05-{d:02d},{p}\n'
    block = "".join(
        line.format(n=n, x=n * 0.25, d=n % 28 + 1, p="很好的书值得买" * (n % 9))
        for n in range(20_000)
    ).encode()
    rows = 0
    with path.open("wb") as file:
        file.write(b"id,text,price,day,more\n")
        while file.tell() < size:
            file.write(block)
            rows += 20_000
    return rows


def write_stream(path: Path, size: int) -> int:
    """An Arrow stream of about `size` bytes, in batches as a program writes them; its rows."""
    numbers = range(20_000)
    block = pl.DataFrame(
        {
            "id": numbers,
            "text": [f"评论 {n}" + "很好的书值得买" * (n % 9) for n in numbers],
            "price": [n * 0.25 for n in numbers],
            "day": [f"2024-05-{n % 28 + 1:02d}" for n in numbers],
            "more": [["甲", "乙"][n % 2] for n in numbers],
        },
        schema_overrides={"more": pl.Categorical},
    )
    rows = 0
    schema, batch, end = _messages(block)
    with path.open("wb") as file:
        file.write(schema)
        while file.tell() < size:
            file.write(batch)
            rows += 20_000
        file.write(end)
    return rows


def _messages(table: pl.DataFrame) -> tuple[bytes, bytes, bytes]:
    """A stream in three: what comes before its first batch, the batch, the end."""
    raw = io.BytesIO()
    table.write_ipc_stream(raw)
    before = batch = 0
    for message in arrow_streams.messages(io.BytesIO(raw.getvalue()).read, "t"):
        if message.rows:
            batch = len(message.head) + message.size
        else:
            before += len(message.head) + message.size
    whole = raw.getvalue()
    return whole[:before], whole[before : before + batch], whole[before + batch :]


def measure(tmp_path: Path, size: int, name: str = "long.csv") -> tuple[int, dict]:
    rows = (write_stream if name.endswith("arrow") else write_long)(tmp_path / name, size)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), name],
        capture_output=True, text=True, check=False, timeout=590,
        env={"PATH": "/usr/bin", "PYTHONPATH": ":".join(sys.path), "POLARS_MAX_THREADS": "2"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return rows, json.loads(done.stdout)


@pytest.mark.parametrize(("name", "most"), [("long.csv", 1 << 30), ("long.arrow", 1 << 29)])
def test_two_hundred_megabytes_under_a_gigabyte(name: str, most: int, tmp_path: Path) -> None:
    rows, found = measure(tmp_path, 200 << 20, name)
    assert (found["rows"], found["sample"]) == (rows, 10_000)
    assert found["columns"] == ["id", "text", "price", "day", "more"]
    assert found["peak"] < most, f"{found['peak'] >> 20} MiB"


@pytest.mark.soak
@pytest.mark.parametrize(("name", "size"), [("long.csv", 2 << 30), ("long.arrow", 3 << 29)])
def test_two_gigabytes_under_a_gigabyte(name: str, size: int, tmp_path: Path) -> None:
    rows, found = measure(tmp_path, size, name)
    assert (found["rows"], found["sample"]) == (rows, 10_000)
    assert found["peak"] < 1 << 30, f"{found['peak'] >> 20} MiB"
