import csv
import json
import sys
from pathlib import Path

import pytest

TINY = str(Path(__file__).parents[1] / "bundle" / "tiny")
if TINY not in sys.path:
    sys.path.insert(0, TINY)

from tiny_bundle import SCHEMA, make_bundle  # noqa: E402
from tiny_service import luodi  # noqa: E402

from luodi.contracts import Field, Schema  # noqa: E402
from luodi.registry import Registry  # noqa: E402


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / ".luodi" / "bundle"
    make_bundle(
        folder,
        schema=Schema((Field("text", "text", example="fine", aliases=("review",)),), SCHEMA.answer),
    )
    Registry(tmp_path / ".luodi").add(folder)
    (tmp_path / "in.csv").write_text("id,review\n7,great\n8,awful 好\n9,12\n", encoding="utf-8")
    return tmp_path


def test_without_an_output_lines_of_json(place):
    done = luodi("predict", "tiny", "in.csv", cwd=place)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["label"] for row in rows] == ["good", "bad", "good"]
    assert list(rows[0]) == ["id", "review", "label", "probability"]
    assert rows[0]["probability"] == pytest.approx(0.8808, abs=1e-4)
    assert b"3 rows" in done.stderr


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_the_output_follows_its_ending(place, ending):
    output = place / f"out.{ending}"
    output.write_text("what was there before")
    done = luodi("predict", "tiny", "in.csv", "-o", output, "--json", cwd=place)
    assert done.returncode == 0, done.stdout
    document = json.loads(done.stdout)
    assert (document["rows"], document["output"]) == (3, str(output))
    assert document["version"] == Registry(place / ".luodi").find("tiny").version
    if ending == "parquet":
        import polars as pl

        labels = pl.read_parquet(output)["label"].to_list()
    elif ending == "jsonl":
        labels = [json.loads(line)["label"] for line in output.read_text().splitlines()]
    else:
        with output.open(newline="") as file:
            lines = csv.DictReader(file, delimiter="\t" if ending == "tsv" else ",")
            labels = [row["label"] for row in lines]
    assert labels == ["good", "bad", "good"]
    assert not [path for path in place.iterdir() if path.name.startswith(".out")]


def test_json_without_an_output_has_the_answers(place):
    document = json.loads(luodi("predict", "tiny", "in.csv", "--json", cwd=place).stdout)
    assert [answer["label"] for answer in document["answers"]] == ["good", "bad", "good"]
    assert set(document["answers"][0]["probabilities"]) == {"good", "bad"}


def test_label_is_always_the_models_answer(place):
    (place / "in.csv").write_text("review,label\ngreat,bad\n")
    row = json.loads(luodi("predict", "tiny", "in.csv", cwd=place).stdout)
    assert (row["label"], row["input_label"]) == ("good", "bad")


def test_a_table_of_one_column_needs_no_name(place):
    (place / "in.csv").write_text("what people said\ngreat\n")
    assert json.loads(luodi("predict", "tiny", "in.csv", cwd=place).stdout)["label"] == "good"


def test_more_rows_than_a_block_stay_in_order(place):
    words = ["great", "awful", "fine", "poor"]
    texts = [words[n * 7 % 4] for n in range(2500)]
    (place / "in.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    done = luodi("predict", "tiny", "in.jsonl", cwd=place)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == texts
    assert all((row["label"] == "good") == (row["text"] in "great fine") for row in rows)


def test_a_reader_that_goes_away_is_no_error(place):
    import subprocess

    from tiny_service import environment

    (place / "in.jsonl").write_text(
        "\n".join(json.dumps({"text": "great " * 50}) for _ in range(3000))
    )
    command = [sys.executable, "-m", "luodi", "predict", "tiny", "in.jsonl"]
    with subprocess.Popen(
        command, cwd=place, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert json.loads(process.stdout.readline())["label"] == "good"
        process.stdout.close()
        said = process.stderr.read()
    assert b"rror" not in said
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "a"}\n{"text": null}\n', "row 2.text: missing"),
        ('{"words": "a", "more": 1}\n', "no column text"),
    ],
)
def test_what_does_not_fit_names_row_and_field(place, content, said):
    (place / "in.jsonl").write_text(content)
    (place / "out.csv").write_text("kept")
    done = luodi("predict", "tiny", "in.jsonl", "-o", "out.csv", "--json", cwd=place)
    assert done.returncode in (1, 2)
    assert said in json.loads(done.stdout)["error"]["message"]
    assert (place / "out.csv").read_text() == "kept"


