"""Rows that a model cannot read: written beside, each with why; the others are answered."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest

TINY = str(Path(__file__).parents[1] / "bundle" / "tiny")
if TINY not in sys.path:
    sys.path.insert(0, TINY)

from tiny_bundle import SCHEMA, make_bundle  # noqa: E402
from tiny_service import luodi  # noqa: E402

from luodi.contracts import Field, Schema  # noqa: E402
from luodi.registry import Registry  # noqa: E402

TABLE = "id,text,n,row\n" + "".join(
    f"{n},{'' if n % 7 == 3 else 'great'},{'three' if n % 10 == 5 else n},x\n" for n in range(200)
)
WRONG = sorted({n for n in range(200) if n % 7 == 3 or n % 10 == 5})


@pytest.fixture
def place(tmp_path):
    fields = (Field("text", "text", example="fine"), Field("n", "number", example=1.0))
    folder = tmp_path / ".luodi" / "bundle"
    make_bundle(folder, schema=Schema(fields, SCHEMA.answer))
    Registry(tmp_path / ".luodi").add(folder)
    (tmp_path / "in.csv").write_text(TABLE)
    return tmp_path


@pytest.fixture(params=["whole", "blocks"])
def held(request, monkeypatch):
    from luodi.cli import predict_blocks
    from luodi.data import passing

    if request.param == "blocks":
        monkeypatch.setattr(passing, "HELD", 500)
        monkeypatch.setattr(predict_blocks, "_ROWS", 16)
        monkeypatch.setattr(predict_blocks, "_BLOCK_BYTES", 300)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("rejects", ["bad.csv", "bad.jsonl"])
def test_the_others_are_answered(place, held, ending, rejects):
    if ending == "jsonl":
        table = pl.read_csv(place / "in.csv")
        rows = [
            json.dumps({**row, "n": int(row["n"]) if row["n"].isdigit() else row["n"]})
            for row in table.to_dicts()
        ]
        (place / "in.jsonl").write_text("\n".join(rows))
    done = luodi(
        "predict", "tiny", f"in.{ending}", "-o", f"out.{ending}", "--rejects", rejects, "--json",
        cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    assert (told["rows"], told["refused"]) == (200 - len(WRONG), len(WRONG))
    assert told["rejects"] == rejects

    def read(name):
        return (pl.read_csv if name.endswith("csv") else pl.read_ndjson)(place / name)

    answered, refused = read(f"out.{ending}"), read(rejects)
    assert answered["id"].to_list() == [n for n in range(200) if n not in WRONG]
    assert set(answered["label"]) == {"good"}
    assert refused.columns == ["row", "refused", "id", "text", "n", "input_row"]
    assert refused["row"].to_list() == [n + 1 for n in WRONG]
    assert refused["id"].to_list() == WRONG
    for row in refused.to_dicts():
        field = "n" if row["id"] % 10 == 5 else "text"
        assert row["refused"].startswith(f"row {row['id'] + 1}.{field}"), row


def test_what_fits_leaves_no_reject(place):
    (place / "in.csv").write_text("text,n\ngreat,1\n")
    done = luodi("predict", "tiny", "in.csv", "--rejects", "bad.csv", cwd=place)
    assert done.returncode == 0
    assert json.loads(done.stdout)["label"] == "good"
    assert b"do not fit" not in done.stderr
    assert (place / "bad.csv").read_text() == "row,refused,text,n\n"


def test_people_are_told_how_many(place):
    done = luodi("predict", "tiny", "in.csv", "--rejects", "bad.csv", cwd=place)
    assert f"{len(WRONG)} rows do not fit the model and were not answered: bad.csv" in (
        done.stderr.decode()
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_where_none_fits_nothing_is_written_over_and_each_reason_kept(place, held, ending):
    (place / "in.csv").write_text("text,n\n" + "great,none of it\n" * 40)
    (place / f"out.{ending}").write_text("kept")
    done = luodi(
        "predict", "tiny", "in.csv", "-o", f"out.{ending}", "--rejects", "bad.csv", cwd=place
    )
    assert done.returncode == 1
    assert b"None of the 40 rows" in done.stderr
    assert (place / f"out.{ending}").read_text() == "kept"
    assert pl.read_csv(place / "bad.csv").height == 40


def test_without_it_one_row_refuses_the_table_and_the_way_out_is_named(place):
    done = luodi("predict", "tiny", "in.csv", cwd=place)
    assert done.returncode == 1
    assert b"--rejects" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--rejects", "bad.parquet"],
        ["-o", "same.csv", "--rejects", "same.csv"],
        ["--rejects", "in.csv"],
        ["--rejects", "nowhere/bad.csv"],
    ],
)
def test_wrong_places_are_told_before_any_work(place, words):
    done = luodi("predict", "tiny", "in.csv", *words, cwd=place)
    assert done.returncode == 2
    assert (place / "in.csv").read_text() == TABLE


def test_a_table_without_any_of_the_models_columns_is_told(place, tmp_path):
    fields = (Field("age", "number", required=False), Field("n", "number", required=False))
    folder = tmp_path / ".luodi" / "optional"
    make_bundle(folder, schema=Schema(fields, SCHEMA.answer))
    (place / "in.csv").write_text("colour,size\nred,1\n")
    done = luodi("predict", folder, "in.csv", cwd=place)
    assert done.returncode == 2
    assert b"no column age; it has: colour, size" in done.stderr


def test_a_row_that_fits_is_read_once(place, monkeypatch):
    from luodi.bundle.read import LoadedBundle

    counted, real = [], LoadedBundle.read

    def read(self, values, *where):
        counted.append(len(values))
        return real(self, values, *where)

    monkeypatch.setattr(LoadedBundle, "read", read)
    (place / "in.csv").write_text("n,text\n" + "7,great\n" * 50)
    done = luodi("predict", "tiny", "in.csv", "--rejects", "bad.csv", cwd=place)
    assert done.returncode == 0, done.stderr
    assert counted == [50]
