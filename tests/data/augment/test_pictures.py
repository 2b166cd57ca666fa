"""Changed pictures as files: of the training part, repeatable, nothing overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from luodi.contracts import DataError
from luodi.data.augment.pictures import augment_pictures
from luodi.data.sources import collect
from luodi.project.sources import ImagesSource
from tests.data.test_pictures import saved, scene


@pytest.fixture
def shots(tmp_path: Path) -> pl.DataFrame:
    for number, mode in enumerate(("RGB", "L", "RGBA", "P", "CMYK")):
        ending = "tif" if mode == "CMYK" else "png"
        saved(tmp_path / f"shots/a/{mode}.{ending}", scene(number).convert(mode))
    return collect(ImagesSource(images="shots"), tmp_path).table


def test_each_picture_gives_others_of_its_size(shots: pl.DataFrame, tmp_path: Path) -> None:
    made = augment_pictures(shots, tmp_path, Path("made"), copies=3)
    assert made.height == 15
    assert made["made_from"].to_list() == [path for path in shots["path"] for _ in range(3)]
    assert made["label"].unique().to_list() == ["a"]
    assert set(zip(made["width"], made["height"], strict=True)) == {(48, 40)}
    assert not set(made["sha256"]) & set(shots["sha256"])
    assert made["sha256"].n_unique() == 15
    assert set(made["mode"]) == {"RGB", "L", "RGBA"}
    again = collect(ImagesSource(images="made"), tmp_path)  # what was written can be read
    assert set(again.table["sha256"]) == set(made["sha256"])
    assert "__row__" not in made.columns


def test_what_is_made_depends_on_the_picture_and_the_seed(shots, tmp_path: Path) -> None:
    one = augment_pictures(shots, tmp_path, Path("one"))
    two = augment_pictures(shots.reverse(), tmp_path, Path("two")).reverse()
    assert one["sha256"].to_list() == two["sha256"].to_list()
    other = augment_pictures(shots, tmp_path, Path("one"), seed=1)
    assert not set(one["sha256"]) & set(other["sha256"])
    with pytest.raises(DataError, match="there already"):
        augment_pictures(shots, tmp_path, Path("one"))


def test_flip_is_a_flip(shots: pl.DataFrame, tmp_path: Path) -> None:
    made = augment_pictures(shots.head(1), tmp_path, Path("made"), ways=["flip"])
    before, after = (
        np.asarray(Image.open(tmp_path / path).convert("RGB"))
        for path in (shots["path"][0], made["path"][0])
    )
    assert (after == before[:, ::-1]).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"path": "file"}, "no column file"),
        ({"ways": []}, "ways are none"),
        ({"ways": ["melt"]}, "ways are melt"),
        ({"copies": 0}, "copies 0"),
        ({"strength": 2.0}, r"strength 2\.0"),
    ],
)
def test_wrong_settings_are_told(shots, tmp_path: Path, options: dict, words: str) -> None:
    with pytest.raises(DataError, match=words):
        augment_pictures(shots, tmp_path, Path("made"), **options)


def test_a_picture_that_is_gone_is_named(shots: pl.DataFrame, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "shots")
    with pytest.raises(DataError, match=r"shots/a/CMYK\.tif cannot be read: not there"):
        augment_pictures(shots, tmp_path, Path("made"))
