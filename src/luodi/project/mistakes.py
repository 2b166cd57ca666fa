"""What is wrong with a project file beyond its shape: what only its task can tell."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from luodi.contracts import (
    BEATS,
    GateRule,
    Metric,
    Mistake,
    Role,
    RoleRule,
    Task,
    parse_rule,
    say,
)
from luodi.project.abilities import distil_mistakes, monotone_mistakes
from luodi.project.catalogue import find_task, task_names
from luodi.project.options import wrong_values
from luodi.project.places import Places

_EXPECTED = re.compile(r"; expected |；均?应[为在]? ?")
WRONG_ANSWERS = {
    "false_approve": "false_negative",
    "false_reject": "false_positive",
    "missed": "false_negative",
    "false_alarm": "false_positive",
    "false_negative": "false_negative",
    "false_positive": "false_positive",
}
"""What people call the two wrong answers of two labels -> the field's own name."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known name that `word` was probably meant to be; empty when none is near."""
    names = list(known)
    lowered = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.5)
    return lowered[found[0]] if found else ""


def one_of(names: Iterable[str]) -> str:
    """What is expected where only these will do."""
    return say("one of ", "以下之一：") + ", ".join(names)


def halves(message: str) -> tuple[str, str]:
    """A check's sentence as what was found and what was expected."""
    found, *rest = _EXPECTED.split(message, maxsplit=1)
    found = found.removeprefix("found ").removeprefix("收到 ")
    return found, rest[0] if rest else say("another value", "其他取值")


def task_mistakes(values: Mapping[str, Any], places: Places) -> list[Mistake]:
    """What only the task can tell: its roles, learners, options and metrics.

    Of a task that there is not, what the tasks of the nearest names know is right, else what any
    task knows.
    """
    name = values.get("task")
    mistakes = []
    if isinstance(name, str) and name not in task_names():
        known = task_names()
        mistakes = [places.mistake("task", repr(name), one_of(known), nearest(name, known))]
    tasks = [find_task(each) for each in _meant(name)]
    data, model, gate = (_mapping(values.get(part)) for part in ("data", "model", "gate"))
    names = [each for each in _chosen(model) if isinstance(each, str)]
    return [
        *mistakes,
        *_roles(tasks, data, places),
        *_question(tasks, values, places),
        *_learners(tasks, model, places),
        *monotone_mistakes(tasks, data, names, places),
        *distil_mistakes(tasks, model, names, places),
        *_gate(tasks, gate, places),
        *_costs(tasks, gate, values.get("costs"), places),
    ]


def _meant(name: object) -> Sequence[str]:
    names = task_names()
    if not isinstance(name, str):
        return names
    if name in names:
        return [name]
    return difflib.get_close_matches(name.lower(), names, n=len(names), cutoff=0.8) or names


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _of(tasks: Sequence[Task]) -> str:
    return ", ".join(task.name for task in tasks)


def _rules(tasks: Sequence[Task]) -> dict[str, RoleRule]:
    return {str(role): rule for task in tasks for role, rule in task.roles.items()}


def _roles(tasks: Sequence[Task], data: Mapping[str, Any], places: Places) -> list[Mistake]:
    if not isinstance(data.get("columns"), Mapping):
        return []  # its absence is told already
    columns = data["columns"]
    mistakes = []
    rules = _rules(tasks)
    for name, given in columns.items():
        where = f"data.columns.{name}"
        if name not in rules:
            expected = say(f"a role of {_of(tasks)}: ", f"{_of(tasks)} 的角色：") + ", ".join(rules)
            found = say("no such role", "没有此角色")
            mistakes.append(places.mistake(where, found, expected, nearest(str(name), rules)))
        elif isinstance(given, list) and len(given) > 1 and not rules[name].many:
            found = say(f"{len(given)} columns", f"{len(given)} 列")
            mistakes.append(places.mistake(where, found, say("one column", "一列")))
    mistakes += _learnt_from_itself(columns, places)
    for role, rule in rules.items():
        needed = all(Role(role) in task.roles and task.roles[Role(role)].required for task in tasks)
        if needed and role not in columns:
            found = say("missing", "缺失")
            expected = say(f"the column that holds {rule.meaning}", f"担任 {role} 角色的列名")
            mistakes.append(places.mistake(f"data.columns.{role}", found, expected))
    return mistakes


def _learnt_from_itself(columns: Mapping[str, Any], places: Places) -> list[Mistake]:
    """The label is what is asked for: no text and no feature may be its column."""
    label = columns.get(Role.LABEL)
    mistakes = []
    for role in (Role.TEXT, Role.FEATURE):
        given = columns.get(role)
        if isinstance(label, str) and label in (given if isinstance(given, list) else [given]):
            found = say(f"{label!r}, which is the label", f"{label!r}，即标签列")
            expected = say("another column", "另一列")
            mistakes.append(places.mistake(f"data.columns.{role}", found, expected))
    return mistakes


def _question(tasks: Sequence[Task], values: Mapping[str, Any], places: Places) -> list[Mistake]:
    """What is said of labels says nothing where the answer is a number."""
    rules = [task.roles.get(Role.LABEL) for task in tasks]
    if not all(rule is not None and rule.kind == "number" for rule in rules):
        return []
    data = _mapping(values.get("data"))
    given = [f"data.{name}" for name in ("labels", "positive", "favourable") if data.get(name)]
    given += ["costs"] if values.get("costs") else []
    found = say("said of labels", "针对标签的设置")
    expected = say(
        f"nothing: the answers of {_of(tasks)} are numbers", f"不设置：{_of(tasks)} 的答案是数值"
    )
    return [places.mistake(where, found, expected) for where in given]


