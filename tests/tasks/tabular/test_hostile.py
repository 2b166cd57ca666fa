"""Whatever a caller sends, it is refused in words or answered with numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luodi.contracts import FitSettings, Quiet, RequestError, SplitSettings
from luodi.tasks import find_task
from tests.tables import as_dataset, make_table

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30),
    st.dates().map(str), st.lists(st.integers(), max_size=2),
)  # fmt: skip
CASES = [
    (task, learner)
    for task in ("tabular-classification", "tabular-regression")
    for learner in ("linear", "boosting")
] + [("tabular-classification", "mlp"), ("tabular-regression", "transformer")]
QUICK = {"mlp": {"epochs": 1, "members": 2}, "transformer": {"epochs": 1, "width": 32}}


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def fitted(request, tmp_path_factory):
    name, learner_name = request.param
    folder, task = tmp_path_factory.mktemp("fitted"), find_task(name)
    data = as_dataset(make_table(300), name)
    parts, schema = task.split(data, SplitSettings()), task.schema(data)
    learner = task.learners[learner_name]
    told = FitSettings(schema, task.metrics[0], folder, options=QUICK.get(learner_name, {}))
    learner.fit(parts.train, parts.valid, told, Quiet()).export(folder / "export")
    return schema, learner.predictor.load(folder / "export", 1)


OF_A_KIND = {
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "category": st.text(max_size=20),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "text": st.text(max_size=60),
}
QUIETLY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@QUIETLY
@given(st.data())
def test_values_of_the_right_kind_are_answered(fitted, data):
    schema, predictor = fitted
    values = {field.name: data.draw(OF_A_KIND[field.kind], field.name) for field in schema.request}
    try:
        read = schema.read(values)
    except RequestError as error:  # a year that no calendar of ours has, a lone surrogate
        field = error.field
        assert field in values  # most draws are answered; this one says why not
        return
    (answer,) = predictor.predict([read])
    numbers = answer.get("probabilities", {"value": answer.get("value")}).values()
    assert all(math.isfinite(number) for number in numbers)
    for reason in predictor.explain([read])[0]:
        assert math.isfinite(reason.contribution)


@QUIETLY
@given(st.data())
def test_any_value_is_refused_by_name_or_read(fitted, data):
    schema, _ = fitted
    name = data.draw(st.sampled_from([field.name for field in schema.request]))
    value = data.draw(ANYTHING)
    try:
        read = schema.read({**schema.example(), name: value})
    except RequestError as error:
        assert error.field == name  # noqa: PT017  # either way is right
        return
    assert set(read) == {field.name for field in schema.request}


def test_a_row_of_nothing_is_answered_where_nothing_is_required(fitted):
    schema, predictor = fitted
    nothing = {field.name: None for field in schema.request}
    (answer,) = predictor.predict([nothing])
    assert answer