def test_lists_go_to_jsonl_alone(place):
    import polars as pl

    pl.DataFrame({"text": ["great"], "tags": [["a", "b"]]}).write_parquet(place / "in.parquet")
    done = luodi("predict", "tiny", "in.parquet", "-o", "out.csv", cwd=place)
    assert done.returncode == 2
    assert b"tags" in done.stderr
    assert not (place / "out.csv").exists()
    done = luodi("predict", "tiny", "in.parquet", "-o", "out.jsonl", cwd=place)
    assert done.returncode == 0
    assert json.loads((place / "out.jsonl").read_text())["tags"] == ["a", "b"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["none", "in.csv"], 1),
        (["tiny", "none.csv"], 1),
        (["tiny", "in.csv", "-o", "out.doc"], 2),
        (["tiny", "in.csv", "-o", "no/such/out.csv"], 2),
        (["tiny", "in.csv", "-o", "in.csv"], 2),
        (["tiny"], 2),
    ],
)
def test_wrong_words_change_nothing(place, arguments, code):
    before = (place / "in.csv").read_bytes()
    done = luodi("predict", *arguments, "--json", cwd=place)
    assert done.returncode == code, done.stdout
    assert json.loads(done.stdout)["error"]["message"]
    assert b"Traceback" not in done.stderr
    assert (place / "in.csv").read_bytes() == before


def test_lines_on_standard_input_are_answered(place):
    import subprocess

    from tiny_service import environment

    done = subprocess.run(
        [sys.executable, "-m", "luodi", "predict", "tiny", "-"],
        input=b'{"text": "great", "id": 1}\n\n{"text": "awful", "id": 2}',
        cwd=place, env=environment(), capture_output=True, check=True,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["id"], row["label"]) for row in rows] == [(1, "good"), (2, "bad")]


def test_a_wrong_line_far_down_leaves_what_was_there(place, monkeypatch):
    from luodi.cli import predict_blocks

    monkeypatch.setattr(predict_blocks, "_BLOCK_BYTES", 1000)
    lines = [json.dumps({"text": "great", "n": n}) for n in range(500)]
    (place / "in.jsonl").write_text("\n".join([*lines, '{"text": null, "n": 1}']))
    (place / "out.jsonl").write_text("kept")
    done = luodi("predict", "tiny", "in.jsonl", "-o", "out.jsonl", "--json", cwd=place)
    assert "row 501.text: missing" in json.loads(done.stdout)["error"]["message"]
    assert (place / "out.jsonl").read_text() == "kept"
    (place / "in.jsonl").write_text("\n".join(lines))
    done = luodi("predict", "tiny", "in.jsonl", "-o", "out.jsonl", "--json", cwd=place)
    assert json.loads(done.stdout)["rows"] == 500
    rows = [json.loads(line) for line in (place / "out.jsonl").read_text().splitlines()]
    assert [row["n"] for row in rows] == list(range(500))


PEAK = """
import os, sys
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
_, status, usage = os.wait4(pid, 0)
assert status == 0
print(usage.ru_maxrss * 1024)
"""


def peak(place, ending, head, line, rows):
    """The most memory that answering so many equal lines took, in bytes."""
    import subprocess

    from tiny_service import environment

    (place / f"in.{ending}").write_text(head + line * rows)
    command = ["-m", "luodi", "predict", "tiny", f"in.{ending}", "-o", f"out.{ending}"]
    # By way of a small process: a child is said to have had what its parent has.
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *command],
        cwd=place, env=environment(), capture_output=True, check=True,
    )  # fmt: skip
    with (place / f"out.{ending}").open() as lines:
        assert sum(1 for _ in lines) == rows + bool(head)
    return int(done.stdout.split()[-1])


def test_many_lines_take_no_more_memory_than_few(place):
    line = json.dumps({"text": "great and fine " * 20, "id": 7}) + "\n"
    # The answers alone are 70 MB; what the allocator keeps differs from run to run by some 15.
    few, many = (peak(place, "jsonl", "", line, rows) for rows in (10_000, 70_000))
    assert many - few < 30e6


def test_many_rows_of_a_csv_take_no_more_memory_than_few(place):
    line = "7," + "great and fine " * 20 + "\n"
    few, many = (peak(place, "csv", "id,text\n", line, rows) for rows in (60_000, 110_000))
    assert many - few < 40e6


SAID = ("great", "awful 好", "so, so", 'a ""b""')
TABLE = "id,review,n\n" + "".join(
    f'{n},"{SAID[n % 4]}",{n if n % 400 else "n/a"}\n' for n in range(1, 1201)
)


