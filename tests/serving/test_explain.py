"""`"explain": true` in a request: the bundle's own reasons, in the caller's language."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from tiny_service import running

from luodi.bundle import open_predictor
from luodi.bundle.write import BundleFacts, write_bundle
from luodi.contracts import BusyError, FitSettings, Quiet, SplitSettings, say, use_language
from luodi.data.preparation import Preparation
from luodi.serving.explaining import Explaining
from luodi.tasks import find_task
from tests.tables import as_dataset, make_table


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A bundle of the linear learner on a table with a column of every kind."""
    place = tmp_path_factory.mktemp("explained")
    task = find_task("tabular-classification")
    data = as_dataset(make_table(), task.name)
    parts, schema = task.split(data, SplitSettings()), task.schema(data)
    learner = task.learners["linear"]
    settings = FitSettings(schema, task.metrics[0], place / "scratch")
    learner.fit(parts.train, parts.valid, settings, Quiet()).export(place / "exported")
    requests = task.requests(parts.valid, schema)[:8]
    predictor = learner.predictor.load(place / "exported", 1)
    write_bundle(
        place / "risk",
        exported=place / "exported",
        facts=BundleFacts("risk", task.name, "linear", learner.version, {}),
        schema=schema,
        golden=list(zip(requests, predictor.predict(requests), strict=True)),
        preparation=Preparation(),
    )
    return place


@pytest.fixture(scope="module")
def client(place):
    import httpx

    with running("./risk", cwd=place) as document, httpx.Client(base_url=document["url"]) as http:
        yield http


@pytest.fixture(scope="module")
def bundle(place):
    return open_predictor(place / "risk")


def asked(client, body, **headers):
    response = client.post("/predict/risk", json=body, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()["outputs"]


def test_reasons_are_the_bundles_own(client, bundle):
    value = bundle.schema.example()
    (answer,) = asked(client, {"inputs": [value], "explain": True})
    use_language("en")
    (reasons,) = bundle.explain([value])
    assert answer["reasons"] == [reason.to_json() for reason in reasons]
    assert "speaks" in answer["reasons"][0]["text"]
    (plain,) = asked(client, {"inputs": [value]})
    assert "reasons" not in plain
    assert {name: answer[name] for name in plain} == plain


def test_one_row_alone_can_ask(client, bundle):
    value = bundle.schema.example()
    first, second = asked(client, {"inputs": [value, {**value, "explain": True}]})
    assert "reasons" not in first
    assert second["reasons"]


def test_in_chinese(client, bundle):
    body = {"inputs": [bundle.schema.example()], "explain": True}
    (answer,) = asked(client, body, **{"Accept-Language": "zh-CN"})
    assert "支持" in answer["reasons"][0]["text"]


def test_by_the_open_inference_protocol(client, bundle):
    from luodi.serving.openapi import example_tensors

    body = {**example_tensors(bundle.schema), "parameters": {"explain": True}}
    response = client.post("/v2/models/risk/infer", json=body)
    assert response.status_code == 200, response.text
    outputs = {tensor["name"]: tensor for tensor in response.json()["outputs"]}
    reasons = json.loads(outputs["reasons"]["data"][0])
    assert reasons[0]["contribution"]


@pytest.mark.parametrize("wanted", ["yes", 1, None])
def test_explain_is_a_truth_value(client, bundle, wanted):
    value = bundle.schema.example()
    for body in (
        {"inputs": [value], "explain": wanted},
        {"inputs": [{**value, "explain": wanted}]},
    ):
        response = client.post("/predict/risk", json=body)
        assert response.status_code == 400
        assert "explain" in response.json()["error"]["field"]


def test_too_many_at_once(client, bundle):
    body = {"inputs": [bundle.schema.example()] * 65, "explain": True}
    response = client.post("/predict/risk", json=body)
    assert response.status_code == 400
    assert "65" in response.text


class Slow:
    """A bundle whose reasons take 50 ms a row."""

    def __init__(self):
        self.calls, self.running = 0, 0

    def reasons(self, requests):
        self.calls, self.running = self.calls + 1, self.running + 1
        assert self.running == 1, "two callers at once"
        time.sleep(0.05 * len(requests))
        self.running -= 1
        return [[say("for", "支持")] for _ in requests]


async def timed(explaining, rows=1, seconds=None):
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        await explaining.reasons([{}] * rows, started + seconds if seconds else None)
    except BusyError as error:
        return ("late" if error.late else "busy"), loop.time() - started
    return "told", loop.time() - started


def test_who_waits_for_reasons_waits_in_bounds():
    bundle = Slow()

    async def main():
        explaining = Explaining(bundle, waiting_seconds=0.5)
        assert (await timed(explaining))[0] == "told"
        crowd = await asyncio.gather(*(timed(explaining, rows=2) for _ in range(50)))
        kinds = [kind for kind, _ in crowd]
        assert set(kinds) == {"told", "busy"}
        assert 4 <= kinds.count("told") <= 12
        assert max(seconds for kind, seconds in crowd if kind == "busy") < 0.4
        assert (await timed(explaining))[0] == "told"  # and afterwards it goes on

    asyncio.run(main())


def test_a_deadline_holds_for_reasons_too():
    bundle = Slow()

    async def main():
        explaining = Explaining(bundle, waiting_seconds=None)
        kind, seconds = await timed(explaining, rows=16, seconds=0.1)  # not known to be too many
        assert (kind, seconds < 0.6) == ("late", True)
        assert (await timed(explaining, rows=1))[0] == "told"
        calls = bundle.calls
        assert (await timed(explaining, rows=16, seconds=0.1))[0] == "late"
        assert bundle.calls == calls  # it is known by now: nothing is done for it

    asyncio.run(main())


def test_each_caller_gets_its_own_language():
    async def main():
        explaining = Explaining(Slow(), None)

        async def asked(language):
            use_language(language)
            return (await explaining.reasons([{}]))[0][0]

        tasks = [asyncio.create_task(asked(language)) for language in ("en", "zh", "en")]
        assert await asyncio.gather(*tasks) == ["for", "支持", "for"]

    asyncio.run(main())
