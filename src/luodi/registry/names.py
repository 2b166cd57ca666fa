"""How models and versions are named, and what is said when a name means nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from luodi.bundle import version_of
from luodi.contracts import RegistryError, say
from luodi.registry.records import Registered


def part(wanted: str) -> tuple[str, str, str]:
    """`name`, `name@alias` or `name:version` -> (name, the mark or "", what follows it)."""
    if match := re.fullmatch(r"([^@:/]+)(?:([@:])(.+))?", wanted):
        return match[1], match[2] or "", match[3] or ""
    raise RegistryError(
        say(
            f"{wanted!r} is no bundle folder, and names no model.",
            f"{wanted!r} 不是模型包文件夹，也不是模型名。",
        ),
        say(
            "Expected name, name@alias, name:version or the path of a bundle.",
            "应为 名称、名称@别名、名称：版本 或模型包路径。",
        ),
        say("luodi models lists what there is.", "luodi models 可列出已有模型。"),
    )


def by_alias(name: str, alias: str, found: Sequence[Registered]) -> Registered:
    """The version that `alias` means; RegistryError when it means none."""
    for row in found:
        if alias in row.aliases:
            return row
    there = sorted({alias for row in found for alias in row.aliases})
    raise RegistryError(
        say(f"{name} has no alias {alias}.", f"{name} 没有别名 {alias}。"),
        _there(there),
        _nearest(alias, there),
    )


def by_version(name: str, version: str, found: Sequence[Registered]) -> Registered:
    """The one version that begins so, or has this digest; RegistryError when there is none."""
    wanted = version_of(version)
    matching = [row for row in found if len(wanted) >= 4 and row.version.startswith(wanted)]
    if len(matching) == 1:
        return matching[0]
    there = [row.version for row in found]
    raise RegistryError(
        say(
            f"{len(matching) or 'No'} versions of {name} begin with {version}.",
            f"{name} 有 {len(matching)} 个版本以 {version} 开头。",
        ),
        _there(there),
        _nearest(version, there),
    )


def unknown_model(name: str, there: Sequence[str], home: Path) -> RegistryError:
    """The error for a model that is not there, with the nearest that is."""
    if not there:
        return RegistryError(
            say(f"No model is registered in {home}.", f"{home} 中没有已登记的模型。"),
            "",
            say("luodi run makes one.", "用 luodi run 制作一个。"),
        )
    return RegistryError(
        say(f"No model is named {name}.", f"没有名为 {name} 的模型。"),
        _there(there),
        _nearest(name, there),
    )


def _there(names: Sequence[str]) -> str:
    if not names:
        return say("There is none.", "尚无任何一个。")
    return say(f"There are: {', '.join(names)}.", f"已有：{'、'.join(names)}。")


def _nearest(name: str, there: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, there, n=1)
    return say(f"Did you mean {near[0]}?", f"是否想用 {near[0]}?") if near else ""


def listed(found: Sequence[Registered]) -> str:
    """Versions as they are named on the command line."""
    return ", ".join(f"{row.model}:{row.version}" for row in found)
