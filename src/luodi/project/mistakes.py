"""What is wrong with a project file, in words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from luodi.contracts import BEATS, Mistake, Role, Task, UsageError, parse_rule, say
from luodi.project.catalogue import find_task, task_names
from luodi.project.sources import KINDS, hide_password

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

WRONG_ANSWERS = {
    "false_approve": "false_negative",
    "false_reject": "false_positive",
    "missed": "false_negative",
    "false_alarm": "false_positive",
    "false_negative": "false_negative",
    "false_positive": "false_positive",
}
"""What people call the two wrong answers of two labels -> the field's own name."""
_TAG = re.compile(r"<[a-z0-9]+>")


def nearest(word: str, known: Iterable[str]) -> str:
    """The known name that `word` was probably meant to be; empty when none is near."""
    names = list(known)
    lowered = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.5)
    return lowered[found[0]] if found else ""


def shape_mistakes(
    error: ValidationError, lines: Mapping[str, int], model: type[BaseModel]
) -> list[Mistake]:
    """Pydantic's errors as mistakes with lines and nearest names."""
    return [_one(dict(item), lines, model) for item in error.errors(include_url=False)]


def _one(item: dict[str, Any], lines: Mapping[str, int], model: type[BaseModel]) -> Mistake:
    # A tag such as <sql> tells which kind of source was read; the file knows no such name.
    path = [str(part) for part in item["loc"] if not _TAG.fullmatch(str(part))]
    tags = [str(part)[1:-1] for part in item["loc"] if _TAG.fullmatch(str(part))]
    where = ".".join(path) or "-"
    line = next(
        (lines[p] for n in range(len(path), 0, -1) if (p := ".".join(path[:n])) in lines), None
    )
    given = _shown(item.get("input"))
    kind, extra = item["type"], item.get("ctx", {})
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        known = (
            list(KINDS[tags[0]].model_fields)
            if tags and tags[0] in KINDS
            else _field_names(model, path[:-1])
        )
        expected = say("one of ", "以下之一：") + ", ".join(known)
        return Mistake(where, say("no such name", "没有此名称"), expected, line,
                       nearest(path[-1], known))  # fmt: skip
    if kind in ("missing", "missing_argument"):
        found, expected = say("missing", "缺失"), say(f"a value for {path[-1]}", f"{path[-1]} 的值")
        return Mistake(where, found, expected, line)
    if kind == "source_kind":
        return _no_source(where, item["input"], line)
    if kind == "literal_error":
        known = [part.strip(" '") for part in extra["expected"].replace(" or ", ",").split(",")]
        expected = say("one of ", "以下之一：") + ", ".join(known)
        return Mistake(where, given, expected, line, nearest(str(item["input"]), known))
    if kind == "value_error":
        given, expected = _halves(str(extra["error"]))
    elif kind == "string_pattern_mismatch":
        expected = _pattern(where, extra["pattern"])
    else:
        expected = _expected(kind, extra, item["msg"])
    return Mistake(where, given, expected, line)


def _no_source(where: str, given: object, line: int | None) -> Mistake:
    names = [str(name) for name in given] if isinstance(given, Mapping) else []
    near = next((word for name in names if (word := nearest(name, KINDS))), "")
    found = say("no kind of source: ", "未知的数据源类型：") + ", ".join(names[:10])
    expected = say(
        "a path, an address, or a mapping with one of ", "路径、地址，或含有以下之一的映射："
    ) + ", ".join(KINDS)
    return Mistake(where, found, expected, line, near)


def _pattern(where: str, pattern: str) -> str:
    if where != "name":
        return say(f"a text of the form {pattern}", f"形如 {pattern} 的文本")
    return say(
        "letters, digits, dots, dashes and underscores, beginning with a letter or digit",
        "字母、数字、点、连字符和下划线，以字母或数字开头",
    )


def _halves(message: str) -> tuple[str, str]:
    for mark in (say("; expected ", "；应为 "), "；两者"):
        found, cut, expected = message.partition(mark)
        if cut:
            return found.removeprefix("found ").removeprefix("收到 "), expected
    return message, say("another value", "其他取值")


