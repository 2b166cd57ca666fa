"""What a service needs of this environment: Luodi itself, and packages at their very versions."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from luodi.bundle.manifest import Manifest
from luodi.contracts import MissingPartError, say

_SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc")


def requirements(manifest: Manifest) -> list[str]:
    """`name==version` of everything that serving this bundle needs, what is installed here.

    Luodi's own base dependencies with all that they need; OpenVINO where the bundle's form runs
    on it; and the package that brings the bundle's task, where it is a stranger's.

    Raises:
        MissingPartError: when one of them is not installed here.
    """
    form = manifest.serving.get("form") or {}
    extras = {"openvino"} if form.get("runtime") == "openvino" else set()
    found: dict[str, str] = {}
    waiting = [
        ("luodi", frozenset(extras)),
        *((name, frozenset[str]()) for name in _brings(manifest)),
    ]
    while waiting:
        name, wanted = waiting.pop()
        here = _distribution(name)
        key = _plain(here.metadata["Name"])
        if key in found and not wanted:
            continue
        found[key] = here.version
        waiting += [need for need in _needs(here, wanted) if _plain(need[0]) not in found]
    del found["luodi"]  # it travels as files
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _needs(here: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    from packaging.requirements import Requirement

    for line in here.requires or ():
        need = Requirement(line)
        asked = [{"extra": extra} for extra in (*extras, "")]
        if need.marker is None or any(need.marker.evaluate(each) for each in asked):
            yield need.name, frozenset(need.extras)


def _brings(manifest: Manifest) -> list[str]:
    """The distribution whose entry point names the task; none where it is Luodi's own."""
    from importlib.metadata import entry_points

    found = {
        entry.dist.metadata["Name"]
        for entry in entry_points(group="luodi.tasks")
        if entry.name == manifest.task and entry.dist is not None
    }
    return sorted(found - {"luodi"})


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise MissingPartError(
            say(f"{name} is not installed here.", f"此环境未安装 {name}。"),
            say("What is to run elsewhere is taken from this environment.",
                "导出的内容取自当前环境。"),
            f"pip install {name}",
        ) from None  # fmt: skip


def installed(name: str) -> str:
    """The version of a distribution that is installed here.

    Raises:
        MissingPartError: when it is not.
    """
    return _distribution(name).version


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def copy_luodi(folder: Path) -> None:
    """Luodi's own files and its metadata, by which tasks are found, into `folder`."""
    import luodi

    here = distribution("luodi")
    shutil.copytree(Path(luodi.__file__).parent, folder / "luodi", ignore=_SKIPPED)
    about = folder / f"luodi-{here.version}.dist-info"
    about.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        text = here.read_text(name)
        if text is not None:
            (about / name).write_text(text, "utf-8")
