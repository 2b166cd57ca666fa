"""Values of `model.options` that no learner can use are told before anything is trained."""

from __future__ import annotations

import json
import math

import pytest

from luodi.contracts import Choice, Range
from luodi.project.catalogue import find_task, task_names
from luodi.project.options import expects

WHOLE, SHARE, RATE = Range(10, 2000, 300, whole=True), Range(0.0, 0.5, 0.1), Range(0.01, 0.3, 0.05)
FREE = Choice((None,), listed="numbers")
NAMES = Choice((None,), listed="names")
COUNT = Choice((None, 4, 8))
PASSES = Choice(("auto", 5, 10))
WORD = Choice(("mean", "last"))
RATES = Choice(("auto", 3e-5, 5e-5))
SWITCH = Choice((True, False))


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (WHOLE, [10, 5, 1, 100_000]),
        (SHARE, [0, 0.0, 0.5, 0.9, 1]),
        (RATE, [0.001, 1.0]),
        (FREE, [None, [1], [0.5, 3.0], [1e6]]),
        (NAMES, [None, ["a"], ["late", 3, True]]),
        (COUNT, [None, 4, 5]),
        (PASSES, ["auto", 5, 7]),
        (WORD, ["mean", "last"]),
        (RATES, ["auto", 3e-5, 0.001]),
        (SWITCH, [True, False]),
        (Range(-5.0, 5.0, 0.0), [-9.0, 0, 9.0]),
    ],
)
def test_what_can_be_used_is_let_through(place, values):
    assert [expects(place, value) for value in values] == [""] * len(values)


@pytest.mark.parametrize(
    ("place", "values", "expected"),
    [
        (WHOLE, [0, -3, 2.5, 10.0, "many", True, None, math.nan], "a whole number above 0"),
        (SHARE, [-0.1, 1.1, "x", math.inf], "a number of 0 or more and at most 1"),
        (RATE, [0, 99, None, [0.1]], "a number above 0 and at most 1"),
        (FREE, [3, [], [0], [-1], ["a"], [math.inf], "abc", [None]], "a list of numbers above 0"),
        (NAMES, ["a", [], [[1]], {"a": 1}], "a list of names"),
        (COUNT, ["abc", 0, 4.5, True], "a whole number above 0, or null"),
        (PASSES, ["once", None, 0], "a whole number above 0, or auto"),
        (WORD, ["foo", None, 3], "one of mean, last"),
        (RATES, ["fast", -1.0, 0], "a number above 0, or auto"),
        (SWITCH, ["yes", 1, 0], "one of True, False"),
    ],
)
def test_what_cannot_be_used_is_told_with_what_would_do(place, values, expected):
    assert [expects(place, value) for value in values] == [expected] * len(values)


@pytest.mark.parametrize("name", task_names())
def test_each_place_lets_through_its_own_values(name):
    for learner in find_task(name).learners.values():
        for option, place in learner.space.items():
            known = (
                place.values if isinstance(place, Choice)
                else (place.default, int(place.low) if place.whole else place.low, place.high)
            )  # fmt: skip
            assert [expects(place, value) for value in known] == [""] * len(known), option


PROJECT = """\
name: p
task: tabular-classification
data: {{source: t.csv, columns: {{label: y}}}}
model: {{learner: {learner}, options: {options}}}
"""


@pytest.mark.parametrize(
    ("learner", "options", "told"),
    [
        ("linear", "{strengths: abc}", ["model.options.strengths"]),
        ("forest", "{trees: -3}", ["model.options.trees"]),
        ("scorecard", "{pdo: 0, trend: up}", ["model.options.pdo", "model.options.trend"]),
        ("[boosting, forest]", "{leaves: abc}", ["model.options.leaves"]),
        ("auto", "{rounds: 1.5}", ["model.options.rounds"]),
    ],
)
def test_check_and_run_refuse_it_with_its_line(luodi, tmp_path, learner, options, told):
    (tmp_path / "luodi.yaml").write_text(PROJECT.format(learner=learner, options=options))
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)))
    for command in ("check", "run"):
        done = luodi(command, "--json", cwd=tmp_path)
        assert done.returncode == 2, done.stdout + done.stderr
        error = json.loads(done.stdout)["error"]
        assert [mistake["where"] for mistake in error["mistakes"]] == told
        assert all(mistake["line"] == 4 for mistake in error["mistakes"])


def test_powers_of_ten_are_numbers_however_they_are_written(luodi, tmp_path):
    options = "{learning_rate: 3e-4, weight_decay: 1E-3}"
    (tmp_path / "luodi.yaml").write_text(PROJECT.format(learner="mlp", options=options))
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i * 7 % 11},{i % 2}\n" for i in range(40)))
    done = luodi("check", "--json", "--set", "model.options.dropout=1e-1", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    quoted = luodi("check", "--json", "--set", "model.options.dropout='1e-1'", cwd=tmp_path)
    assert quoted.returncode == 2


def test_what_another_learner_alone_would_get_is_not_held_against_it(luodi, tmp_path):
    project = PROJECT.format(learner="boosting", options="{columns: 0.5}")  # names, for `given`
    (tmp_path / "luodi.yaml").write_text(project)
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i * 7 % 11},{i % 2}\n" for i in range(40)))
    done = luodi("check", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("model: {learner: []}", "model.learner"),
        ('model: {base: "a\\0b"}', "model.base"),
        ("serve: {rollback: {p99: .inf}}", "serve.rollback.p99"),
        ("data: {source: t.csv, columns: {label: y}, clean: {fill: .nan}}", "data.clean.fill"),
    ],
)
def test_what_nothing_can_be_made_of(luodi, tmp_path, line, where):
    project = PROJECT.format(learner="linear", options="{}").splitlines()
    kept = [given for given in project if given.partition(":")[0] != line.partition(":")[0]]
    (tmp_path / "luodi.yaml").write_text("\n".join([*kept, line]))
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i * 7 % 11},{i % 2}\n" for i in range(40)))
    done = luodi("check", "--json", cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    (mistake,) = json.loads(done.stdout)["error"]["mistakes"]
    assert (mistake["where"], mistake["line"]) == (where, len(kept) + 1)