def _shown(value: object) -> str:
    text = hide_password(repr(value))
    return text if len(text) <= 80 else f"{text[:77]}..."


def _expected(kind: str, extra: Mapping[str, Any], message: str) -> str:
    bounds = {
        "greater_than": ">",
        "greater_than_equal": "≥",
        "less_than": "<",
        "less_than_equal": "≤",
    }
    if kind in bounds:
        bound = extra.get("gt", extra.get("ge", extra.get("lt", extra.get("le"))))
        return say(f"a number {bounds[kind]} {bound}", f"数值 {bounds[kind]} {bound}")
    for start, (english, chinese) in _KINDS.items():
        if kind.startswith(start):
            return say(english, chinese)
    return message


_KINDS = {
    "int": ("a whole number", "整数"),
    "float": ("a number", "数值"),
    "bool": ("true or false", "true 或 false"),
    "string": ("a text", "文本"),
    "tuple": ("a name or a list of names", "名称或名称列表"),
    "dict": ("name: value lines", "“名称: 值”形式"),
    "model": ("name: value lines", "“名称: 值”形式"),
    "dataclass": ("name: value lines", "“名称: 值”形式"),
}


def _field_names(model: type, path: list[str]) -> list[str]:
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


def semantic_mistakes(values: Mapping[str, Any], lines: Mapping[str, int]) -> list[Mistake]:
    """What only the task can tell: its roles, learners, options and metrics."""
    name = values.get("task")
    if not isinstance(name, str):
        return []
    try:
        task = find_task(name)
    except UsageError:
        known = task_names()
        expected = say("one of ", "以下之一：") + ", ".join(known)
        return [Mistake("task", repr(name), expected, lines.get("task"), nearest(name, known))]
    data, model, gate = (_mapping(values.get(part)) for part in ("data", "model", "gate"))
    return [
        *_roles(task, data, lines),
        *_learners(task, model, lines),
        *_gate(task, gate, lines),
        *_costs(task, gate, values.get("costs"), lines),
    ]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _roles(task: Task, data: Mapping[str, Any], lines: Mapping[str, int]) -> list[Mistake]:
    if not isinstance(data.get("columns"), Mapping):
        return []  # its absence is told already
    columns = data["columns"]
    mistakes = []
    known = [str(role) for role in task.roles]
    for name, given in columns.items():
        where = f"data.columns.{name}"
        if name not in known:
            expected = say(f"a role of {task.name}: ", f"{task.name} 的角色：") + ", ".join(known)
            found = say("no such role", "没有此角色")
            mistakes.append(
                Mistake(where, found, expected, lines.get(where), nearest(str(name), known))
            )
        elif isinstance(given, list) and len(given) > 1 and not task.roles[Role(name)].many:
            found = say(f"{len(given)} columns", f"{len(given)} 列")
            mistakes.append(Mistake(where, found, say("one column", "一列"), lines.get(where)))
    mistakes += _learnt_from_itself(columns, lines)
    for role, rule in task.roles.items():
        if rule.required and role not in columns:
            found = say("missing", "缺失")
            expected = say(f"the column that holds {rule.meaning}", f"担任 {role} 角色的列名")
            mistakes.append(
                Mistake(f"data.columns.{role}", found, expected, lines.get("data.columns"))
            )
    return mistakes


def _learnt_from_itself(columns: Mapping[str, Any], lines: Mapping[str, int]) -> list[Mistake]:
    """The label is what is asked for: no text and no feature may be its column."""
    label = columns.get(Role.LABEL)
    mistakes = []
    for role in (Role.TEXT, Role.FEATURE):
        given = columns.get(role)
        if isinstance(label, str) and label in (given if isinstance(given, list) else [given]):
            where = f"data.columns.{role}"
            found = say(f"{label!r}, which is the label", f"{label!r}，即标签列")
            expected = say("another column", "另一列")
            mistakes.append(Mistake(where, found, expected, lines.get(where)))
    return mistakes


