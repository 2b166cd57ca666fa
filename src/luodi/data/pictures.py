"""Pictures as tables, by folder or by a column of paths, and what is wrong with them."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import DataError, Finding, MissingPartError, say
from luodi.data.examples import SHOWN
from luodi.data.folders import (
    IMAGES,
    folder_of,
    labelled,
    loose_files,
    passed_over,
    within,
    without_label,
)
from luodi.data.store import file_digest

if TYPE_CHECKING:
    import polars as pl

    Facts = dict[str, Any]

_COLUMNS = {
    "path": str, "label": str, "width": int, "height": int, "mode": str, "sha256": str, "look": str,
}  # fmt: skip
_FACTS = ("width", "height", "mode", "sha256", "look")
_TINY = 4
"""Pixels a side under which a picture is a placeholder or a counter."""
_MANY = 0.01


def read_images(name: str, root: Path) -> tuple[pl.DataFrame, list[Finding]]:
    """path, label, width, height, mode, sha256, look: each picture under the name of its folder.

    `look` is equal for pictures that look the same however they were saved: name it as
    `data.split.group`, and no copy is on two sides. A folder without folders has no labels.

    Raises:
        DataError: no folder, neither folders nor pictures in it, a path that leaves it.
    """
    import polars as pl

    folder = folder_of(name, root)
    loose = loose_files(folder)
    flat = not any(path.is_dir() and not path.name.startswith(".") for path in folder.iterdir())
    flat = flat and any(path.suffix.lower() in IMAGES for path in loose)
    files = [("", within(folder, path.name, name)) for path in loose] if flat else None
    rows, broken, others = [], [], 0
    for label, path in labelled(folder, name) if files is None else files:
        shown = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in IMAGES:
            others += 1
            continue
        facts = facts_of(path)
        if isinstance(facts, str):
            broken.append(f"{shown}: {facts}")
        else:
            rows.append({"path": f"{name.rstrip('/')}/{shown}", "label": label} | facts)
    findings = _passed(name, broken, others)
    if loose and files is None:
        findings.append(without_label(name, len(loose)))
    table = pl.DataFrame(rows, schema=_COLUMNS)
    findings += noticed(name, rows)
    return table.drop("label") if flat else table, findings


def read_listed_images(
    name: str, table: pl.DataFrame, column: str, root: Path
) -> tuple[pl.DataFrame, list[Finding]]:
    """The rows of a table whose column names pictures, with width, height, mode, sha256, look.

    Raises:
        DataError: no such column, a path that leaves the folder.
    """
    import polars as pl

    folder = folder_of(name, root)
    if column not in table.columns:
        shown = ", ".join(table.columns[:20])
        raise DataError(
            say(f"The table of images has no column {column}.", f"图像表中没有列 {column}。"),
            say(f"There are: {shown}.", f"已有：{shown}。"),
            say("Say path: COLUMN in the source.", "请在来源中写 path: 列名。"),
        )
    rows: list[Facts] = []
    kept, broken = [], []
    for row, given in enumerate(table.get_column(column).cast(pl.String)):
        where = say(f"row {row + 1}", f"第 {row + 1} 行")
        if not given or not given.strip():
            broken.append(where + say(": no path", "：没有路径"))
            continue
        found = facts_of(within(folder, given, where))
        if isinstance(found, str):
            broken.append(f"{given}: {found}")
        else:
            kept.append(row)
            rows.append({"path": given} | found)
    added = pl.DataFrame(rows, schema={fact: _COLUMNS[fact] for fact in _FACTS})
    clash = [field for field in added.columns if field in table.columns]
    findings = _passed(name, broken, 0) + noticed(name, rows)
    return table[kept].drop(clash).hstack(added), findings


def facts_of(path: Path) -> Facts | str:
    """What a picture is; or why it is none, in a few words."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise MissingPartError(
            say("Pillow is not installed.", "未安装 Pillow。"),
            say("It reads images.", "读取图像需要它。"),
            "pip install 'luodi[sources]'",
        ) from None
    if not path.exists():
        return say("not there", "不存在")
    if not path.is_file():  # a pipe would be waited for
        return say("no file", "不是文件")
    try:
        with warnings.catch_warnings():
            # An image of billions of pixels in a small file is a bomb: an error, not a warning.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)  # of odd metadata: the pixels decide
            with Image.open(path) as image:
                size, mode = image.size, image.mode
                image.load()  # a file cut short is only found out by its pixels
                look = _look(image)
        digest, _ = file_digest(path)
    except Exception as error:  # a decoder ends on damage in whatever it meets
        words = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        return words.replace(str(path), path.name)
    return {
        "width": size[0], "height": size[1], "mode": mode, "sha256": digest,
        "look": look or digest[-16:],
    }  # fmt: skip


def _look(image: Any) -> str:
    """16 letters that are equal for pictures that look the same; none for one without detail.

    Whether each of 8 x 8 fields is lighter than the next (dHash, Krawetz 2013).
    """
    small = image.convert("L").resize((9, 8))
    signs = list(small.tobytes())
    bits = 0
    for row in range(8):
        for place in range(row * 9, row * 9 + 8):
            bits = bits * 2 + (signs[place] > signs[place + 1])
    return f"{bits:016x}" if 8 <= bits.bit_count() <= 56 else ""


