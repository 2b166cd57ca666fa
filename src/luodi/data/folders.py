"""Folders as tables: a folder a label with a text a file; images by folder or by a column."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import DataError, Finding, MissingPartError, say
from luodi.data.encoding import to_utf8
from luodi.data.lines import check_no_nul
from luodi.data.store import file_digest
from luodi.data.unpack import ENDINGS, unpack

if TYPE_CHECKING:
    import polars as pl

_IMAGES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"))
_TEXTS = frozenset((".txt", ".md", ".text", ""))
_LARGEST_TEXT = 256 << 20
_EXAMPLES = 5


def read_texts(name: str, root: Path) -> tuple[pl.DataFrame, list[Finding]]:
    """text, label, file: each file's text under the name of its folder.

    Raises:
        DataError: no folder, no folders in it, a path that leaves it, a file that is no text.
    """
    import polars as pl

    folder = _folder(name, root)
    rows: list[tuple[str, str, str]] = []
    empty: list[str] = []
    others = 0
    for label, path in _labelled(folder, name):
        shown = path.relative_to(folder).as_posix()
        bare = path.with_suffix("") if path.suffix.lower() in ENDINGS else path
        if bare.suffix.lower() not in _TEXTS:
            others += 1
            continue
        for content in unpack(path, f"{name}/{shown}"):
            raw = content.stream.read(_LARGEST_TEXT)
            check_no_nul(raw, content.shown)
            text = to_utf8(raw, content.shown).raw.decode().strip() if raw.strip() else ""
            if text:
                rows.append((text, label, shown))
            else:
                empty.append(shown)
    findings = []
    if empty:
        findings.append(_passed("empty-files", name, empty, say("empty files", "个空文件")))
    if others:
        findings.append(
            _passed(
                "other-files", name, [""] * others, say("files that are no text", "个非文本文件")
            )
        )
    return pl.DataFrame(rows, schema=["text", "label", "file"], orient="row"), findings


def read_images(name: str, root: Path) -> tuple[pl.DataFrame, list[Finding]]:
    """path, label, width, height, mode, sha256: each image under the name of its folder.

    Raises:
        DataError: no folder, no folders in it, a path that leaves it.
    """
    folder = _folder(name, root)
    rows, broken, others = [], [], 0
    for label, path in _labelled(folder, name):
        shown = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in _IMAGES:
            others += 1
            continue
        facts = _image(path)
        if isinstance(facts, str):
            broken.append(f"{shown}: {facts}")
        else:
            rows.append({"path": f"{name.rstrip('/')}/{shown}", "label": label} | facts)
    return _images(rows, name, broken, others)


def read_listed_images(
    name: str, table: pl.DataFrame, column: str, root: Path
) -> tuple[pl.DataFrame, list[Finding]]:
    """The rows of a table whose column names images, with width, height, mode and sha256.

    Raises:
        DataError: no such column, a path that leaves the folder.
    """
    import polars as pl

    folder = _folder(name, root)
    if column not in table.columns:
        shown = ", ".join(table.columns[:20])
        raise DataError(
            say(f"The table of images has no column {column}.", f"图像表中没有列 {column}。"),
            say(f"There are: {shown}.", f"已有：{shown}。"),
            say("Say path: COLUMN in the source.", "请在来源中写 path: 列名。"),
        )
    facts: list[dict[str, Any]] = []
    kept, broken = [], []
    for row, given in enumerate(table.get_column(column).cast(pl.String)):
        path = _within(folder, given or "", say(f"row {row + 1}", f"第 {row + 1} 行"))
        found = _image(path)
        if isinstance(found, str):
            broken.append(f"{given}: {found}")
        else:
            kept.append(row)
            facts.append(found)
    _, findings = _images(facts, name, broken, 0)
    added = pl.DataFrame(facts, schema=_FACTS) if facts else pl.DataFrame(schema=_FACTS)
    clash = [field for field in added.columns if field in table.columns]
    return table[kept].drop(clash).hstack(added), findings


_FACTS = ["width", "height", "mode", "sha256"]


def _folder(name: str, root: Path) -> Path:
    folder = root / Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    raise DataError(
        say(f"There is no folder {name}.", f"没有文件夹 {name}。"),
        say(f"Paths are looked up from {root}.", f"路径从 {root} 开始查找。"),
    )


def _within(folder: Path, given: str, where: str) -> Path:
    path = folder / given
    if given and "\0" not in given and path.resolve().is_relative_to(folder):
        return path
    raise DataError(
        say(f"{where}: the path {given!r} leaves {folder.name}.",
            f"{where}：路径 {given!r} 越出了 {folder.name}。"),
        say("Expected a path inside it.", "应为其内部的路径。"),
    )  # fmt: skip


def _labelled(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """(label, file), sorted; hidden files are not meant."""
    labels = sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    if not labels:
        raise DataError(
            say(f"{name} holds no folders.", f"{name} 中没有子文件夹。"),
            say("Expected a folder a label.", "应为每个标签一个文件夹。"),
        )
    for label in labels:
        for path in sorted(label.rglob("*")):
            inner = path.relative_to(folder)
            if path.is_dir() or any(part.startswith(".") for part in inner.parts):
                continue
            yield label.name, _within(folder, str(inner), name)


def _image(path: Path) -> dict[str, Any] | str:
    """What an image is; or why it is none, in a few words."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        raise MissingPartError(
            say("Pillow is not installed.", "未安装 Pillow。"),
            say("It reads images.", "读取图像需要它。"),
            "pip install 'luodi[sources]'",
        ) from None
    try:
        with warnings.catch_warnings():
            # An image of billions of pixels in a small file is a bomb: an error, not a warning.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                size, mode = image.size, image.mode
                image.load()  # a file cut short is only found out by its pixels
        digest, _ = file_digest(path)
    except FileNotFoundError:
        return say("not there", "不存在")
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning,
            OSError, ValueError, SyntaxError) as error:  # fmt: skip
        return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return {"width": size[0], "height": size[1], "mode": mode, "sha256": digest}


def _images(
    rows: list[dict[str, Any]], name: str, broken: list[str], others: int
) -> tuple[pl.DataFrame, list[Finding]]:
    import polars as pl

    findings = []
    if broken:
        words = say("images that cannot be read", "个无法读取的图像")
        findings.append(_passed("unreadable-images", name, broken, words, "warning"))
    if others:
        words = say("files that are no image", "个非图像文件")
        findings.append(_passed("other-files", name, [""] * others, words))
    columns = ["path", "label", *_FACTS]
    return (pl.DataFrame(rows) if rows else pl.DataFrame(schema=columns)), findings


def _passed(code: str, name: str, what: list[str], words: str, severity: Any = "info") -> Finding:
    return Finding(
        code,
        severity,
        len(what),
        say(f"{name}: {len(what)} {words} were passed over.",
            f"{name}：跳过了 {len(what)} {words}。"),
        examples=[{"file": shown} for shown in what[:_EXAMPLES] if shown],
        details={"file": name},
    )  # fmt: skip
