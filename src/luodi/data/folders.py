"""Folders as tables: a folder a label with a text a file; what pictures need of it as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.contracts import DataError, Finding, Severity, say
from luodi.data.encoding import to_utf8
from luodi.data.lines import check_no_nul
from luodi.data.unpack import ENDINGS, unpack
from luodi.project.sources import AnySource, ImagesSource, TextsSource

if TYPE_CHECKING:
    import polars as pl

IMAGES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"))
_TEXTS = frozenset((".txt", ".md", ".text", ""))
_LARGEST_TEXT = 256 << 20
_EXAMPLES = 5
_GLANCE = 2000
"""Files of a folder that are looked at to tell what it holds."""


def read_texts(name: str, root: Path) -> tuple[pl.DataFrame, list[Finding]]:
    """text, label, file: each file's text under the name of its folder.

    Raises:
        DataError: no folder, no folders in it, a path that leaves it, a file that is no text.
    """
    import polars as pl

    folder = folder_of(name, root)
    rows: list[tuple[str, str, str]] = []
    empty: list[str] = []
    others = 0
    loose = len(loose_files(folder))
    for label, path in labelled(folder, name):
        shown = path.relative_to(folder).as_posix()
        bare = path.with_suffix("") if path.suffix.lower() in ENDINGS else path
        if bare.suffix.lower() not in _TEXTS or not path.is_file():
            others += 1
            continue
        for content in unpack(path, f"{name}/{shown}"):
            raw = content.stream.read(_LARGEST_TEXT + 1)
            if len(raw) > _LARGEST_TEXT:
                raise _too_long(content.shown)
            check_no_nul(raw, content.shown)
            text = to_utf8(raw, content.shown).raw.decode().strip() if raw.strip() else ""
            if text:
                rows.append((text, label, shown))
            else:
                empty.append(shown)
    findings = []
    if empty:
        findings.append(passed_over("empty-files", name, empty, say("empty files", "个空文件")))
    if others:
        findings.append(
            passed_over(
                "other-files", name, [""] * others, say("files that are no text", "个非文本文件")
            )
        )
    if loose:
        findings.append(without_label(name, loose))
    return pl.DataFrame(rows, schema=["text", "label", "file"], orient="row"), findings


def guess(source: str, root: Path) -> AnySource:
    """What a folder holds, so that its name alone will do: pictures, or texts by label.

    A path that is no folder, or a folder of tables, stays what it is.
    """
    if "\0" in source or "://" in source or source.startswith("package:"):
        return source
    folder = root / Path(source).expanduser()
    if not folder.is_dir():
        return source
    some = [path for path in islice(folder.rglob("*"), _GLANCE) if not path.is_dir()]
    if any(path.suffix.lower() in IMAGES for path in some):
        return ImagesSource(images=source)
    if any(path.parent != folder and path.suffix.lower() in _TEXTS for path in some):
        return TextsSource(texts=source)
    return source


def folder_of(name: str, root: Path) -> Path:
    """The folder, all links followed.

    Raises:
        DataError: there is none.
    """
    folder = root / Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    raise DataError(
        say(f"There is no folder {name}.", f"没有文件夹 {name}。"),
        say(f"Paths are looked up from {root}.", f"路径从 {root} 开始查找。"),
    )


def within(folder: Path, given: str, where: str) -> Path:
    """The path `given` inside of the folder.

    Raises:
        DataError: it leaves the folder, by itself or by a link.
    """
    path = folder / given
    try:
        inside = bool(given) and "\0" not in given and path.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # a link that leads to itself, a name too long
        inside = False
    if inside:
        return path
    raise DataError(
        say(f"{where}: the path {given!r} leaves {folder.name}.",
            f"{where}：路径 {given!r} 越出了 {folder.name}。"),
        say("Expected a path inside it.", "应为其内部的路径。"),
    )  # fmt: skip


def labelled(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """(label, file), sorted; hidden files are not meant.

    Raises:
        DataError: no folders in it, a link that leaves it.
    """
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
            yield label.name, within(folder, str(inner), name)


def loose_files(folder: Path) -> list[Path]:
    """Files beside the folders of labels, sorted."""
    return sorted(
        path for path in folder.iterdir() if not path.is_dir() and not path.name.startswith(".")
    )


def without_label(name: str, count: int) -> Finding:
    """The finding that so many files lie beside the folders of labels."""
    words = say("files that lie in no label's folder", "个不在任何标签文件夹中的文件")
    return passed_over("unlabelled-files", name, [""] * count, words, "warning")


def _too_long(shown: str) -> DataError:
    return DataError(
        say(f"{shown} is longer than {_LARGEST_TEXT >> 20} MiB.",
            f"{shown} 超过 {_LARGEST_TEXT >> 20} MiB。"),
        say("Expected one text a file.", "应为每个文件一条文本。"),
        say("Cut it, or read it as a table.", "请拆分它，或作为表读取。"),
    )  # fmt: skip


def passed_over(
    code: str, name: str, what: Sequence[str], words: str, severity: Severity = "info"
) -> Finding:
    """The finding that these files were passed over; an empty name is counted and not shown."""
    return Finding(
        code,
        severity,
        len(what),
        say(f"{name}: {len(what)} {words} were passed over.",
            f"{name}：跳过了 {len(what)} {words}。"),
        examples=[{"file": shown} for shown in what[:_EXAMPLES] if shown],
        details={"file": name},
    )  # fmt: skip