def noticed(name: str, rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """What is told of pictures that can be read: sizes, kinds, copies, labels that contradict."""
    found = [_sizes(name, rows), _tiny(name, rows), _modes(name, rows)]
    found += [_copies(name, rows), _alike(name, rows), _conflicts(name, rows)]
    return [finding for finding in found if finding is not None]


def _sizes(name: str, rows: Sequence[Mapping[str, Any]]) -> Finding | None:
    sizes = Counter((row["width"], row["height"]) for row in rows)
    if len(sizes) < 2:
        return None
    order = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    least, most = (f"{wide} × {tall}" for wide, tall in (order[0], order[-1]))
    return Finding(
        "image-sizes",
        "info",
        len(rows),
        say(f"{name}: images of {len(sizes)} sizes, from {least} to {most} pixels.",
            f"{name}：图像有 {len(sizes)} 种尺寸，从 {least} 到 {most} 像素。"),
        [{"size": f"{wide} × {tall}", "images": count}
         for (wide, tall), count in sizes.most_common(SHOWN)],
        remedy=say("Bring them to one size before a model sees them.",
                   "请在输入模型前统一尺寸。"),
        details={"sizes": len(sizes)},
    )  # fmt: skip


def _tiny(name: str, rows: Sequence[Mapping[str, Any]]) -> Finding | None:
    tiny = [row for row in rows if min(row["width"], row["height"]) < _TINY]
    if not tiny:
        return None
    return Finding(
        "tiny-images",
        "warning",
        len(tiny),
        say(f"{name}: {len(tiny)} images are under {_TINY} pixels wide or high.",
            f"{name}：{len(tiny)} 个图像的宽或高不足 {_TINY} 像素。"),
        [{"file": row["path"], "size": f"{row['width']} × {row['height']}"}
         for row in tiny[:SHOWN]],
        remedy=say("Placeholders: leave them out.", "多为占位图，请去掉。"),
    )  # fmt: skip


def _modes(name: str, rows: Sequence[Mapping[str, Any]]) -> Finding | None:
    modes = Counter(row["mode"] for row in rows)
    if len(modes) < 2:
        return None
    told = ", ".join(f"{mode} {count}" for mode, count in modes.most_common())
    return Finding(
        "image-modes",
        "info",
        len(rows) - modes.most_common(1)[0][1],
        say(f"{name}: images of several kinds of colour: {told}.",
            f"{name}：图像的颜色模式不一：{told}。"),
        remedy=say("Convert them to one.", "请转换为同一种。"),
        details={"modes": dict(modes)},
    )  # fmt: skip


def _copies(name: str, rows: Sequence[Mapping[str, Any]]) -> Finding | None:
    groups = _groups(rows, "sha256")
    surplus = sum(len(group) - 1 for group in groups)
    if not surplus:
        return None
    return Finding(
        "duplicate-images",
        "warning" if surplus >= _MANY * len(rows) else "info",
        surplus,
        say(f"{name}: {surplus} images are the same file as another one.",
            f"{name}：{surplus} 个图像与其他图像是同一文件。"),
        [{"files": [row["path"] for row in group[:3]]} for group in groups[:SHOWN]],
        remedy=say("Remove the copies, or split by them: data.split.group: sha256.",
                   "请去除副本，或按其划分：data.split.group: sha256。"),
    )  # fmt: skip


def _alike(name: str, rows: Sequence[Mapping[str, Any]]) -> Finding | None:
    groups = [_groups(group, "sha256", alone=True) for group in _groups(rows, "look")]
    alike = [[files[0] for files in group] for group in groups if len(group) > 1]
    if not alike:
        return None
    surplus = sum(len(group) - 1 for group in alike)
    return Finding(
        "near-duplicate-images",
        "info",
        surplus,
        say(f"{name}: {surplus} images look like another one that was saved otherwise.",
            f"{name}：{surplus} 个图像与另存的其他图像外观相同。"),
        [{"files": [row["path"] for row in group[:3]]} for group in alike[:SHOWN]],
        remedy=say("Keep them on one side of every split: data.split.group: look.",
                   "划分时请保持在同一侧：data.split.group: look。"),
    )  # fmt: skip


def _conflicts(name: str, rows: Sequence[Mapping[str, Any]]) -> Finding | None:
    torn = [
        group
        for group in _groups(rows, "sha256")
        if len({row.get("label", "") for row in group}) > 1
    ]
    if not torn:
        return None
    return Finding(
        "image-label-conflicts",
        "warning",
        len(torn),
        say(f"{name}: {len(torn)} images lie under labels that contradict each other.",
            f"{name}：{len(torn)} 个图像同时位于互相矛盾的标签下。"),
        [{"files": [row["path"] for row in group[:3]]} for group in torn[:SHOWN]],
        remedy=say("Decide which label is right.", "请确定哪个标签正确。"),
    )  # fmt: skip


def _groups(
    rows: Sequence[Mapping[str, Any]], fact: str, alone: bool = False
) -> list[list[Mapping[str, Any]]]:
    """Rows that agree in a fact, in the order of their first; those of one row if `alone`."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[fact], []).append(row)
    return [group for group in groups.values() if alone or len(group) > 1]


def _passed(name: str, broken: Sequence[str], others: int) -> list[Finding]:
    findings = []
    if broken:
        words = say("images that cannot be read", "个无法读取的图像")
        findings.append(passed_over("unreadable-images", name, broken, words, "warning"))
    if others:
        words = say("files that are no image", "个非图像文件")
        findings.append(passed_over("other-files", name, [""] * others, words))
    return findings