def test_a_csv_block_by_block_is_what_it_is_as_a_whole(place, monkeypatch):
    """Answers, types and the output, to the byte: a column of numbers is one of texts if a row
    far down says so."""
    from luodi.cli import predict_blocks
    from luodi.data import passing, textstream

    def answered(ending):
        done = luodi("predict", "tiny", "in.csv", "-o", f"out.{ending}", cwd=place)
        assert done.returncode == 0, done.stderr
        return (place / f"out.{ending}").read_bytes()

    (place / "in.csv").write_text(TABLE, encoding="utf-8")
    endings = ("csv", "tsv", "jsonl")
    with monkeypatch.context() as patch:
        patch.setattr(predict_blocks, "_is_table", lambda source: False)
        whole = [answered(ending) for ending in endings]
    monkeypatch.setattr(predict_blocks, "_ROWS", 100)
    assert [answered(ending) for ending in endings] == whole
    monkeypatch.setattr(passing, "HELD", 500)
    monkeypatch.setattr(textstream, "_BLOCK", 3000)
    assert [answered(ending) for ending in endings] == whole
    assert b'"n":"n/a"' in whole[2]
    assert b'"id":1,' in whole[2]
    import gzip

    (place / "in.csv.gz").write_bytes(gzip.compress(TABLE.encode()))
    done = luodi("predict", "tiny", "in.csv.gz", cwd=place)
    assert done.stdout == whole[2]
    assert not list((place / ".luodi").rglob("*.parquet"))  # nothing of it is kept


@pytest.mark.parametrize("ending", ["parquet", "arrow", "arrows"])
def test_a_file_of_columns_block_by_block_is_what_it_is_as_a_whole(place, monkeypatch, ending):
    import polars as pl

    from luodi.cli import predict_blocks
    from luodi.data import passing, reading

    numbers = [str(n) for n in range(2000)]  # texts that are numbers, here to the very end
    table = pl.DataFrame({"n": numbers, "m": [*numbers[:-1], "n/a"], "text": ["great"] * 2000})
    write = {"parquet": table.write_parquet, "arrow": table.write_ipc}
    write.get(ending, table.write_ipc_stream)(place / f"in.{ending}")

    def answered():
        done = luodi("predict", "tiny", f"in.{ending}", "-o", "out.jsonl", cwd=place)
        assert done.returncode == 0, done.stderr
        return (place / "out.jsonl").read_bytes()

    with monkeypatch.context() as patch:
        patch.setattr(predict_blocks, "_is_table", lambda source: False)
        whole = answered()
    monkeypatch.setattr(passing, "HELD", 500)
    monkeypatch.setattr(predict_blocks, "_ROWS", 100)
    monkeypatch.setattr(reading, "ROWS_AT_ONCE", 300)
    assert answered() == whole
    assert b'"n":1,"m":"1",' in whole
    monkeypatch.setattr("luodi.data.sources.collect", None)  # nothing is held as a whole
    assert answered() == whole


@pytest.mark.parametrize(
    ("line", "said"),
    [("1,2,3,4\n", "line 1202 has 4"), ('1,"open\n', "line 1202"), ("1,,3\n", "row 1201.text")],
)
def test_a_wrong_row_far_down_a_csv_is_named(place, monkeypatch, line, said):
    from luodi.cli import predict_blocks
    from luodi.data import passing, textstream

    (place / "in.csv").write_text(TABLE + line, encoding="utf-8")
    (place / "out.csv").write_text("kept")
    found = []
    for held, rows in ((1 << 30, 1 << 30), (500, 100)):
        monkeypatch.setattr(passing, "HELD", held)
        monkeypatch.setattr(textstream, "_BLOCK", 3000)
        monkeypatch.setattr(predict_blocks, "_ROWS", rows)
        done = luodi("predict", "tiny", "in.csv", "-o", "out.csv", "--json", cwd=place)
        found.append(json.loads(done.stdout)["error"]["message"])
    assert said in found[0]
    assert found[1] == found[0]
    assert (place / "out.csv").read_text() == "kept"


def test_a_number_that_is_none_is_named_by_its_row_in_the_input(place):
    import polars as pl

    from luodi.cli.predict_columns import field_columns
    from luodi.contracts import RequestError

    schema = Schema((Field("n", "number", example=1.0),), SCHEMA.answer)
    with pytest.raises(RequestError, match=r"row 8003\.n"):
        field_columns(schema, pl.DataFrame({"n": ["1", "2", "three"]}), first=8000)


