import asyncio
import re

import httpx
import pytest
from tiny_bundle import make_bundle
from tiny_service import running

from luodi.serving.cache import AnswerCache


def asked(cache, *texts):
    """The answers, and what had to be asked for."""
    seen = []

    async def ask(requests):
        seen.extend(request["text"] for request in requests)
        return [{"label": request["text"].upper()} for request in requests]

    answers = asyncio.run(cache.answer([{"text": text} for text in texts], ask))
    return [answer["label"] for answer in answers], seen


def test_what_was_answered_is_not_asked_for_again():
    counts = []
    cache = AnswerCache(10, lambda hits, misses: counts.append((hits, misses)))
    assert asked(cache, "a", "b", "a") == (["A", "B", "A"], ["a", "b"])
    assert asked(cache, "b", "c") == (["B", "C"], ["c"])
    assert counts == [(0, 3), (1, 1)]


def test_the_ones_used_last_are_kept():
    cache = AnswerCache(2, lambda *_: None)
    asked(cache, "a", "b")
    asked(cache, "a", "c")
    assert len(cache) == 2
    assert asked(cache, "a", "b") == (["A", "B"], ["b"])


def test_more_rows_than_are_kept_are_all_answered():
    cache = AnswerCache(1, lambda *_: None)
    assert asked(cache, "a", "b", "c")[0] == ["A", "B", "C"]
    assert len(cache) == 1


def test_a_caller_that_changes_its_answer_changes_no_other():
    cache = AnswerCache(2, lambda *_: None)

    async def ask(requests):
        return [{"label": "x", "probabilities": {"x": 1.0}} for _ in requests]

    async def both():
        first = (await cache.answer([{"text": "a"}], ask))[0]
        first["probabilities"]["x"] = 0.0
        return (await cache.answer([{"text": "a"}], ask))[0]

    assert asyncio.run(both())["probabilities"] == {"x": 1.0}


def test_a_failure_is_not_kept():
    cache = AnswerCache(2, lambda *_: None)

    async def fail(requests):
        raise ValueError("once")

    with pytest.raises(ValueError, match="once"):
        asyncio.run(cache.answer([{"text": "a"}], fail))
    assert asked(cache, "a") == (["A"], ["a"])


@pytest.mark.parametrize("workers", [1, 2])
def test_the_service_keeps_answers_where_the_project_says_so(tmp_path, workers):
    make_bundle(tmp_path / "tiny", serving={"cache": 100})
    with (
        running("./tiny", "--workers", str(workers), cwd=tmp_path) as service,
        httpx.Client(base_url=service["url"], timeout=20) as client,
    ):
        for _ in range(5):  # one connection: one worker
            answer = client.post("/predict/tiny", json={"inputs": ["slow great", "great"]})
            assert [each["label"] for each in answer.json()["outputs"]] == ["good", "good"]
        text = client.get("/metrics").text
    assert re.search(r'^luodi_cache_lookups_total\{model="tiny",result="hit"\} 8.0', text, re.M)
    assert re.search(r'^luodi_cache_hit_rate\{model="tiny"\} 0.8$', text, re.M)
    assert re.search(r'^luodi_batch_rows_sum\{model="tiny"\} 2.0', text, re.M)