def _chosen(model: Mapping[str, Any]) -> list[str]:
    given = model.get("learner", "auto")
    return [given] if isinstance(given, str) else given if isinstance(given, list) else []


def _learners(tasks: Sequence[Task], model: Mapping[str, Any], places: Places) -> list[Mistake]:
    names = _chosen(model)
    learners = {name: learner for task in tasks for name, learner in task.learners.items()}
    known = ["auto", *learners]
    if model.get("learner") == []:
        return [places.mistake("model.learner", say("none", "空"), one_of(known))]
    mistakes = [
        places.mistake("model.learner", repr(name), one_of(known), nearest(str(name), known))
        for name in names
        if name not in known
    ]
    chosen = [
        learner
        for task in tasks
        for name, learner in task.learners.items()
        if name in names or "auto" in names
    ]
    spaces = {option for learner in chosen for option in learner.space}
    for option in _mapping(model.get("options")):
        if chosen and option not in spaces:
            found = say("no such option", "没有此选项")
            near = nearest(str(option), spaces)
            where = f"model.options.{option}"
            mistakes.append(places.mistake(where, found, one_of(sorted(spaces)), near))
    usual = {name for task in tasks for name in task.auto} if "auto" in names else set()
    trained = [learner for name, learner in learners.items() if name in usual or name in names]
    return mistakes + wrong_values(_mapping(model.get("options")), trained, places)


def _costs(
    tasks: Sequence[Task], gate: Mapping[str, Any], costs: object, places: Places
) -> list[Mistake]:
    """A bound on what answers cost says nothing where the project names no costs; and costs nothing
    where no answer is chosen by them.
    """
    name = "expected_cost"
    if name not in _metrics(tasks):
        if not costs:
            return []
        found = say("costs of wrong labels", "判错类别的成本")
        expected = say(
            f"none: {_of(tasks)} does not answer by what wrong labels cost",
            f"无：{_of(tasks)} 不按判错的成本作答",
        )
        return [places.mistake("costs", found, expected)]
    if isinstance(costs, Mapping) and any(str(known) in WRONG_ANSWERS for known in costs):
        return _two_costs(costs, places)
    if name not in gate or costs:
        return []
    found = say("a bound on costs that are not named", "为未写明的成本设置了门槛")
    expected = say(
        "lines such as costs: {false_approve: 5000, false_reject: 800}",
        "形如 costs: {false_approve: 5000, false_reject: 800} 的设置",
    )
    return [places.mistake(f"gate.{name}", found, expected)]


def _two_costs(costs: Mapping[str, Any], places: Places) -> list[Mistake]:
    """Where one of the two wrong answers is named, no other name is right; each has a number."""
    mistakes = []
    for name, cost in costs.items():
        where = f"costs.{name}"
        if str(name) not in WRONG_ANSWERS:
            found, near = say("no such name", "没有此名称"), nearest(str(name), WRONG_ANSWERS)
            mistakes.append(places.mistake(where, found, one_of(WRONG_ANSWERS), near))
        elif isinstance(cost, Mapping):
            given = say("costs of each answer", "按回答分列的成本")
            mistakes.append(places.mistake(where, given, say("a number", "数值")))
    return mistakes


def _metrics(tasks: Sequence[Task]) -> dict[str, Metric[Any]]:
    return {metric.name: metric for task in tasks for metric in task.metrics}


def _gate(tasks: Sequence[Task], gate: Mapping[str, Any], places: Places) -> list[Mistake]:
    metrics = _metrics(tasks)
    baselines = list(dict.fromkeys(name for task in tasks for name in task.baselines))
    mistakes = []
    for metric, rule in gate.items():
        where = f"gate.{metric}"
        if metric != BEATS and metric not in metrics:
            names = ", ".join(metrics)
            expected = say(f"a metric of {_of(tasks)}: ", f"{_of(tasks)} 的指标：") + names
            found = say("no such metric", "没有此指标")
            mistakes.append(places.mistake(where, found, expected, nearest(str(metric), metrics)))
        try:
            parsed = parse_rule(str(metric), rule)
        except ValueError as error:
            mistakes.append(places.mistake(where, *halves(str(error))))
            continue
        if metric in metrics:
            mistakes += _out_of_reach(metrics[metric], parsed, places)
        mistakes += [
            places.mistake(where, repr(name), one_of(baselines), nearest(name, baselines))
            for name in parsed.beats
            if name not in baselines
        ]
    return mistakes


def _out_of_reach(metric: Metric[Any], rule: GateRule, places: Places) -> list[Mistake]:
    """A bound that no value of the metric can keep."""
    lowest = float(getattr(metric, "lowest", -math.inf))
    highest = float(getattr(metric, "highest", math.inf))
    if rule.holds(highest if ">" in rule.operator else lowest):
        return []
    found = say(
        f"{rule.text!r}, which {metric.name} never reaches",
        f"{rule.text!r}，{metric.name} 无法达到",
    )
    expected = say(
        f"a bound from {lowest:g} to {highest:g}", f"{lowest:g} 到 {highest:g} 之间的界限"
    )
    share = rule.threshold / 100  # 85 where 85 % was meant
    near = f"{rule.operator} {share:g}" if highest == 1 and 0.1 <= share <= 1 else ""
    return [places.mistake(f"gate.{metric.name}", found, expected, near)]
