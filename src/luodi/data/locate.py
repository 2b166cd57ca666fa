"""From what the project file calls a source to the files themselves."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from luodi.contracts import DataError, MissingPartError, say
from luodi.data.header import Header

_MAGIC = re.compile(r"[*?\[]")
_PACKAGE = re.compile(
    r"package:(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:==(?P<version>[^/]+))?/(?P<inner>.+)"
)


class Located(NamedTuple):
    """A file, and how to name it to the reader.

    Attributes:
        filename: tells the format where the path does not; `sheet` names one of a workbook,
            `header` where the names of columns come from.
        piece: one of the pieces of a table, whose columns may be told apart over all of them.
        sha256, bytes: of the file, where they are known.
    """

    path: Path
    name: str
    filename: str = ""
    sheet: str | int | None = None
    piece: bool = False
    sha256: str = ""
    bytes: int = 0
    header: Header = None


def locate(source: str, root: Path) -> list[Located]:
    """The files of a source, sorted by name.

    Raises:
        DataError: nothing is there, a folder is, or the source is of a kind not read.
        MissingPartError: the package is not installed, or in another version.
    """
    if source.startswith("package:"):
        return _in_package(source)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", source):
        raise DataError(
            say(f"The source {source} is an address.", f"数据源 {source} 是一个网络地址。"),
            say(
                "Expected a path, a glob or package:NAME/FILE.",
                "应为路径、通配或 package：名称/文件。",
            ),
            say("http, https and s3 addresses are fetched.", "可获取 http、https、s3 地址。"),
        )
    if not source.strip() or "\0" in source:
        raise DataError(
            say("The source is empty.", "数据源为空。"),
            say(
                "Expected a path, a glob or package:NAME/FILE.",
                "应为路径、通配或 package：名称/文件。",
            ),
        )
    path = root / Path(source).expanduser()
    if path.is_file():
        return [Located(path, source)]
    if path.is_dir():
        raise _is_folder(source, path, root)
    found = _glob(path)
    if not found:
        raise _nothing(source, path, root)
    return [Located(file, _named(file, root)) for file in found]


def _glob(path: Path) -> list[Path]:
    """The files that a path with wild cards stands for."""
    parts = path.parts
    place = next((index for index, part in enumerate(parts) if _MAGIC.search(part)), None)
    if place is None:
        return []
    base = Path(*parts[:place])
    try:
        pattern = Path(*parts[place:])
        found = [file for file in base.glob(str(pattern)) if file.is_file()]
    except (ValueError, OSError):
        return []
    # As in a shell: the hidden files that systems leave beside real ones must be asked for.
    hidden = any(part.startswith(".") for part in pattern.parts)
    shown = [
        file
        for file in found
        if hidden or not any(part.startswith(".") for part in file.relative_to(base).parts)
    ]
    return sorted(shown, key=Path.as_posix)


def _named(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def _is_folder(source: str, path: Path, root: Path) -> DataError:
    from luodi.data.folders import guess

    held = guess(source, root)
    kinds = sorted({file.suffix for file in path.iterdir() if file.is_file() and file.suffix})
    example = f"{source.rstrip('/')}/*{kinds[0] if kinds else '.csv'}"
    if not isinstance(held, str):
        example = f"{{{held.kind}: {source}}}"
    return DataError(
        say(f"The source {source} is a folder.", f"数据源 {source} 是文件夹。"),
        say("Expected a file or a glob.", "应为文件或通配。"),
        say(f"Write {example}.", f"请写成 {example}。"),
    )


def _nothing(source: str, path: Path, root: Path) -> DataError:
    from difflib import get_close_matches

    hint = ""
    if path.parent.is_dir():
        names = sorted(file.name for file in path.parent.iterdir() if file.is_file())
        if close := get_close_matches(path.name, names, n=1):
            hint = say(f"Did you mean {close[0]}?", f"是否想写 {close[0]}?")
    return DataError(
        say(f"The source {source} does not exist.", f"数据源 {source} 不存在。"),
        say(
            f"Paths are looked up from {root}.",
            f"路径从 {root} 开始查找。",
        ),
        hint,
    )


def _in_package(source: str) -> list[Located]:
    match = _PACKAGE.fullmatch(source)
    if match is None:
        raise DataError(
            say(f"The source {source} is incomplete.", f"数据源 {source} 不完整。"),
            say(
                "Expected package:NAME/FILE or package:NAME==VERSION/FILE.",
                "应为 package：名称/文件 或 package：名称==版本/文件。",
            ),
        )
    name, version, inner = match["name"], match["version"], match["inner"]
    if ".." in Path(inner).parts or Path(inner).is_absolute():
        raise DataError(
            say(f"The source {source} leaves the package.", f"数据源 {source} 越出了软件包。"),
            say("Expected a path inside it.", "应为包内的路径。"),
        )
    folders = _package_folders(name, version)
    for folder in folders:
        base = folder.resolve()
        found = [folder / inner] if (folder / inner).is_file() else _glob(folder / inner)
        inside = [file for file in found if file.resolve().is_relative_to(base)]
        if inside:
            return [
                Located(file, f"{name}/{file.relative_to(folder).as_posix()}") for file in inside
            ]
    raise DataError(
        say(f"The package {name} has no file {inner}.", f"软件包 {name} 中没有文件 {inner}。"),
        say(
            f"Looked in {', '.join(map(str, folders))}.",
            f"查找位置：{'、'.join(map(str, folders))}。",
        ),
    )


def _package_folders(name: str, version: str | None) -> Sequence[Path]:
    """Where the distribution's files are: the package's own folder, then the one above it."""
    requirement = f"{name}=={version}" if version else name
    remedy = say(
        f"Install it: {_python()} -m pip install {requirement}",
        f"请安装：{_python()} -m pip install {requirement}",
    )
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise MissingPartError(
            say(f"The package {name} is not installed.", f"软件包 {name} 未安装。"), "", remedy
        ) from None
    if version and distribution.version != version:
        raise MissingPartError(
            say(
                f"The package {name} is installed in version {distribution.version}.",
                f"软件包 {name} 的已装版本是 {distribution.version}。",
            ),
            say(f"The project asks for {version}.", f"项目要求 {version}。"),
            remedy,
        )
    folders = []
    for module in dict.fromkeys((name, name.replace("-", "_").replace(".", "_"))):
        # A top-level name is only looked for: nothing of the package runs.
        spec = importlib.util.find_spec(module) if module.isidentifier() else None
        folders += (
            [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
        )
    return [*folders, Path(str(distribution.locate_file("")))]


def _python() -> str:
    return "python" if os.environ.get("VIRTUAL_ENV") else ".venv/bin/python"
