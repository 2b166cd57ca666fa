"""A training part with made rows: the real ones untouched, nothing of the other parts in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from luodi.contracts import (
    COPIES,
    ROW,
    AugmentSettings,
    DataError,
    Dataset,
    Parts,
    Quiet,
    Role,
    TableAugment,
    TextAugment,
)
from luodi.data.augment.rows import augment
from tests.reviews import make_reviews
from tests.tables import as_dataset, make_table


def texts(rows: int = 60) -> Parts:
    pairs = make_reviews(rows)
    table = pl.DataFrame(pairs, schema=["text", "label"], orient="row").with_columns(
        pl.Series(ROW, range(rows)), pl.Series(COPIES, range(rows))
    )
    data = Dataset(table, {Role.TEXT: ("text",), Role.LABEL: ("label",)})
    third = rows // 3
    return Parts(*(replace(data, table=table.slice(k * third, third)) for k in range(3)))


def tables(rows: int = 300) -> Parts:
    table = make_table(rows).with_columns(pl.Series(COPIES, range(rows)))
    data = as_dataset(table, "tabular-classification")
    third = rows // 3
    return Parts(*(replace(data, table=table.slice(k * third, third)) for k in range(3)))


def test_changed_texts_stand_behind_the_real_ones(tmp_path: Path) -> None:
    parts = texts()
    made = augment(parts, AugmentSettings(text=TextAugment(copies=2)), 7, tmp_path, Quiet())
    table = made.train.table
    assert table.head(20).equals(parts.train.table)
    new = table.slice(20)
    assert made.counts["texts"] == new.height > 30
    assert made.counts["texts"] + made.counts["same"] == 40
    assert (new[ROW] >= 60).all()  # behind every real row's
    assert new[ROW].is_unique().all()
    # A changed text is a near-copy of its original, and has its label.
    labels = dict(zip(parts.train.table[COPIES], parts.train.table["label"], strict=True))
    assert [labels[number] for number in new[COPIES]] == new["label"].to_list()
    elsewhere = {*parts.train.table["text"], *parts.valid.table["text"], *parts.test.table["text"]}
    assert not elsewhere & set(new["text"])
    again = augment(parts, AugmentSettings(text=TextAugment(copies=2)), 7, tmp_path, Quiet())
    assert again.train.table.equals(table)


def test_no_made_text_is_one_of_the_test_part(tmp_path: Path) -> None:
    data = Dataset(
        pl.DataFrame({"text": ["good"], "label": ["a"]}),
        {Role.TEXT: ("text",), Role.LABEL: ("label",)},
    )
    path = tmp_path / "syn.txt"
    path.write_text("good fine\n")
    wanted = AugmentSettings(text=TextAugment(("synonyms",), synonyms="syn.txt"))
    other = replace(data, table=pl.DataFrame({"text": ["bad"], "label": ["a"]}))
    free = augment(Parts(data, other, other), wanted, 7, tmp_path, Quiet())
    assert free.train.table["text"].to_list() == ["good", "fine"]
    held = replace(data, table=pl.DataFrame({"text": [" FINE"], "label": ["a"]}))
    kept = augment(Parts(data, other, held), wanted, 7, tmp_path, Quiet())
    assert kept.train.table["text"].to_list() == ["good"]
    assert kept.counts == {"texts": 0, "same": 1}


def test_missing_and_empty_texts_stay(tmp_path: Path) -> None:
    data = Dataset(
        pl.DataFrame({"text": [None, "", "good"], "label": ["a", "b", "c"]}),
        {Role.TEXT: ("text",), Role.LABEL: ("label",)},
    )
    none = replace(data, table=data.table.clear())
    made = augment(
        Parts(data, none, none),
        AugmentSettings(text=TextAugment(("synonyms",))),
        7,
        tmp_path,
        Quiet(),
    )
    assert made.train.table.height == 4


def test_smote_rows_have_features_and_a_label_alone(tmp_path: Path) -> None:
    parts = tables()
    rare = pl.concat(
        [parts.train.table.filter(risk="good"), parts.train.table.filter(risk="bad").head(8)]
    )
    parts = replace(parts, train=replace(parts.train, table=rare))
    made = augment(parts, AugmentSettings(table=TableAugment()), 7, tmp_path, Quiet())
    new = made.train.table.slice(rare.height)
    assert made.counts == {"rows": new.height}
    assert new["risk"].unique().to_list() == ["bad"]
    assert new["amount due"].null_count() == new.height  # an identifier is nobody's
    assert (new[ROW] >= 300).all()
    assert not set(new[COPIES]) & set(rare[COPIES])


def test_ctgan_rows_come_with_their_distance(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    wanted = AugmentSettings(table=TableAugment("ctgan", ratio=0.5, epochs=1))
    made = augment(tables(), wanted, 7, tmp_path, Quiet())
    assert made.counts == {"rows": 50}
    assert made.privacy is not None
    assert made.privacy.made == 50
    assert made.train.table.schema == tables().train.table.schema


@pytest.mark.parametrize("wanted", [AugmentSettings(table=TableAugment())])
def test_what_is_not_there_cannot_be_made(wanted: AugmentSettings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no features"):
        augment(texts(), wanted, 7, tmp_path, Quiet())
    with pytest.raises(DataError, match="no column of texts"):
        augment(tables(), AugmentSettings(text=TextAugment()), 7, tmp_path, Quiet())
