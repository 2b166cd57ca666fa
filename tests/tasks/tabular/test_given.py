"""Models on tables that were trained elsewhere answer here as they did there."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from luodi.contracts import (
    BaseModelError,
    FitSettings,
    QuestionSettings,
    Quiet,
    Role,
    SplitSettings,
    TrainingError,
)
from luodi.data.roles import assign_roles
from luodi.tasks import find_task
from luodi.testing import Trial, check_task

COLUMNS = ("age", "income", "city")
KINDS = {"age": "number", "income": "number", "city": "category"}


def rows(count: int = 600, seed: int = 0) -> pd.DataFrame:
    """A table that somebody trained on; `grade` has three labels, `due` is a number."""
    rng = np.random.default_rng(seed)
    age, income = rng.integers(18, 80, count), rng.gamma(2, 20, count).round(2)
    city = rng.choice(["beijing", "shanghai", "köln"], count)
    risk = 0.05 * (age - 45) - 0.02 * (income - 40) + (city == "köln") + rng.logistic(size=count)
    return pd.DataFrame(
        {
            "age": age, "income": income, "city": city,
            "paid": np.where(risk > 0, "late", "paid"),
            "grade": np.array(["a", "b", "c"])[np.digitize(risk, [-1, 1])],
            "due": np.exp(risk / 3).round(3),
        }
    )  # fmt: skip


def features(table: pd.DataFrame) -> pd.DataFrame:
    """As a LightGBM user has them: the city as a pandas category, in an order of its own."""
    city = pd.Categorical(table["city"], categories=["shanghai", "köln", "beijing"])
    return table[list(COLUMNS)].assign(city=city)


def parts_of(label: str, task: str, question: QuestionSettings | None = None):
    table = pl.DataFrame(rows(seed=1)[[*COLUMNS, label]].to_dict("list"))
    question = question or QuestionSettings(kinds=KINDS)
    data = assign_roles(table, {Role.LABEL: label}, find_task(task).roles, question)
    kind = find_task(task)
    return kind, kind.split(data, SplitSettings()), kind.schema(data)


def adopt(folder, path, label, task, question=None, **options):
    """The predictor of a model taken over, and requests beside their rows."""
    kind, parts, schema = parts_of(label, task, question)
    folder.mkdir(exist_ok=True)
    settings = FitSettings(schema, kind.metrics[0], folder, base=str(path), options=options)
    learner = kind.learners["given"]
    fitted = learner.fit(parts.train, parts.valid, settings, Quiet())
    fitted.export(folder / "export")
    predictor = learner.predictor.load(folder / "export", 1)
    table = pd.DataFrame(parts.test.table.to_dict(as_series=False))
    return predictor, kind.requests(parts.test, schema), table, schema


def chances(predictor, requests, labels) -> np.ndarray:
    told = [answer["probabilities"] for answer in predictor.predict(requests)]
    return np.array([[row[label] for label in labels] for row in told])


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """`paid` and `grade` by LightGBM; the booster and its file."""
    folder, table = tmp_path_factory.mktemp("trees"), rows()
    made = {}
    for label in ("paid", "grade"):
        model = lightgbm.LGBMClassifier(n_estimators=20, num_leaves=7, verbose=-1)
        model.fit(features(table), table[label])
        model.booster_.save_model(folder / f"{label}.txt")
        made[label] = (model, folder / f"{label}.txt")
    return made


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """`grade` by scikit-learn, as ONNX with the three columns as inputs of their own."""
    table = rows()
    columns = ColumnTransformer(
        [("n", StandardScaler(), ["age", "income"]),
         ("c", OneHotEncoder(handle_unknown="ignore"), ["city"])]
    )  # fmt: skip
    model = make_pipeline(columns, LogisticRegression()).fit(table[list(COLUMNS)], table["grade"])
    types = [
        ("age", Int64TensorType([None, 1])),
        ("income", FloatTensorType([None, 1])),
        ("city", StringTensorType([None, 1])),
    ]
    path = tmp_path_factory.mktemp("pipeline") / "pipeline.onnx"
    path.write_bytes(to_onnx(model, initial_types=types).SerializeToString())
    return model, path


@pytest.mark.parametrize(("label", "names"), [("paid", ["late", "paid"]), ("grade", list("abc"))])
def test_trees_answer_as_lightgbm_does(tmp_path, trees, label, names):
    model, path = trees[label]
    predictor, requests, table, schema = adopt(
        tmp_path, path, label, "tabular-classification", labels=names
    )
    found = chances(predictor, requests, model.classes_)
    np.testing.assert_allclose(found, model.predict_proba(features(table)), atol=1e-9)
    answer = predictor.predict(requests[:1])[0]
    assert tuple(answer["probabilities"]) == schema.answer_field("label").categories


def test_the_labels_order_is_the_makers(tmp_path, trees):
    """Named the other way round, every answer turns."""
    model, path = trees["paid"]
    predictor, requests, table, _ = adopt(
        tmp_path, path, "paid", "tabular-classification", labels=["paid", "late"]
    )
    turned = chances(predictor, requests, ["paid", "late"])
    np.testing.assert_allclose(turned, model.predict_proba(features(table)), atol=1e-9)


def test_a_category_never_seen_and_a_number_missing_are_lightgbms(tmp_path, trees):
    model, path = trees["paid"]
    predictor, _, _, _ = adopt(
        tmp_path, path, "paid", "tabular-classification", labels=["late", "paid"]
    )
    asked = [{"age": None, "income": 30.0, "city": "paris"}, {"age": 30, "income": None}]
    table = pd.DataFrame({"age": [np.nan, 30], "income": [30, np.nan], "city": [None, None]})
    expected = model.predict_proba(features(table))
    np.testing.assert_allclose(chances(predictor, asked, ["late", "paid"]), expected, atol=1e-9)


def test_reasons_add_up_to_the_answer(tmp_path, trees):
    _, path = trees["paid"]
    predictor, requests, _, _ = adopt(
        tmp_path, path, "paid", "tabular-classification", labels=["late", "paid"]
    )
    some = requests[:20]
    matrix = predictor.matrix(some)
    total = predictor.scorer.contributions(matrix).sum(axis=1)
    np.testing.assert_allclose(total, predictor.scorer.raw(matrix), atol=1e-9)
    assert {reason.field for reasons in predictor.explain(some) for reason in reasons} <= set(
        COLUMNS
    )


@pytest.mark.parametrize("objective", ["regression", "poisson", "tweedie", "quantile"])
def test_numbers_and_their_intervals(tmp_path, objective):
    table = rows()
    model = lightgbm.LGBMRegressor(n_estimators=20, objective=objective, verbose=-1)
    model.fit(features(table), table["due"]).booster_.save_model(tmp_path / "due.txt")
    question = QuestionSettings(kinds=KINDS, coverage=0.8)
    predictor, requests, held, _ = adopt(
        tmp_path, tmp_path / "due.txt", "due", "tabular-regression", question
    )
    answers = predictor.predict(requests)
    told = [answer["value"] for answer in answers]
    np.testing.assert_allclose(told, model.predict(features(held)), rtol=1e-9)
    inside = [a["low"] <= due <= a["high"] for a, due in zip(answers, held["due"], strict=True)]
    assert 0.65 < np.mean(inside) < 0.95


def test_a_pipeline_answers_as_scikit_learn_does(tmp_path, pipeline):
    model, path = pipeline
    predictor, requests, table, _ = adopt(tmp_path, path, "grade", "tabular-classification")
    expected = model.predict_proba(table[list(COLUMNS)])
    np.testing.assert_allclose(chances(predictor, requests, "abc"), expected, atol=1e-5)


def test_a_matrix_without_names_takes_columns_in_order(tmp_path):
    table = rows()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(table[["income", "age"]].to_numpy(np.float32), table["paid"])
    types = [("X", FloatTensorType([None, 2]))]
    path = tmp_path / "matrix.onnx"
    graph = to_onnx(model, initial_types=types, options={"zipmap": False})
    path.write_bytes(graph.SerializeToString())
    assert find_task("tabular-classification").learners["given"].look(path).labels == (
        "late", "paid",
    )  # fmt: skip
    with pytest.raises(TrainingError, match=r"reads 2 columns and 2 are named.*in its order"):
        adopt(tmp_path / "a", path, "paid", "tabular-classification")
    predictor, requests, held, _ = adopt(
        tmp_path / "b", path, "paid", "tabular-classification", columns=["income", "age"]
    )
    expected = model.predict_proba(held[["income", "age"]].to_numpy(np.float32))
    np.testing.assert_allclose(chances(predictor, requests, ["late", "paid"]), expected, atol=1e-5)


def test_a_regression_through_onnx(tmp_path):
    table = rows()
    model = LinearRegression().fit(table[["age", "income"]].to_numpy(np.float32), table["due"])
    path = tmp_path / "due.onnx"
    types = [("X", FloatTensorType([None, 2]))]
    path.write_bytes(to_onnx(model, initial_types=types).SerializeToString())
    predictor, requests, held, _ = adopt(
        tmp_path, path, "due", "tabular-regression", columns=["age", "income"]
    )
    told = [answer["value"] for answer in predictor.predict(requests)]
    expected = model.predict(held[["age", "income"]].to_numpy(np.float32))
    np.testing.assert_allclose(told, expected, rtol=1e-4)


def test_check_task_on_what_was_taken_over(tmp_path, trees, pipeline):
    for number, (path, label, labels) in enumerate(
        [(trees["paid"][1], "paid", ["late", "paid"]), (pipeline[1], "grade", None)]
    ):
        kind = find_task("tabular-classification")
        table = pl.DataFrame(rows(seed=1)[[*COLUMNS, label]].to_dict("list"))
        question = QuestionSettings(kinds=KINDS)
        data = assign_roles(table, {Role.LABEL: label}, kind.roles, question)
        trial = Trial(str(path), {"labels": labels} if labels else {})
        check_task(kind, data, tmp_path / str(number), ["given"], {"given": trial})


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _mangled(text: str) -> str:
    return text.replace("leaf_weight=", "leaf_weight=abc ", 1)


def _circle(text: str) -> str:
    """The first tree's root is its own child."""
    start = text.index("left_child=") + len("left_child=")
    return text[:start] + "0" + text[text.index(" ", start) :]


