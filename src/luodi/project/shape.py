"""Values that do not have the project file's shape: Pydantic's errors, in words and all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args, get_type_hints

from pydantic import ValidationError

from luodi.contracts import Mistake, say
from luodi.project.mistakes import halves, nearest, one_of
from luodi.project.places import Places
from luodi.project.schema import Project
from luodi.project.sources import KINDS, SourceModel, hide_password

_TAG = re.compile(r"<[a-z0-9]+>")
_STAND_INS = {("name",): "draft", ("task",): "", ("data", "columns"): {}}
"""What a draft holds where the file must say something and says nothing right."""
Path = tuple[str, ...]


def read_shape(values: Mapping[str, Any], places: Places) -> tuple[Project | None, list[Mistake]]:
    """What is left of the values when all that is wrong is taken out, and what is wrong.

    A mistake hides others: the shares of a split are not looked at while one of its names is
    unknown. So what is told is taken out, and the rest is read again, until nothing more is found.
    None where not even a draft can be made.
    """
    told: set[Path] = set()
    mistakes: dict[tuple[str, str], Mistake] = {}
    while True:
        try:
            return Project.model_validate(values), [*mistakes.values()]
        except ValidationError as error:
            items = [dict(item) for item in error.errors(include_url=False)]
        wrong = [(path, item) for item in items if (path := _place(item, values)) not in told]
        if not wrong:
            return None, [*mistakes.values()]
        for path, item in wrong:
            mistake = _told(item, path, places)
            key = mistake.where, mistake.found
            if (other := mistakes.get(key)) is not None:  # a union: each member
                either = f"{other.expected}{say(' or ', '或')}{mistake.expected}"
                mistake = replace(other, expected=either)
            mistakes[key] = mistake
            values = _without(values, path)
            told.add(path)


def _names(item: Mapping[str, Any]) -> list[str]:
    """Where Pydantic says that it is. A tag such as <sql> tells which kind of source was read; the
    file knows no such name, and neither `[key]`, which is said of a key that is wrong."""
    return [str(part) for part in item["loc"] if not _TAG.fullmatch(str(part)) and part != "[key]"]


def _place(item: Mapping[str, Any], values: Any) -> Path:
    """The names down to the value that is wrong, or to the name that is missing."""
    names = _names(item)
    if item["type"].startswith("missing"):
        return tuple(names)
    known = []
    for name in names:
        if not isinstance(values, Mapping) or name not in values:
            break
        known.append(name)
        values = values[name]
    return tuple(known)


def _without(values: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """A copy without what stands at `path`, or with what stands in for it."""
    copy = dict(values)
    place = copy
    for name in path[:-1]:
        inner = place.get(name)
        place[name] = dict(inner) if isinstance(inner, Mapping) else {}
        place = place[name]
    place.pop(path[-1], None) if path else copy.clear()
    if path in _STAND_INS:
        place[path[-1]] = _STAND_INS[path]
    return copy


def _told(item: dict[str, Any], path: Path, places: Places) -> Mistake:
    names = _names(item)
    tags = [str(part)[1:-1] for part in item["loc"] if _TAG.fullmatch(str(part))]
    deeper = names[len(path) : len(path) + 1]  # an item of a list, not a member of a union
    where = ".".join([*path, *(name for name in deeper if name.isdigit())]) or "-"
    return places.mistake(
        where,
        *_words(item, path, source=KINDS.get(next((tag for tag in tags if tag in KINDS), ""))),
    )


def _words(
    item: dict[str, Any], path: Path, source: type[SourceModel] | None
) -> tuple[str, str] | tuple[str, str, str]:
    """What was found, what was expected, and the nearest name where there is one."""
    kind, extra, given = item["type"], item.get("ctx", {}), _shown(item.get("input"), _names(item))
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        known = list(source.model_fields) if source else _field_names(Project, path[:-1])
        return say("no such name", "没有此名称"), one_of(known), nearest(path[-1], known)
    if kind in ("missing", "missing_argument"):
        return say("missing", "缺失"), say(f"a value for {path[-1]}", f"{path[-1]} 的值")
    if kind == "source_kind":
        return _no_source(item["input"])
    if kind == "literal_error":
        known = [part.strip(" '") for part in extra["expected"].replace(" or ", ",").split(",")]
        return given, one_of(known), nearest(str(item["input"]), known)
    if kind == "value_error":
        return halves(str(extra["error"]))
    return given, _expected(kind, extra, item["msg"], path)


def _no_source(given: object) -> tuple[str, str, str]:
    names = [str(name) for name in given] if isinstance(given, Mapping) else []
    near = next((word for name in names if (word := nearest(name, KINDS))), "")
    found = say("no kind of source: ", "未知的数据源类型：") + ", ".join(names[:10])
    expected = say(
        "a path, an address, tables by name, or a mapping with one of ",
        "路径、地址、按名称列出的多张表，或含有以下之一的映射：",
    ) + ", ".join(KINDS)
    return found, expected, near


def _pattern(pattern: str, path: Path) -> str:
    if path != ("name",):
        return say(f"a text of the form {pattern}", f"形如 {pattern} 的文本")
    return say(
        "letters, digits, dots, dashes and underscores, beginning with a letter or digit",
        "字母、数字、点、连字符和下划线，以字母或数字开头",
    )


def _shown(value: object, names: Sequence[str]) -> str:
    text = "***" if _SECRETIVE & {*names} else hide_password(repr(_harmless(value)))
    return text if len(text) <= 80 else f"{text[:77]}..."


def _harmless(value: object) -> object:
    """A mapping without the values that go to a server: any of them may be a secret."""
    if not isinstance(value, Mapping):
        return value
    return {k: "***" if k in _SECRETIVE else _harmless(item) for k, item in value.items()}


_SECRETIVE = {"headers", "params", "token", "password", "key", "secret", "session"}


def _expected(kind: str, extra: Mapping[str, Any], message: str, path: Path) -> str:
    if kind == "string_pattern_mismatch":
        return _pattern(extra["pattern"], path)
    bounds = {
        "greater_than": ">",
        "greater_than_equal": "≥",
        "less_than": "<",
        "less_than_equal": "≤",
    }
    if kind in bounds:
        bound = extra.get("gt", extra.get("ge", extra.get("lt", extra.get("le"))))
        return say(f"a number {bounds[kind]} {bound}", f"数值 {bounds[kind]} {bound}")
    if kind == "string_too_long":
        most = extra["max_length"]
        return say(f"at most {most} characters", f"不超过 {most} 个字符")
    for start, (english, chinese) in _KINDS.items():
        if kind.startswith(start):
            return say(english, chinese)
    return message


_KINDS = {
    "int": ("a whole number", "整数"),
    "float": ("a number", "数值"),
    "finite": ("a finite number", "有限的数值"),
    "bool": ("true or false", "true 或 false"),
    "string": ("a text", "文本"),
    "tuple": ("a name or a list of names", "名称或名称列表"),
    "dict": ("name: value lines", "“名称: 值”形式"),
    "model": ("name: value lines", "“名称: 值”形式"),
    "dataclass": ("name: value lines", "“名称: 值”形式"),
}


def _field_names(model: type, path: Path) -> list[str]:
    """The names that the settings at `path` know."""
    for part in path:
        inner = get_type_hints(model).get(part)
        candidates = [inner, *get_args(inner)]
        model = next(
            (kind for kind in candidates if is_dataclass(kind) or hasattr(kind, "model_fields")),
            model,
        )
    if is_dataclass(model):
        return [field.name for field in fields(model)]
    return list(getattr(model, "model_fields", {}))
