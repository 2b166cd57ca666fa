from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from bench.finetune.rows import FOLDER_VARIABLE, Rows, banking77, find_rows, movie_reviews, shorten
from luodi.contracts import DataError


def table(rows: list[tuple[str, str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("text", "label"), *rows])
    return text.getvalue()


def test_movie_reviews_stand_once_in_one_class_and_on_one_side() -> None:
    rows = [(f"Film number {n} is, as they say, fine.", str(n % 2)) for n in range(4000)]
    rows += [("FILM number 0 is,  as they say, fine.", "0"), ("torn", "0"), ("Torn", "1")]
    rows += [("x" * 801, "1"), ("broken<br />line", "1")]
    found = movie_reviews(table(rows))
    texts = [text for text, _ in (*found.train, *found.test)]
    assert len(texts) == len({text.casefold() for text in texts}) == 4001
    assert not {"torn", "Torn", "x" * 801} & set(texts)
    assert "broken line" in texts
    assert len(found.test) == 3000
    assert {label for _, label in found.train} == {"negative", "positive"}
    assert found.fingerprint == movie_reviews(table(rows)).fingerprint
    assert found.fingerprint != movie_reviews(table(rows), seed=8).fingerprint


def test_the_short_form_keeps_the_commonest_classes_whole_enough() -> None:
    train = [(f"text {n}", f"class {n % 40}") for n in range(2000)]
    short = shorten(Rows("many", train, train[:500], 0.9, (0.9,)), 300)
    assert len({label for _, label in short.train}) == 10
    assert len(short.train) == 300
    assert {label for _, label in short.test} <= {label for _, label in short.train}
    assert not short.whole


def test_tables_come_back_as_written(tmp_path: Path) -> None:
    rows = [('says "no",\nthen\r\n逗号,', "a"), ("two", "b")]
    Rows("r", rows, rows[:1], 0.9, (0.9,)).write(tmp_path)
    with (tmp_path / "train.csv").open(encoding="utf-8", newline="") as file:
        assert [(r["text"], r["label"]) for r in csv.DictReader(file)] == rows


def test_a_folder_that_was_asked_for_must_hold_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"train\.csv"):
        find_rows(tmp_path, tmp_path, tmp_path)
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text('text,category\n"a\nb",card\n', "utf-8")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    found = find_rows(None, tmp_path / "elsewhere", tmp_path)
    assert found.train == banking77(tmp_path).train == [("a\nb", "card")]