def _learners(task: Task, model: Mapping[str, Any], lines: Mapping[str, int]) -> list[Mistake]:
    given = model.get("learner", "auto")
    names = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    known = ["auto", *task.learners]
    line = lines.get("model.learner")
    expected = say("one of ", "以下之一：") + ", ".join(known)
    mistakes = [
        Mistake("model.learner", repr(name), expected, line, nearest(str(name), known))
        for name in names
        if name not in known
    ]
    chosen = (
        task.learners
        if "auto" in names
        else {n: task.learners[n] for n in names if n in task.learners}
    )
    spaces = {option for learner in chosen.values() for option in learner.space}
    for option in _mapping(model.get("options")):
        if chosen and option not in spaces:
            where = f"model.options.{option}"
            found = say("no such option", "没有此选项")
            expected = say("one of ", "以下之一：") + ", ".join(sorted(spaces))
            mistakes.append(
                Mistake(where, found, expected, lines.get(where), nearest(str(option), spaces))
            )
    return mistakes


def _costs(
    task: Task, gate: Mapping[str, Any], costs: object, lines: Mapping[str, int]
) -> list[Mistake]:
    """A bound on what answers cost says nothing where the project names no costs; and costs nothing
    where answers are no labels.
    """
    name = "expected_cost"
    if name not in [metric.name for metric in task.metrics]:
        if not costs:
            return []
        found = say("costs of wrong labels", "判错类别的成本")
        expected = say(
            f"none: {task.name} answers with no labels", f"无：{task.name} 的回答不是类别"
        )
        return [Mistake("costs", found, expected, lines.get("costs"))]
    if isinstance(costs, Mapping) and any(str(known) in WRONG_ANSWERS for known in costs):
        return _two_costs(costs, lines)
    if name not in gate or costs:
        return []
    where = f"gate.{name}"
    found = say("a bound on costs that are not named", "为未写明的成本设置了门槛")
    expected = say(
        "lines such as costs: {false_approve: 5000, false_reject: 800}",
        "形如 costs: {false_approve: 5000, false_reject: 800} 的设置",
    )
    return [Mistake(where, found, expected, lines.get(where))]


def _two_costs(costs: Mapping[str, Any], lines: Mapping[str, int]) -> list[Mistake]:
    """Where one of the two wrong answers is named, no other name is right; each has a number."""
    mistakes = []
    for name, cost in costs.items():
        where = f"costs.{name}"
        if str(name) not in WRONG_ANSWERS:
            found, near = say("no such name", "没有此名称"), nearest(str(name), WRONG_ANSWERS)
            expected = say("one of ", "以下之一：") + ", ".join(WRONG_ANSWERS)
            mistakes.append(Mistake(where, found, expected, lines.get(where), near))
        elif isinstance(cost, Mapping):
            expected = say("a number", "数值")
            mistakes.append(Mistake(where, _shown(cost), expected, lines.get(where)))
    return mistakes


def _gate(task: Task, gate: Mapping[str, Any], lines: Mapping[str, int]) -> list[Mistake]:
    known = [metric.name for metric in task.metrics]
    mistakes = []
    for metric, rule in gate.items():
        where = f"gate.{metric}"
        if metric != BEATS and metric not in known:
            expected = say(f"a metric of {task.name}: ", f"{task.name} 的指标：") + ", ".join(known)
            found = say("no such metric", "没有此指标")
            mistakes.append(
                Mistake(where, found, expected, lines.get(where), nearest(str(metric), known))
            )
        try:
            parsed = parse_rule(str(metric), rule)
        except ValueError as error:
            mistakes.append(Mistake(where, *_halves(str(error)), lines.get(where)))
            continue
        for name in parsed.beats:
            if name not in task.baselines:
                expected = say("one of ", "以下之一：") + ", ".join(task.baselines)
                mistakes.append(
                    Mistake(where, repr(name), expected, lines.get(where),
                            nearest(name, task.baselines))
                )  # fmt: skip
    return mistakes
