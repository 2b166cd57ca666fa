"""The project file: every mistake at once, each with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.contracts import (
    LuodiError,
    ProjectError,
    UsageError,
    current_language,
    use_language,
)
from luodi.lifecycle.recipes import recipes
from luodi.project.catalogue import find_task
from luodi.project.file import load_project
from luodi.project.schema import parse_duration
from tests.reviews import PROJECT

WRONG = """\
name: shop-reviews
task: text-classification
data:
  source: reviews.csv
  columns: {txt: review, label: sentiment}
  clean: {duplicates: dropp}
  split: {valid: 0.5, test: 0.6}
model:
  lerner: linear
  budget: soon
gate:
  acuracy: ">= 0.85"
  macro_f1: "about 0.9"
"""


def load(tmp_path, text, *overrides):
    (tmp_path / "luodi.yaml").write_text(text, "utf-8")
    return load_project(tmp_path, overrides)


def test_a_right_file_is_read(tmp_path):
    project = load(tmp_path, PROJECT)
    assert project.name == "shop-reviews"
    assert project.model.learner == ("linear",)
    assert project.data.columns == {"text": ("review",), "label": ("sentiment",)}
    assert project.gate["accuracy"].threshold == 0.8
    assert project.gate["accuracy"].on == "low"
    assert project.root == tmp_path
    assert project.line("gate.accuracy") == 9


def test_every_mistake_is_told_at_once_with_its_line_and_the_nearest_name(tmp_path):
    with pytest.raises(ProjectError) as caught:
        load(tmp_path, WRONG)
    told = {mistake.where: mistake for mistake in caught.value.mistakes}
    assert told["data.columns.txt"].line == 5
    assert told["data.columns.txt"].nearest == "text"
    assert told["data.columns.text"].found == "missing"
    assert (told["data.clean.duplicates"].line, told["data.clean.duplicates"].nearest) == (
        6,
        "drop",
    )
    assert (told["data.split"].line, told["data.split"].found) == (7, "valid 0.5 and test 0.6")
    assert (told["model.lerner"].line, told["model.lerner"].nearest) == (9, "learner")
    assert told["model.budget"].line == 10
    assert (told["gate.acuracy"].line, told["gate.acuracy"].nearest) == (12, "accuracy")
    assert told["gate.macro_f1"].line == 13
    assert len(told) == 8
    assert caught.value.exit_code == 2


def test_the_design_pages_own_example_is_valid(tmp_path):
    project = load(
        tmp_path,
        """\
name: review-sentiment
task: text-classification
data:
  source: reviews.csv
  test: null
  columns: {text: review, label: label}
  clean: {duplicates: drop, conflicts: drop, personal_data: mask}
  split: {valid: 0.1, test: 0.2, seed: 7}
model:
  learner: transformer
  base: minilm-en
  budget: 10m
gate:
  accuracy: ">= 0.85"
  macro_f1: ">= 0.84"
serve: {max_batch: 32}
""",
    )
    assert project.model.budget == 600
    assert project.data.test is None
    assert project.data.clean.personal_data == "mask"


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("gate.accuracy=>= 0.9", lambda p: p.gate["accuracy"].threshold == 0.9),
        ('gate.accuracy=">= 0.9"', lambda p: p.gate["accuracy"].threshold == 0.9),
        ("model.budget=90", lambda p: p.model.budget == 90),
        ("data.limit=null", lambda p: p.data.limit is None),
        ("model.learner=[naive, linear]", lambda p: p.model.learner == ("naive", "linear")),
        ('gate.ece={threshold: "<= 0.1", on: value}', lambda p: p.gate["ece"].on == "value"),
        ("language=zh", lambda p: p.language == "zh"),
    ],
)
def test_set_overrides(tmp_path, override, read):
    assert read(load(tmp_path, PROJECT, override))


@pytest.mark.parametrize(
    ("override", "where", "option"),
    [
        ("gate.accuracy=high", "gate.accuracy", "--set gate.accuracy"),
        ("data.split.valid=1.5", "data.split.valid", "--set data.split.valid"),
        ("data.columns.label=[a, b]", "data.columns.label", "--set data.columns.label"),
        ("model={lerner: linear}", "model.lerner", "--set model"),
        ("data.split.tset=0.1", "data.split.tset", "--set data.split.tset"),
        ("task=text-clasification", "task", "--set task"),
    ],
)
def test_a_wrong_override_is_told_with_its_option_not_with_a_line(
    tmp_path, override, where, option
):
    with pytest.raises(ProjectError, match=rf"  {option}: ") as caught:
        load(tmp_path, PROJECT.replace("csv", "csv\n  split: {seed: 7}"), override)
    (mistake,) = caught.value.mistakes
    assert (mistake.where, mistake.line, mistake.option) == (where, None, option)


def test_what_is_wrong_together_is_told_with_its_line_and_with_the_option(tmp_path):
    with pytest.raises(ProjectError, match=r"line 5, --set data\.split\.valid: data\.split: "):
        load(tmp_path, PROJECT.replace("csv", "csv\n  split: {test: 0.6}"), "data.split.valid=0.5")


def test_an_override_that_sets_nothing_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError):
        load(tmp_path, PROJECT, "nonsense")


HIDING = """\
name: shop-reviews
task: {task}
data:
  source: reviews.csv
  columns: {{text: review, label: sentiment}}
  split:
    valid: 1.5
    tset: 0.6
  clean: {{similarity: 3, duplicats: drop}}
