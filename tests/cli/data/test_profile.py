"""`luodi data profile FILE`: any table, no project; a page that needs nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.data.findings.tables import clean_table

MESSY = clean_table().with_columns(
    pl.Series("age in years", [999, 4000, *clean_table()["age in years"].to_list()[2:]]),
    pl.lit("x").alias("一"),
    pl.Series("mail", [f"person{n}@example.com wrote <b>this</b> {n}" for n in range(400)]),
)


@pytest.mark.parametrize("ending", ["csv", "parquet", "csv.gz"])
def test_a_table_is_looked_at(luodi, tmp_path: Path, ending: str) -> None:
    name = tmp_path / f"客户 table.{ending}"
    if ending == "parquet":
        MESSY.write_parquet(name)
    elif ending == "csv":
        MESSY.write_csv(name)
    else:
        import gzip

        name.write_bytes(gzip.compress(MESSY.write_csv().encode()))
    done = luodi("data", "profile", name.name, "--label", "label", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    codes = {finding["code"]: finding for finding in found["findings"]}
    assert codes["outliers"]["severity"] == codes["constant-columns"]["severity"] == "warning"
    assert codes["personal-data"]["count"] == 400
    assert [row["row"] for row in found["worst"][:2]] in ([1, 2], [2, 1])
    assert found["rows"] == 400
    assert len(found["columns"]) == MESSY.width
    age = found["columns"][1]
    assert sum(age["distribution"]["counts"]) == 400
    page = (tmp_path / found["page"]).read_text("utf-8")
    assert found["page"] == "客户-table-profile.html"
    assert "person7@" not in page + done.stdout  # masked
    assert "<b>this" not in page  # data is text and stays text
    assert "http" not in page.replace("http-equiv", "")  # nothing is fetched
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name.name, found["page"]])


def test_personal_data_is_looked_for_in_a_sample_of_a_long_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from luodi.contracts import Quiet
    from luodi.lifecycle import looking

    monkeypatch.setattr(looking, "PERSONAL_ROWS", 300)
    monkeypatch.setattr(looking, "PERSONAL_SAMPLE", 100)
    MESSY.write_csv(tmp_path / "t.csv")
    found = {f.code: f for f in looking.look("t.csv", tmp_path, {}, Quiet()).findings}
    assert found["personal-data"].count == 100
    assert "in 100 of 400 rows" in found["personal-data"].message
    MESSY.drop("mail").write_csv(tmp_path / "u.csv")
    found = {f.code: f for f in looking.look("u.csv", tmp_path, {}, Quiet()).findings}
    assert found["personal-data-sample"].count == 300


def luhn(number: str) -> str:
    """The number with its check digit."""
    doubled = [int(d) * (2 - place % 2) for place, d in enumerate(reversed(number))]
    return number + str(-sum(d - 9 * (d > 9) for d in doubled) % 10)


def test_personal_data_in_numbers_and_in_names_of_rows(tmp_path: Path) -> None:
    from luodi.contracts import Quiet
    from luodi.lifecycle.looking import look

    pl.DataFrame(
        {
            "卡号": [luhn(f"622202123456{n:06d}") for n in range(60)],
            "电话": [13800000000 + 97 * n for n in range(60)],
            "stamp": [1_700_000_000_000 + 1000 * n for n in range(60)],  # milliseconds
            "mail": [f"u{n}@qq.com" for n in range(60)],
            # Codes, of which one looks like a phone number.
            "code": ["138123456780000", *(f"7{n:013d}9" for n in range(1, 60))],
            "hex": ["a+8613812345678b", *(f"a{n:014x}b" for n in range(1, 60))],
        }
    ).write_csv(tmp_path / "t.csv")
    found = {f.code: f for f in look("t.csv", tmp_path, {}, Quiet()).findings}
    assert found["personal-data"].columns == ["卡号", "mail"]
    assert found["personal-numbers"].columns == ["电话"]
    assert found["personal-numbers"].count == 60


def test_of_more_than_the_memory_holds_some_rows_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from luodi.contracts import Quiet
    from luodi.data import reading, sampling
    from luodi.lifecycle.looking import look

    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{n},x{n % 9}\n" for n in range(5000)))
    monkeypatch.setattr(reading, "FROM", 8)
    monkeypatch.setattr(sampling, "memory_bytes", lambda: (60_000, 10**9))
    looked = look("t.csv", tmp_path, {}, Quiet())
    assert 1000 <= looked.rows < 5000
    told = [found for found in looked.findings if found.code == "sample"]
    assert [(found.severity, found.count) for found in told] == [("warning", 5000 - looked.rows)]


def test_on_a_terminal_and_in_chinese(luodi, tmp_path: Path) -> None:
    MESSY.write_csv(tmp_path / "t.csv")
    done = luodi("data", "profile", "t.csv", "--no-page", cwd=tmp_path)
    assert done.returncode == 0
    assert "! 1 column holds one value, or none: 一." in done.stdout
    assert "remark" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    chinese = luodi("data", "profile", "t.csv", "-o", "p.html", cwd=tmp_path, LUODI_LANGUAGE="zh")
    assert "1 列只有一个值或全空：一。" in chinese.stdout
    assert "问题最多的行" in (tmp_path / "p.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.csv"], "none.csv"),
        (["t.csv", "--label", "labell"], "Did you mean label?"),
        (["t.csv", "-o", "no/such/place.html"], "cannot be written"),
        (["t.csv", "-o", "."], "cannot be written"),
        ([""], "The source is empty"),
        (["{}"], "is none"),
    ],
)
def test_what_goes_wrong_is_told(luodi, tmp_path: Path, arguments: list[str], told: str) -> None:
    clean_table(30).write_csv(tmp_path / "t.csv")
    done = luodi("data", "profile", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_many_columns_and_one_row(luodi, tmp_path: Path) -> None:
    wide = pl.DataFrame({f"c{n}": [n] for n in range(600)})
    wide.write_parquet(tmp_path / "wide.parquet")
    done = luodi("data", "profile", "wide.parquet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "540 columns more" in done.stdout


def test_a_folder_of_images_is_looked_at(luodi, tmp_path: Path) -> None:
    from PIL import Image

    for name, size in (("cat/1.png", (30, 20)), ("dog/2.jpg", (60, 40)), ("dog/3.png", (9, 9))):
        path = tmp_path / "shots" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").resize(size).save(path)
    (tmp_path / "shots/dog/cut.png").write_bytes((tmp_path / "shots/cat/1.png").read_bytes()[:50])
    (tmp_path / "list.csv").write_text("file,label\ncat/1.png,cat\ngone.png,dog\n")
    done = luodi("data", "profile", "shots", "--label", "label", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    codes = {finding["code"]: finding for finding in found["findings"]}
    assert found["rows"] == 3
    assert codes["unreadable-images"]["count"] == 1
    assert "3 sizes, from 9 × 9 to 60 × 40" in codes["image-sizes"]["message"]
    page = (tmp_path / "shots-profile.html").read_text("utf-8")
    assert "dog/cut.png" in page
    source = "{images: shots, table: list.csv, path: file}"
    done = luodi("data", "profile", source, "--no-page", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 images that cannot be read were passed over" in done.stdout
    done = luodi("data", "profile", "{images: shots, odd: 1}", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "odd" in done.stderr


def test_a_folder_of_texts_is_looked_at(luodi, tmp_path: Path) -> None:
    for name in ("good/1.txt", "bad/2.txt"):
        path = tmp_path / "mails" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"a text of {name}")
    done = luodi("data", "profile", "mails", "--json", "--no-page", cwd=tmp_path)
    assert json.loads(done.stdout)["rows"] == 2
