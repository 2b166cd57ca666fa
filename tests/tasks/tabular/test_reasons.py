"""Contributions add up, whatever the scorer is; reasons read as sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from luodi.contracts import FitSettings, Quiet, SplitSettings, use_language
from luodi.tasks import find_task
from luodi.tasks.tabular.reasons import field_contributions, in_words, on_a_line, sampled
from tests.tables import as_dataset, make_table


class Product:
    """A number that needs both of its first fields at once; the third is idle."""

    def score(self, matrix):
        return matrix[:, 0] * matrix[:, 1] + 0 * matrix[:, 2]


def test_sampled_values_add_up_and_share_alike():
    background = np.zeros((4, 3))
    values, unit = sampled(Product(), np.arange(3), np.array([[2.0, 3.0, 9.0]]), background)
    assert unit == "value"
    assert values.shape == (1, 1, 3)
    assert values[0, 0].sum() == pytest.approx(6.0)
    # Forwards and backwards each once: two fields that need each other share exactly.
    assert values[0, 0].tolist() == pytest.approx([3.0, 3.0, 0.0])


def test_columns_of_one_field_go_together():
    background = np.zeros((1, 3))
    values, _ = sampled(Product(), np.array([0, 0, 1]), np.array([[2.0, 3.0, 9.0]]), background)
    assert values[0, 0].tolist() == pytest.approx([6.0, 0.0])


def test_two_labels_are_told_towards_the_second():
    odds, unit = on_a_line(np.array([[0.25, 0.75]]))
    assert unit == "log-odds"
    assert odds == pytest.approx(np.log([[3.0]]))


def test_several_labels_are_told_as_log_ratios_whatever_all_scores_are_raised_by():
    ratios, unit = on_a_line(np.array([[0.5, 0.25, 0.25]]))
    assert unit == "log-ratio"
    assert ratios.sum() == pytest.approx(0)
    assert ratios[0, 0] - ratios[0, 1] == pytest.approx(np.log(2))

    class Sums:
        unit = "log-odds"

        def contributions(self, matrix):
            each = np.zeros((len(matrix), 3, 3))
            each[:, 1, 0], each[:, :, 1] = matrix[:, 0], 7.0  # 7 for all labels tells nothing
            return each

        def score(self, matrix):
            raise NotImplementedError

    found, unit = field_contributions(
        Sums(), TwoNumbers(), np.array([[3.0, 0.0]]), np.zeros((1, 2))
    )
    assert unit == "log-ratio"
    assert found[0].tolist() == pytest.approx(np.array([[-1, 0], [2, 0], [-1, 0]]))


class TwoNumbers:
    codes = ("a", "b")
    field_of = np.arange(2)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("linear")
    task = find_task("tabular-classification")
    data = as_dataset(make_table(), task.name)
    parts, schema = task.split(data, SplitSettings()), task.schema(data)
    learner = task.learners["linear"]
    settings = FitSettings(schema, task.metrics[0], folder)
    learner.fit(parts.train, parts.valid, settings, Quiet()).export(folder / "export")
    return learner.predictor.load(folder / "export", 1), task.requests(parts.test, schema)


def test_reasons_name_what_moved_the_answer(predictor):
    model, requests = predictor
    cologne = {**requests[0], "city": "Köln"}
    reasons = model.explain([cologne], most=8)[0]
    of_city = next(reason for reason in reasons if reason.field == "city")
    assert of_city.contribution > 0.3
    assert of_city.value == "Köln"
    assert of_city.text.startswith("city = Köln speaks for bad (+")
    sizes = [abs(reason.contribution) for reason in reasons]
    assert sizes == sorted(sizes, reverse=True)


def test_reasons_in_chinese():
    use_language("zh")
    assert (
        in_words("年龄", 23.0, 0.5, "log-odds", "违约") == "年龄 = 23，支持 违约（+0.5 对数几率）。"
    )
    assert in_words("面积", None, -2.0, "value", "") == "面积 = （缺失），降低了预测值（-2）。"


def test_the_background_is_nobody(predictor):
    model, requests = predictor
    rows = {tuple(row) for row in model.matrix(requests)}
    assert len(model.background) == 32
    assert not any(tuple(row) in rows for row in model.background)
