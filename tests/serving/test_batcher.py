import asyncio
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.contracts import BusyError
from luodi.serving.batcher import Batcher
from luodi.serving.settings import Limits


class Echo:
    """Answers each request with its own number; `bad` fails; remembers its batches."""

    def __init__(self, seconds=0.0, sessions=1):
        self.batches, self.seconds = [], seconds
        self.free, self.most, self.running = threading.Semaphore(sessions), 0, 0

    def cost(self, request):
        return 1

    def predict(self, requests):
        assert self.free.acquire(blocking=False), "more batches at once than sessions"
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            self.batches.append([request["n"] for request in requests])
            time.sleep(self.seconds)
            if any(request["n"] == "bad" for request in requests):
                raise ValueError("bad")
            return [{"n": request["n"]} for request in requests]
        finally:
            self.running -= 1
            self.free.release()


class Costly(Echo):
    """A request costs its number."""

    def cost(self, request):
        return request["n"]


class TwoSteps(Costly):
    """As a model of texts: what a request costs is known after a first step; rows are padded."""

    call_cost = 8

    def __init__(self, **more):
        super().__init__(**more)
        self.calls = []

    def prepare(self, requests):
        if any(request["n"] == "unreadable" for request in requests):
            raise ValueError("unreadable")
        return [(int(request["n"]), {"n": request["n"]}) for request in requests]

    def answer(self, prepared):
        self.calls.append([row["n"] for row in prepared])
        return self.predict(prepared)


def ask_all(jobs, limits=Limits(), echo=None, sessions=1):  # noqa: B008 - it is frozen
    """Every job's answers, all asked at once: lists of numbers -> lists of numbers or errors."""
    echo = echo or Echo()

    async def main():
        batcher = Batcher(echo, limits, sessions)

        async def one(job):
            answers = await batcher.answer([{"n": n} for n in job])
            return [answer["n"] for answer in answers]

        try:
            results = await asyncio.gather(*map(one, jobs), return_exceptions=True)
            assert batcher.waiting == 0
            assert batcher.admission.seconds() == pytest.approx(0)
            return results
        finally:
            batcher.close()

    return asyncio.run(main()), echo.batches


jobs = st.lists(st.lists(st.integers(0, 99), max_size=12), max_size=8)


@settings(max_examples=60, deadline=None)
@given(jobs, st.integers(1, 9), st.integers(1, 200), st.integers(1, 3), st.booleans())
def test_every_caller_gets_its_own_answers_in_order(asked, rows, cost, sessions, two_steps):
    limits = Limits(batch=rows, batch_cost=cost)
    echo = (TwoSteps if two_steps else Costly)(sessions=sessions)
    answers, batches = ask_all(asked, limits, echo, sessions)
    assert answers == asked
    assert sorted(n for batch in batches for n in batch) == sorted(n for job in asked for n in job)
    for batch in batches:
        assert len(batch) <= rows
        costs = [max(1, n) for n in batch]
        whole = len(costs) * max(costs) if two_steps else sum(costs)
        assert len(batch) == 1 or whole <= cost


def test_what_waits_is_answered_together():
    _, batches = ask_all([[n] for n in range(20)], Limits(batch=64), Echo(0.01))
    assert sum(map(len, batches)) == 20
    assert len(batches) <= 3


def test_free_sessions_share_what_waits():
    echo = Echo(0.05, sessions=2)
    _, batches = ask_all([list(range(10))], Limits(), echo, sessions=2)
    assert echo.most == 2
    assert sorted(map(len, batches)) == [5, 5]


def test_like_lengths_go_together():
    """Thirty-two short texts and four long ones: nothing is padded."""
    echo = TwoSteps(seconds=0.001)
    ask_all([[10 + n % 3 for n in range(32)] + [200, 201, 202, 203]], Limits(), echo)
    for call in echo.calls:
        assert max(call) - min(call) < 5, call


def test_a_large_job_does_not_hold_up_a_small_one():
    """Turns are taken: the small job is in the second batch, not after the hundredth."""
    _, batches = ask_all([list(range(100)), [1000]], Limits(batch=10))
    assert any(1000 in batch for batch in batches[:2])


def test_a_small_job_that_comes_later_is_next():
    async def main():
        echo = Echo(0.005)
        batcher = Batcher(echo, Limits(batch=4), 1)
        large = asyncio.create_task(batcher.answer([{"n": n} for n in range(200)]))
        await asyncio.sleep(0.05)
        before = len(echo.batches)
        await batcher.answer([{"n": "small"}])
        after = len(echo.batches)
        assert not large.done()
        await large
        batcher.close()
        return after - before

    assert asyncio.run(main()) <= 3


def test_a_large_job_does_not_hold_up_the_reading_of_a_small_one():
    """Texts become tokens in turns too: the small job is not behind two thousand rows."""

    class SlowReader(TwoSteps):
        def prepare(self, requests):
            time.sleep(0.0005 * len(requests))
            return super().prepare(requests)

    async def main():
        batcher = Batcher(SlowReader(), Limits(), 1)
        large = asyncio.create_task(batcher.answer([{"n": n} for n in range(1, 2001)]))
        await asyncio.sleep(0.05)
        started = time.perf_counter()
        await batcher.answer([{"n": 5}])
        taken = time.perf_counter() - started
        assert not large.done()
        assert [answer["n"] for answer in await large] == list(range(1, 2001))
        batcher.close()
        return taken

    assert asyncio.run(main()) < 0.5  # all of it takes a second to read