model:
  learner: linaer
gate:
  acuracy: ">= 0.9"
name: again
"""


@pytest.mark.parametrize(
    ("task", "near"), [("text-clasification", "text-classification"), ("riddles", ""), ("[a]", "")]
)
def test_no_mistake_hides_another(tmp_path, task, near):
    with pytest.raises(ProjectError) as caught:
        load(tmp_path, HIDING.format(task=task))
    told = {m.where: (m.line, m.nearest) for m in caught.value.mistakes}
    assert told == {
        "task": (2, near),
        "data.split.valid": (7, ""),
        "data.split.tset": (8, "test"),
        "data.clean.similarity": (9, ""),
        "data.clean.duplicats": (9, "duplicates"),
        "model.learner": (11, "linear"),
        "gate.acuracy": (13, "accuracy"),
        "name": (14, ""),
    }


@pytest.mark.parametrize(
    ("bound", "near"),
    [("accuracy: '>= 1.5'", ""), ("accuracy: '>= 85'", ">= 0.85"), ("ece: '< 0'", ""),
     ("accuracy: '> 1'", ""), ("log_loss: '<= -0.1'", "")],
)  # fmt: skip
def test_a_bound_that_nothing_reaches_is_a_mistake(tmp_path, bound, near):
    with pytest.raises(ProjectError, match="never reaches") as caught:
        load(tmp_path, PROJECT.replace('accuracy: ">= 0.8"', bound))
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.nearest) == (9, near)


@pytest.mark.parametrize("bound", ["accuracy: '>= 1'", "log_loss: '<= 7'", "mcc: '>= -1'"])
def test_a_bound_at_the_end_of_a_range_is_none(tmp_path, bound):
    assert load(tmp_path, PROJECT.replace('accuracy: ">= 0.8"', bound))


TABLE = """\
name: loans
task: {task}
data: {{source: loans.csv, columns: {{label: bad}}, monotone: {{income: decreasing}}}}
model: {{learner: {learner}}}
"""


def test_a_direction_is_asked_of_learners_that_keep_to_it(tmp_path):
    task = "tabular-classification"
    wrong = TABLE.format(task=task, learner="[boosting, mlp, linear, transformer]")
    with pytest.raises(ProjectError) as caught:
        load(tmp_path, wrong)
    for mistake, name in zip(caught.value.mistakes, ("mlp", "linear", "transformer"), strict=True):
        assert (mistake.where, mistake.line) == ("model.learner", 4)
        assert mistake.found == f"{name}, which does not keep to data.monotone"
        assert "(naive, scorecard, boosting, forest)" in mistake.expected
    project = load(tmp_path, TABLE.format(task=task, learner="auto"))
    names = [recipe.learner for recipe in recipes(project, find_task(task))]
    assert names == ["boosting"]
    with pytest.raises(ProjectError, match="no learner of text-classification keeps"):
        load(tmp_path, PROJECT.replace("csv", "csv\n  monotone: {review: increasing}"))


def test_labels_say_nothing_where_the_answer_is_a_number(tmp_path):
    text = "name: a\ntask: tabular-regression\ndata:\n  source: a.csv\n  columns: {label: y}\n"
    with pytest.raises(ProjectError, match=r"line 6: data\.labels: .* are numbers"):
        load(tmp_path, text + "  labels: [a, b]\n")


def test_a_limit_that_ends_a_life_is_a_bound(tmp_path):
    text = (
        "name: a\ntask: tabular-regression\ndata:\n  source: a.csv\n  columns: {label: left}\n"
        "  history: {group: m, time: t, columns: [x],\n"
        "    remaining: {column: left, until: {x: BOUND}}}\n"
    )
    project = load(tmp_path, text.replace("BOUND", '"<= 80%"'))
    assert project.data.history.remaining.until == {"x": "<= 80%"}
    with pytest.raises(ProjectError, match=r"line 6: data\.history: 'soon'; expected a bound"):
        load(tmp_path, text.replace("BOUND", "soon"))


def test_a_name_that_stands_twice_is_a_mistake(tmp_path):
    with pytest.raises(ProjectError, match="stands twice, first in line 1"):
        load(tmp_path, PROJECT + "name: again\n")


@pytest.mark.parametrize("text", ["", "- a list", "just text", "a: [1", "a: !!python/none x", "\t"])
def test_what_is_no_project_file_is_told(tmp_path, text):
    with pytest.raises(ProjectError):
        load(tmp_path, text)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "luodi.yaml").write_bytes("名称: 评论".encode("gb18030"))
    with pytest.raises(ProjectError, match="UTF-8"):
        load_project(tmp_path)


def test_no_file_names_the_way_to_make_one(tmp_path):
    with pytest.raises(UsageError, match="luodi new"):
        load_project(tmp_path)


def test_mistakes_are_told_in_chinese_too(tmp_path):
    use_language("zh")
    with pytest.raises(ProjectError, match="第 12 行") as caught:
        load(tmp_path, WRONG)
    assert "是否想写 accuracy" in str(caught.value)


@pytest.mark.parametrize("text", [WRONG, "a: [1\n"])
def test_the_language_of_a_file_is_that_of_its_mistakes(tmp_path, text):
    with pytest.raises(ProjectError, match=r"第 . 行"):
        load(tmp_path, "language: zh\n" + text)
    with pytest.raises(ProjectError, match=r"line \d+: "):
        load(tmp_path, "language: en\n" + text)
    use_language("zh")
    load(tmp_path, "language: en\n" + PROJECT)
    assert current_language() == "zh"  # a right file leaves the choice to the caller
    with pytest.raises(ProjectError, match="language: 'fr'；应为"):
        load(tmp_path, "language: fr\n" + PROJECT)


@given(st.text(max_size=200))
def test_no_text_ever_gives_anything_but_our_errors(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("project")
    (folder / "luodi.yaml").write_text(text, "utf-8", errors="ignore")
    with pytest.raises(LuodiError):
        load_project(folder)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), (45, 45), ("1.5h", 5400)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "10 minutes", "m", None, True, "-5m"])
def test_no_durations(text):
    with pytest.raises(ValueError, match="expected a time"):
        parse_duration(text)


def test_a_bound_on_costs_needs_costs(tmp_path):
    text = (
        "name: loans\ntask: tabular-classification\n"
        "data: {source: loans.csv, columns: {label: bad}}\n"
        'gate:\n  expected_cost: "<= 700"\n'
    )
    with pytest.raises(ProjectError) as caught:
        load(tmp_path, text)
    (mistake,) = caught.value.mistakes
    assert (mistake.where, mistake.line) == ("gate.expected_cost", 5)
    assert "false_approve" in mistake.expected
    project = load(tmp_path, text + "costs: {false_approve: 5000, false_reject: 800}\n")
    assert project.question.costs == {"false_negative": 5000, "false_positive": 800}


def test_costs_that_cannot_be_meant_are_told_with_their_line(tmp_path):
    text = "name: a\ntask: {}\ndata: {{source: r.csv, columns: {{label: y}}}}\ncosts:\n"
    typo = text.format("tabular-classification") + "  false_aprove: 5\n  false_reject: 1\n"
    with pytest.raises(ProjectError, match=r"line 5: costs\.false_aprove: .*mean false_approve"):
        load(tmp_path, typo)
    pair = text.format("tabular-classification") + "  false_approve: {good: 5}\n"
    with pytest.raises(ProjectError, match=r"line 5: costs\.false_approve: .*expected a number"):
        load(tmp_path, pair)
    for task in ("tabular-regression", "text-classification"):
        with pytest.raises(ProjectError, match=r"line 4: costs: .*by what wrong labels cost"):
            load(tmp_path, text.format(task) + "  false_approve: 5\n")
    several = text.format("tabular-classification") + "  0: 3\n  1: {0: 1, 2: 2}\n  2: 1\n"
    assert load(tmp_path, several).question.costs == {"0": 3, "1": {"0": 1, "2": 2}, "2": 1}


@pytest.mark.parametrize("task", ["text-classification", "tabular-classification"])
def test_the_label_is_not_learnt_from(tmp_path, task):
    role = "text" if task == "text-classification" else "feature"
    text = f"name: a\ntask: {task}\ndata:\n  source: r.csv\n  columns:\n"
    text += f"    label: 评论\n    {role}: 评论\n"
    with pytest.raises(ProjectError, match=rf"line 7: data\.columns\.{role}: '评论'.*the label"):
        load(tmp_path, text)
