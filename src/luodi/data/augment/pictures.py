"""Changed pictures beside those of a training part, as files and as a table of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from luodi.contracts import RESERVED, DataError, ImageWay, say
from luodi.data.augment.images import augment_image
from luodi.data.pictures import facts_of

WAYS: tuple[ImageWay, ...] = ("flip", "rotate", "crop", "scale", "colour")
_KEPT = ("L", "RGB", "RGBA")


def augment_pictures(  # noqa: PLR0913  # each by name, all but the first three left out mostly
    table: pl.DataFrame,
    root: Path,
    target: Path,
    *,
    path: str = "path",
    ways: Sequence[ImageWay] = WAYS,
    copies: int = 1,
    strength: float = 0.5,
    seed: int = 0,
) -> pl.DataFrame:
    """Write changed pictures into a folder, and give their rows.

    For the training part alone: a changed picture of a test row would tell it. What is made of a
    picture depends on its content and the seed, not on what else is in the table.

    Args:
        table: pictures as `collect` gives them, a path in the column `path`.
        root: where the paths begin, and `target`.
        target: the folder for the made pictures, PNG, height and width as they were.
        ways: how they may be changed, as in `augment_image`.
        copies: made pictures for each picture.
        strength: 0 to 1.

    Returns:
        A row for each made picture with the columns of its source, its own path and sha256, and
        `made_from`, the source's path.

    Raises:
        DataError: no such column, a picture that cannot be read, settings out of range, or a file
            that is there already and would be lost.
    """
    _check(table, path, ways, copies, strength)
    folder = root / target
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for row in table.drop(RESERVED, strict=False).iter_rows(named=True):
        image, digest = _read(root, str(row[path]))
        for copy in range(copies):
            rng = np.random.default_rng([seed, copy, int(digest[:16], 16)])
            name = f"{digest[:16]}-{seed}-{copy}.png"
            changed = augment_image(image, ways, strength, rng)
            rows.append(row | {path: str(target / name), "made_from": row[path]})
            rows[-1] |= _write(folder / name, changed)
    order = [*table.drop(RESERVED, strict=False).columns, "made_from"]
    made = pl.DataFrame(rows, infer_schema_length=None)
    return made.select(name for name in order if name in made.columns)


def _check(
    table: pl.DataFrame, path: str, ways: Sequence[ImageWay], copies: int, strength: float
) -> None:
    if path not in table.columns:
        raise DataError(
            say(f"There is no column {path}.", f"没有列 {path}。"),
            say(f"There are: {', '.join(table.columns[:20])}.",
                f"已有：{'、'.join(table.columns[:20])}。"),
        )  # fmt: skip
    if not ways or not set(ways) <= set(WAYS) or copies < 1 or not 0 <= strength <= 1:
        raise DataError(
            say(f"The ways are {', '.join(ways) or 'none'}, copies {copies}, strength {strength}.",
                f"方式为 {'、'.join(ways) or '无'}，份数 {copies}，强度 {strength}。"),
            say(f"Expected some of {', '.join(WAYS)}, copies from 1, strength from 0 to 1.",
                f"方式应取自 {'、'.join(WAYS)}，份数至少为 1，强度在 0 到 1 之间。"),
        )  # fmt: skip


def _read(root: Path, shown: str) -> tuple[np.ndarray, str]:
    """A picture's pixels in grey, colour or colour with transparency, and its file's digest."""
    facts = facts_of(root / shown)
    if isinstance(facts, str):
        raise DataError(
            say(
                f"The picture {shown} cannot be read: {facts}.", f"无法读取图片 {shown}：{facts}。"
            ),
            say("Collect the pictures again.", "请重新收集图片。"),
        )
    from PIL import Image

    with warnings.catch_warnings(), Image.open(root / shown) as image:
        warnings.simplefilter("ignore", UserWarning)
        kept = image if image.mode in _KEPT else image.convert("RGB")
        return np.asarray(kept, np.uint8), facts["sha256"]


def _write(path: Path, image: np.ndarray) -> dict[str, object]:
    from PIL import Image

    if path.exists():
        raise DataError(
            say(f"{path} is there already.", f"{path} 已存在。"),
            say("Made pictures go into a folder of their own.", "生成的图片应放入单独的文件夹。"),
            say("Name another folder, or empty that one.", "请换一个文件夹，或清空它。"),
        )
    Image.fromarray(image).save(path)
    facts = facts_of(path)
    if isinstance(facts, str):
        raise DataError(
            say(f"{path} was not written whole: {facts}.", f"{path} 未完整写入：{facts}。")
        )
    return facts