@pytest.mark.parametrize(
    ("spoil", "told"), [(_cut, "cut off"), (_mangled, "cannot read it"), (_circle, "left_child")]
)
def test_a_spoilt_text_ends_in_words_not_in_the_process(tmp_path, trees, spoil, told):
    path = tmp_path / "spoilt.txt"
    path.write_text(spoil(trees["paid"][1].read_text("utf-8")), "utf-8")
    with pytest.raises(BaseModelError, match=told):
        adopt(tmp_path, path, "paid", "tabular-classification", labels=["late", "paid"])


@pytest.mark.parametrize(
    ("label", "task", "labels", "told"),
    [
        ("paid", "tabular-classification", None, "2 outputs and 0 names"),
        ("paid", "tabular-classification", ["late"], "2 outputs and 1 names"),
        ("paid", "tabular-classification", ["late", "early"], "the label paid"),
        ("due", "tabular-regression", None, "answers with labels"),
    ],
)
def test_what_does_not_fit_the_question_is_told(tmp_path, trees, label, task, labels, told):
    with pytest.raises(TrainingError, match=told):
        adopt(tmp_path, trees["paid"][1], label, task, labels=labels)


def test_a_column_of_another_kind_is_told(tmp_path, trees):
    question = QuestionSettings(kinds={**KINDS, "age": "category"})
    with pytest.raises(TrainingError, match=r"column age as a number.*data\.kinds\.age: number"):
        adopt(tmp_path, trees["paid"][1], "paid", "tabular-classification", question,
              labels=["late", "paid"])  # fmt: skip


def test_scores_that_are_no_probabilities_are_refused(tmp_path):
    table = rows()
    model = LinearSVC().fit(table[["age", "income"]].to_numpy(np.float32), table["grade"])
    path = tmp_path / "svc.onnx"
    types = [("X", FloatTensorType([None, 2]))]
    path.write_bytes(to_onnx(model, initial_types=types).SerializeToString())
    with pytest.raises(TrainingError, match="no probabilities"):
        adopt(tmp_path, path, "grade", "tabular-classification", columns=["age", "income"])


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.pt"])
def test_a_pickle_is_not_opened(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(BaseModelError, match="may run code when it is opened"):
        find_task("tabular-classification").learners["given"].look(tmp_path / name)


def test_a_ranker_is_refused_by_its_objective(tmp_path):
    table = rows()
    model = lightgbm.LGBMRanker(n_estimators=3, verbose=-1)
    model.fit(features(table), np.digitize(table["due"], [0.8, 1.2]), group=[100] * 6)
    model.booster_.save_model(tmp_path / "rank.txt")
    with pytest.raises(BaseModelError, match="objective is lambdarank"):
        find_task("tabular-regression").learners["given"].look(tmp_path / "rank.txt")
