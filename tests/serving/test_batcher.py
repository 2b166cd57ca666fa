import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.serving.batcher import Batcher
from luodi.serving.settings import Limits


class Echo:
    """Answers each request with its own number; `bad` fails; remembers its batches."""

    def __init__(self, seconds=0.0):
        self.batches, self.seconds, self.busy = [], seconds, threading.Lock()

    def predict(self, requests):
        assert self.busy.acquire(blocking=False), "two batches at once"
        try:
            self.batches.append([request["n"] for request in requests])
            time.sleep(self.seconds)
            if any(request["n"] == "bad" for request in requests):
                raise ValueError("bad")
            return [{"n": request["n"]} for request in requests]
        finally:
            self.busy.release()


def ask_all(jobs, limits, echo=None, cost=lambda request: 1):
    """Every job's answers, all asked at once: lists of numbers -> lists of numbers or errors."""
    echo = echo or Echo()

    async def main():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(echo.predict, cost, limits, executor)

            async def one(job):
                requests = [{"n": n} for n in job]
                answers = await batcher.answer(requests, batcher.costs(requests))
                return [answer["n"] for answer in answers]

            results = await asyncio.gather(*map(one, jobs), return_exceptions=True)
            assert batcher.waiting == 0
            return results

    return asyncio.run(main()), echo.batches


jobs = st.lists(st.lists(st.integers(0, 99), max_size=12), max_size=8)


@settings(max_examples=60, deadline=None)
@given(jobs, st.integers(1, 9), st.integers(1, 200))
def test_every_caller_gets_its_own_answers_in_order(asked, rows, cost):
    limits = Limits(batch=rows, batch_cost=cost)
    answers, batches = ask_all(asked, limits, cost=lambda request: request["n"])
    assert answers == asked
    for batch in batches:
        assert len(batch) <= rows
        assert len(batch) == 1 or sum(max(1, n) for n in batch) <= cost


def test_what_waits_is_answered_together():
    _, batches = ask_all([[n] for n in range(20)], Limits(batch=64), Echo(0.01))
    assert sum(map(len, batches)) == 20
    assert len(batches) <= 3


def test_a_large_job_does_not_hold_up_a_small_one():
    """Turns are taken: the small job is in the second batch, not after the hundredth."""
    _, batches = ask_all([list(range(100)), [1000]], Limits(batch=10))
    assert any(1000 in batch for batch in batches[:2])


def test_only_the_guilty_job_fails():
    answers, _ = ask_all([[1], ["bad"], [2, 3]], Limits(), Echo(0.005))
    assert answers[0] == [1]
    assert isinstance(answers[1], ValueError)
    assert answers[2] == [2, 3]


def test_too_few_answers_are_an_error_and_not_a_mix_up():
    class Short(Echo):
        def predict(self, requests):
            return []

    answers, _ = ask_all([[1]], Limits(), Short())
    assert isinstance(answers[0], RuntimeError)


def test_too_much_waiting_is_refused():
    answers, _ = ask_all([[1], [2], [3]], Limits(batch=1, waiting_cost=2), Echo(0.01))
    assert [type(answer) for answer in answers] == [list, list, asyncio.QueueFull]


def test_a_caller_that_goes_away_is_not_answered():
    async def main():
        echo = Echo(0.05)
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(echo.predict, lambda _: 1, Limits(batch=1), executor)
            first = asyncio.create_task(batcher.answer([{"n": 1}], [1]))
            gone = asyncio.create_task(batcher.answer([{"n": 2}], [1]))
            last = asyncio.create_task(batcher.answer([{"n": 3}], [1]))
            await asyncio.sleep(0.01)
            gone.cancel()
            assert await first == [{"n": 1}]
            assert await last == [{"n": 3}]
            with pytest.raises(asyncio.CancelledError):
                await gone
        assert batcher.waiting == 0
        return echo.batches

    assert asyncio.run(main()) == [[1], [3]]