def test_a_crowd_that_never_ends_does_not_starve_a_large_job():
    """Small jobs keep the only session busy; the large one still moves on, and ends."""

    async def main():
        echo = Echo(0.002)
        batcher = Batcher(echo, Limits(batch=2), 1)
        large = asyncio.create_task(batcher.answer([{"n": n} for n in range(20)]))
        small: set[asyncio.Task] = set()
        for _ in range(400):
            while len(small) < 4:  # always more than a batch is waiting
                small.add(asyncio.create_task(batcher.answer([{"n": "small"}])))
            _, small = await asyncio.wait(small, return_when=asyncio.FIRST_COMPLETED)
            if large.done():
                break
        ended = large.done()
        await asyncio.gather(large, *small)
        batcher.close()
        return ended

    assert asyncio.run(main())


def test_urgent_ones_go_first():
    async def main():
        echo = Echo(0.02)
        batcher = Batcher(echo, Limits(batch=1), 1)
        first = asyncio.create_task(batcher.answer([{"n": 0}]))
        await asyncio.sleep(0.005)
        usual = [asyncio.create_task(batcher.answer([{"n": n}])) for n in (1, 2)]
        await asyncio.sleep(0)
        urgent = asyncio.create_task(batcher.answer([{"n": 9}], priority=1))
        await asyncio.gather(first, *usual, urgent)
        batcher.close()
        return echo.batches

    assert asyncio.run(main()) == [[0], [9], [1], [2]]


@pytest.mark.parametrize("kind", [Echo, TwoSteps])
def test_only_the_guilty_job_fails(kind):
    class Guilty(kind):
        def prepare(self, requests):
            return [(1, request) for request in requests]

    answers, _ = ask_all([[1], ["bad"], [2, 3]], Limits(), Guilty(seconds=0.005))
    assert answers[0] == [1]
    assert isinstance(answers[1], ValueError)
    assert answers[2] == [2, 3]


def test_only_the_one_that_cannot_be_read_fails():
    answers, _ = ask_all([[1], ["unreadable"], [2, 3]], Limits(), TwoSteps())
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
    assert [type(answer) for answer in answers] == [list, list, BusyError]
    assert answers[2].retry_after >= 1
    assert not answers[2].late


def test_a_deadline_that_passes_is_told_and_nothing_is_computed_for_it():
    async def main():
        echo = Echo(0.6)  # long beside what a busy machine's own pauses take
        batcher = Batcher(echo, Limits(batch=1), 1)
        loop = asyncio.get_running_loop()
        first = asyncio.create_task(batcher.answer([{"n": 1}]))
        await asyncio.sleep(0.01)
        started = loop.time()
        with pytest.raises(BusyError) as told:
            await batcher.answer([{"n": 2}], deadline=started + 0.03)
        assert told.value.late
        assert loop.time() - started < 0.4
        await first
        # The pace is known now: what cannot be in time is refused at once.
        second = asyncio.create_task(batcher.answer([{"n": 3}]))
        await asyncio.sleep(0.01)
        started = loop.time()
        with pytest.raises(BusyError):
            await batcher.answer([{"n": 4}], deadline=started + 0.5)
        assert loop.time() - started < 0.3
        assert await second == [{"n": 3}]
        assert await batcher.answer([{"n": 5}], deadline=loop.time() + 5) == [{"n": 5}]
        batcher.close()
        return echo.batches

    assert asyncio.run(main()) == [[1], [3], [5]]


def test_an_answer_in_the_moment_of_the_deadline_is_late_and_no_fault():
    import uvloop  # as the service runs: its timers go before what is ready

    async def main():
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 0.05
        late = lambda batch: time.sleep(max(0.0, deadline - loop.time() + 0.05))  # noqa: E731
        with pytest.raises(BusyError) as told:
            await Batcher(Echo(), Limits(), observe=late).answer([{"n": 1}], deadline)
        assert told.value.late

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_a_predictors_own_timeout_is_its_own_error():
    class Slow(Echo):
        def predict(self, requests):
            raise TimeoutError("its own")

    answers, _ = ask_all([[1]], Limits(), Slow())
    assert isinstance(answers[0], TimeoutError)


def test_a_caller_that_goes_away_is_not_answered():
    async def main():
        echo = Echo(0.05)
        batcher = Batcher(echo, Limits(batch=1), 1)
        first = asyncio.create_task(batcher.answer([{"n": 1}]))
        gone = asyncio.create_task(batcher.answer([{"n": 2}]))
        last = asyncio.create_task(batcher.answer([{"n": 3}]))
        await asyncio.sleep(0.01)
        gone.cancel()
        assert await first == [{"n": 1}]
        assert await last == [{"n": 3}]
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert batcher.waiting == 0
        batcher.close()
        return echo.batches

    assert asyncio.run(main()) == [[1], [3]]