def test_a_csv_without_rows_is_told(place):
    (place / "in.csv").write_text("id,review\n")
    done = luodi("predict", "tiny", "in.csv", cwd=place)
    assert done.returncode == 1
    assert b"holds no rows" in done.stderr


COLUMNS = {"columns": ["id", "review", "sentiment"], "labels": ["sentiment"]}


@pytest.fixture(params=["named", "nameless", "earlier"])
def learnt(request, tmp_path):
    """A model that learnt from a table with a header, from one without, and one that an earlier
    Luodi made, which keeps nothing of it."""
    kept = {"named": COLUMNS, "nameless": {**COLUMNS, "headed": False}, "earlier": {}}
    learn_from(tmp_path, kept[request.param])
    return request.param


def learn_from(place, table):
    chain = {"origins": [{"table": "data", **table}]}
    fields = (Field("text", "text", example="fine", aliases=("review",)),)
    folder = place / ".luodi" / "bundle"
    make_bundle(folder, schema=Schema(fields, SCHEMA.answer), data={"lineage": chain})
    Registry(place / ".luodi").add(folder)


def answered(place, *more):
    done = luodi("predict", "tiny", "in.csv", *more, cwd=place)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


WIDTHS = {
    "all": "1,great,bad\n2,awful,bad\n",
    "no answer": "1,great\n2,awful\n",
    "what is read": "great\nawful\n",
}


@pytest.mark.parametrize("held", WIDTHS)
def test_a_file_without_a_header(learnt, tmp_path, held):
    (tmp_path / "in.csv").write_text(WIDTHS[held])
    if learnt == "earlier" and held != "what is read":
        done = luodi("predict", "tiny", "in.csv", "--no-header", cwd=tmp_path)
        assert done.returncode == 1
        assert b"line 1 has" in done.stderr
        assert b"the model reads: text" in done.stderr
        return
    rows = answered(tmp_path, *(() if learnt == "nameless" else ("--no-header",)))
    assert [row["label"] for row in rows] == ["good", "bad"]
    assert [row.get("review", row.get("text")) for row in rows] == ["great", "awful"]


def test_a_header_is_met_all_the_same(learnt, tmp_path):
    (tmp_path / "in.csv").write_text("n,review\n7,great\n8,awful\n")
    assert [row["n"] for row in answered(tmp_path)] == [7, 8]
    assert [row["n"] for row in answered(tmp_path, "--header")] == [7, 8]


def test_names_that_stood_below_a_title_stand_there_again(tmp_path):
    learn_from(tmp_path, {**COLUMNS, "headed": True, "line": 3})
    (tmp_path / "in.csv").write_text("Reviews\n\nid,review,\n7,great,\n8,awful,\n")
    assert [row["id"] for row in answered(tmp_path)] == [7, 8]
    (tmp_path / "in.csv").write_text("id,review\n7,great\n8,awful\n")
    assert [row["id"] for row in answered(tmp_path)] == [7, 8]
    (tmp_path / "in.csv").write_text("Reviews\nid,review\n7,great\n8,awful\n")
    assert [row["id"] for row in answered(tmp_path, "--header-line", "2")] == [7, 8]
    done = luodi("predict", "tiny", "in.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert b"has no column text" in done.stderr
    done = luodi("predict", "tiny", "in.csv", "--header-line", "2", "--no-header", cwd=tmp_path)
    assert done.returncode == 2
    assert b"Two options" in done.stderr


def test_a_workbook_without_a_header(learnt, tmp_path):
    import xlsxwriter

    if learnt == "earlier":
        return
    with xlsxwriter.Workbook(tmp_path / "in.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [1, "great"])
        sheet.write_row(1, 0, [2, "awful"])
    done = luodi("predict", "tiny", "in.xlsx", "--no-header", cwd=tmp_path)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["review"] for row in rows] == ["great", "awful"]


def test_a_long_file_without_a_header_is_the_same(learnt, tmp_path):
    lines = [f"{n},{'great' if n % 3 else 'awful'} {'x' * 2000}\n" for n in range(3000)]
    (tmp_path / "in.csv").write_text("".join(lines))
    if learnt != "earlier":
        rows = answered(tmp_path, "--no-header")
        assert [row["id"] for row in rows] == list(range(3000))


def test_a_file_that_names_its_columns_itself_has_no_header_to_speak_of(learnt, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"review": "great"}\n')
    assert luodi("predict", "tiny", "in.jsonl", cwd=tmp_path).returncode == 0
    done = luodi("predict", "tiny", "in.jsonl", "--no-header", cwd=tmp_path)
    assert done.returncode == 1
    assert b"--no-header is given for a .jsonl file" in done.stderr
