"""Who may wait: crowds are answered, standing queues are not; what is refused costs nothing."""

import asyncio
import threading
import time

import pytest
from tiny_bundle import make_bundle

from luodi.contracts import BusyError, Field, Schema
from luodi.project.schema import ServeSettings as ProjectServe
from luodi.registry import Registry
from luodi.serving.admission import Admission
from luodi.serving.batcher import Batcher
from luodi.serving.building import Offers, build
from luodi.serving.http import app
from luodi.serving.router import Offer
from luodi.serving.settings import Limits, ServeSettings

ROW = 0.005
"""Seconds that a row takes; the predictors here sleep, so that a busy machine tells the same."""


class Slow:
    """Takes `ROW` a row, and `call` a call."""

    def __init__(self, call=0.0):
        self.call, self.rows, self.lock = call, 0, threading.Lock()

    def cost(self, request):
        return 1

    def predict(self, requests):
        with self.lock:
            self.rows += len(requests)
        time.sleep(self.call + ROW * len(requests))
        return [{"n": request["n"]} for request in requests]


class Constant(Slow):
    """A call takes the same however many rows there are: a lone one tells a poor pace."""

    def predict(self, requests):
        time.sleep(0.01)
        return [{"n": request["n"]} for request in requests]


async def timed(batcher, seconds=None, **more):
    """Seconds to an answer; None when it was refused."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    deadline = started + seconds if seconds else None
    try:
        await batcher.answer([{"n": 1}], deadline, **more)
    except BusyError:
        return None
    return loop.time() - started


async def closed_loop(batcher, callers, seconds):
    """Latencies of callers that ask again once they were answered; None for refusals."""
    loop = asyncio.get_running_loop()
    end, found = loop.time() + seconds, []

    async def caller():
        while loop.time() < end:
            found.append(await timed(batcher))
            if found[-1] is None:
                await asyncio.sleep(0.05)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return found


async def open_loop(batcher, rate, seconds, deadline=1.0):
    """Latencies of requests that come whatever happens to the others; None for refusals."""
    loop = asyncio.get_running_loop()
    started, tasks = loop.time(), []
    while (now := loop.time() - started) < seconds:
        while len(tasks) < rate * now:
            tasks.append(loop.create_task(timed(batcher, deadline)))
        await asyncio.sleep(0.002)
    return await asyncio.gather(*tasks)


def run(main):
    async def whole():
        batcher = Batcher(Slow(), Limits(), 1)
        try:
            return await main(batcher)
        finally:
            batcher.close()

    return asyncio.run(whole())


def percentile(found, share):
    ordered = sorted(found)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@pytest.mark.alone
def test_ten_times_the_load_leaves_the_rate_and_the_waits_as_they_were():
    async def main(batcher):
        usual = await closed_loop(batcher, 8, 1.0)
        crowd = await open_loop(batcher, 10 * len(usual), 2.0)
        after = await closed_loop(batcher, 2, 0.5)
        return len(usual), crowd, after

    usual, crowd, after = run(main)
    answered = [each for each in crowd if each is not None]
    # Quiet: all of the rate, 0.1 s, 0.06 s; without a bound 0.6 of it, 1 s, 0.9 s.
    assert len(answered) / 2.0 > 0.7 * usual
    assert percentile(answered, 0.99) < 0.5
    assert percentile(answered, 0.5) < 0.2
    assert None not in after[2:]  # it is over as soon as it is over
    assert percentile(after, 0.5) < 0.2


@pytest.mark.alone
def test_callers_that_wait_for_their_answers_are_never_refused():
    """Forty of them wait 0.2 s each: slow, and no more than there are."""
    found = run(lambda batcher: closed_loop(batcher, 40, 1.5))
    assert None not in found


@pytest.mark.alone
def test_a_crowd_that_comes_at_once_is_let_in_however_slow_lone_ones_were():
    async def main():
        batcher = Batcher(Constant(), Limits(), 1)
        for _ in range(20):
            await timed(batcher)
        assert batcher.admission.pace < 110  # at that pace the crowd would wait four seconds
        found = await asyncio.gather(*(timed(batcher) for _ in range(400)))
        batcher.close()
        return found

    found = asyncio.run(main())
    assert None not in found
    assert max(found) < 2.0


@pytest.mark.alone
def test_urgent_ones_are_answered_when_others_are_not():
    """Calls are long beside what a machine's own pauses take, which would count as waits."""

    async def main():
        batcher = Batcher(Slow(0.2), Limits(batch=8), 1)
        load = asyncio.create_task(open_loop(batcher, 400, 3.0))
        await asyncio.sleep(1.2)
        found = [await timed(batcher, priority=1) for _ in range(5)]
        told = await load
        batcher.close()
        return found, told

    urgent, load = asyncio.run(main())
    assert None not in urgent
    assert max(urgent) < 1.0  # the call that is being computed, and its own: about half a second
    assert sum(each is None for each in load) > len(load) / 2


def test_urgent_ones_are_let_in_when_others_are_not():
    """The same as it is decided, by a clock that no machine holds up: a hundred rows a second are
    answered, a thousand others come, and an urgent one each tenth of a second."""
    admission, held, urgent, others = Admission(Limits(), 1), [], [], []

    def comes(priority, now):
        try:
            admission.admit(1, None, priority, now)
        except BusyError:
            return False
        held.append((now, priority, admission.holding(1, 1, priority)))
        held[-1][-1].__enter__()
        return True

    for _ in range(50):
        admission.saw(1, 0.01)
    for step in range(3000):
        now = 5 + step / 1000
        others.append(comes(0, now))
        if step % 100 == 50:
            urgent.append(comes(1, now))
        if step % 10 == 9:  # the urgent ones first, then those who came first
            first = min(held, key=lambda each: (-each[1], each[0]))
            admission.delay = now - first[0]
            assert not first[1] or not admission.overdue(first[0], now)
            held.remove(first)
            first[-1].__exit__(None, None, None)
    assert all(urgent)
    assert sum(others[1000:]) < len(others[1000:]) / 2
    for each in held:
        each[-1].__exit__(None, None, None)


def test_a_job_that_was_begun_is_finished_under_any_load():
    async def main(batcher):
        loop = asyncio.get_running_loop()
        large = loop.create_task(batcher.answer([{"n": n} for n in range(100)]))
        await asyncio.sleep(0.05)
        await open_loop(batcher, 1500, 1.0)
        return [answer["n"] for answer in await large]

    assert run(main) == list(range(100))


@pytest.mark.alone
def test_the_bound_follows_the_share_of_refusals():
    admission = Admission(Limits(), 1)
    assert admission.bound(0.0) == pytest.approx(1.0)
    admission.saw(10, 0.1)
    for moment in range(100):
        admission.turned_away(moment / 100, before=True)
    assert admission.bound(1.0) == pytest.approx(0.1)
    assert admission.overdue(since=0.8, now=1.0)
    assert not admission.overdue(since=0.9, now=1.0)
    assert admission.bound(10.0) == pytest.approx(1.0, rel=1e-4)  # forgotten
    assert not admission.overdue(since=9.0, now=10.0)


def test_a_lull_in_the_refusals_does_not_bring_the_whole_wait_back():
    admission = Admission(Limits(), 1)
    admission.saw(10, 0.1)
    for moment in range(100):
        admission.turned_away(moment / 100, before=True)
        assert admission.bound(moment / 100) <= 1.0
    assert admission.bound(1.0) == pytest.approx(0.1)
    admission._asked, admission._refused = 92.0, 15.0  # a seventh: three quarters of a crowd's
    assert 0.1 < admission.bound(1.0) < 0.2


def test_the_lowest_bound_is_that_of_full_calls():
    for pace, least in ((100, 0.1), (1000, 0.064), (100_000, 0.02)):
        admission = Admission(Limits(batch=32), 1)
        admission.saw(1, 1 / pace)
        for moment in range(100):
            admission.turned_away(moment / 100, before=True)
        assert admission.bound(1.0) == pytest.approx(least)


def waits(rates, steps=100):
    """The bound after each hundredth of a second; a hundred rows a second are answered, and as many
    come as `rates` says of the moment."""
    admission, held, bounds = Admission(Limits(), 1), [], []
    for _ in range(50):
        admission.saw(1, 0.01)
    owed = done = 0.0
    for step in range(steps):
        now, owed, done = 5 + step / 100, owed + rates(step) / 100, min(done + 1, len(held) + 1)
        while owed >= 1:
            owed -= 1
            if not admission.full(now):
                admission.admit(1, None, 0, now)
                held.append(admission.holding(1, 1, 0))
                held[-1].__enter__()
        while held and done >= 1:
            done -= 1
            held.pop(0).__exit__(None, None, None)
        bounds.append(admission.bound(now))
    return bounds


def test_a_queue_that_only_grows_is_told_before_anybody_waited_a_second():
    bounds = waits(lambda step: 170)
    assert min(bounds[:55]) == pytest.approx(1.0)
    assert max(bounds[85:]) < 0.17
    for then in (90, 100):  # it does not any more
        assert waits(lambda step, then=then: 170 if step < 90 else then, 180)[-1] == pytest.approx(
            1.0
        )
    assert waits(lambda step: 170 if step < 90 or step > 140 else 0, 150)[-1] == pytest.approx(1.0)


def test_growth_is_told_though_it_pauses():
    """More than can be answered comes unevenly: a fifth of a second may bring too little."""
    bounds = waits(lambda step: 300 if step % 40 < 20 else 60, 160)
    assert min(bounds[:55]) == pytest.approx(1.0)
    assert max(bounds[130:]) < 0.17


@pytest.mark.parametrize("first", range(0, 20, 3))
def test_a_crowd_that_takes_a_third_of_a_second_to_come_is_let_be(first):
    """Sixty callers, whenever the first of them comes between two looks."""
    came = range(first, first + 33)
    assert min(waits(lambda step: 282 if step in came else 100, 200)) == pytest.approx(1.0)


def test_a_queue_that_grows_as_it_may_by_chance_is_let_be():
    """A dozen more in a second and a half, of a hundred and sixty that came."""
    assert min(waits(lambda step: 108, 150)) == pytest.approx(1.0)
    assert min(waits(lambda step: 150, 150)) < 0.2


def test_callers_that_are_answered_together_are_not_more_when_they_are_back():
    """Sixty callers: ever fewer of them are away when the queue is looked at."""
    admission, held, away = Admission(Limits(), 1), [], 0
    for _ in range(50):
        admission.saw(1, 0.01)
    for step in range(150):
        while len(held) + away < 60:
            held.append(admission.holding(1, 1, 0))
            held[-1].__enter__()
        away = max(0, 50 - step // 3) if step % 5 == 0 else 0
        while len(held) + away > 60:
            held.pop().__exit__(None, None, None)
        admission.full(5 + step / 100)
        assert admission.bound(5 + step / 100) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "rates",
    [
        lambda step: 6000 if step == 0 else 100,  # sixty at once, each asks again once answered
        lambda step: 300 if step < 30 else 100,  # the same, within a third of a second
        lambda step: 105,
        lambda step: 300 if step % 50 < 15 else 10,  # bursts
    ],
)
def test_a_queue_that_stands_or_comes_and_goes_is_let_be(rates):
    assert min(waits(rates, 300)) == pytest.approx(1.0)


def test_a_crowd_whose_texts_grow_longer_is_let_be():
    """Sixty callers, each asks again once it was answered: what they ask costs more and more."""
    admission, held = Admission(Limits(), 2), []
    for _ in range(50):
        admission.saw(138, 0.01)
    for step in range(300):
        while len(held) < 60:
            held.append(admission.holding(1, 50 + step, 0))
            held[-1].__enter__()
        admission.full(5 + step / 100)
        assert admission.bound(5 + step / 100) == pytest.approx(1.0)
        held.pop(0).__exit__(None, None, None)


def test_a_slow_model_is_waited_for_longer_unless_the_project_says_otherwise():
    slow, told = Admission(Limits(), 1), Admission(Limits(waiting_seconds=2.0), 1)
    for admission in (slow, told):
        for _ in range(100):
            admission.saw(10, 0.3)
    assert slow.bound(0.0) == pytest.approx(2.4, rel=0.01)
    assert told.bound(0.0) == pytest.approx(2.0)


def test_what_the_project_says_of_waits_travels_with_the_bundle(tmp_path):
    said = ProjectServe.model_validate({"max_wait": "300ms"}).travelling()
    assert said == {"max_batch": 32, "max_wait": 0.3}
    make_bundle(tmp_path / "tiny", serving=said)
    registry = Registry(tmp_path / "home")
    found = build(Offers([Offer(registry.find(str(tmp_path / "tiny")))], registry), ServeSettings())
    (held,) = found.router.all()
    assert held.served.batcher.admission.bound(0.0) == pytest.approx(0.3)
    found.router.fleet.close()
    found.logs.close()


def test_an_answer_has_a_size_that_it_may_be(place, tmp_path):
    labels = tuple(f"label {number}" for number in range(2_000))
    wide = Schema((Field("text", "text"),), (Field("of", "scores", categories=labels),))
    assert Limits().rows(wide) == pytest.approx(1_000, rel=0.05)
    assert Limits().rows(Schema((), (Field("value", "number"),))) == 10_000
    registry = Registry(tmp_path / "home")
    offers = Offers([Offer(registry.find(str(place / "tiny")))], registry)
    found = build(offers, ServeSettings(limits=Limits(answer=400)))
    most = found.limits.rows(found.router.defaults()[0].schema)
    assert 1 < most < 10
    row, tensor = b'"great"', TENSOR.replace(b"[1]", b"[%d]")

    async def main():
        asked = []
        for rows in (most, most + 1):
            many = b",".join([row] * rows)
            plain = b'{"inputs": [' + many + b"]}"
            asked.append((await called(found, "/predict/tiny", body=plain))[0])
            v2 = tensor.replace(b'["great"]', b"[" + many + b"]") % rows
            asked.append((await called(found, "/v2/models/tiny/infer", body=v2))[0])
        return asked

    assert asyncio.run(main()) == [200, 200, 400, 400]
    found.router.fleet.close()
    found.logs.close()


@pytest.fixture
def service(place, tmp_path):
    registry = Registry(tmp_path / "home")
    found = build(Offers([Offer(registry.find(str(place / "tiny")))], registry), ServeSettings())
    yield found
    found.router.fleet.close()
    found.logs.close()


async def called(service, path, headers=(), body=b'{"inputs": ["great"]}', ends=None):
    """Status, headers and body of one request, and whether its body was read.

    `ends` is awaited between the body and its end.
    """
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [(b"content-type", b"application/json"), *headers],
        "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 2),
    }  # fmt: skip
    read, sent = [], []

    async def receive():
        read.append(True)
        if ends is not None:
            if len(read) == 1:
                return {"type": "http.request", "body": body, "more_body": True}
            await ends.wait()
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    await app(service)(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"], bool(read)


TENSOR = b'{"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["great"]}]}'


def test_all_bodies_together_are_bounded(place, tmp_path):
    registry = Registry(tmp_path / "home")
    offers = Offers([Offer(registry.find(str(place / "tiny")))], registry)
    found = build(offers, ServeSettings(limits=Limits(bodies=60_000)))
    large, larger = (b'{"inputs": ["' + b"great " * n + b'"]}' for n in (7_000, 12_000))

    async def main():
        ends = asyncio.Event()
        slow = asyncio.create_task(called(found, "/predict/tiny", body=large, ends=ends))
        await asyncio.sleep(0.05)
        refused = await called(found, "/predict/tiny", body=large)
        answered = [await called(found, "/predict/tiny")]  # a small one finds its way
        ends.set()
        # Alone one may be larger than all together: nobody else is harmed by it.
        answered += [await slow, await called(found, "/predict/tiny", body=larger)]
        return refused, [each[0] for each in answered]

    (status, headers, _, _), answered = asyncio.run(main())
    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert answered == [200, 200, 200]
    assert found.bodies.held == 0
    found.router.fleet.close()
    found.logs.close()


def test_a_small_body_that_asks_for_many_fields_holds_nobody_up(place, tmp_path):
    wide = Schema(
        tuple(Field(f"f{number}", "number", required=False) for number in range(100)),
        (Field("label", "category", categories=("bad", "good")),),
    )
    make_bundle(tmp_path / "wide", name="wide", schema=wide)
    registry = Registry(tmp_path / "home")
    found = build(Offers([Offer(registry.find(str(tmp_path / "wide")))], registry), ServeSettings())

    async def main():
        (served,) = [held.served for held in found.router.all()]
        read, threads = served.read, set()
        served.read = lambda *of: (threads.add(threading.get_ident()), read(*of))[1]
        column = TENSOR.replace(b'"text"', b'"f1"').replace(b"BYTES", b"FP64")
        ones = b",".join([b"1"] * 9_000)
        column = column.replace(b"[1]", b"[9000]").replace(b'"great"', ones)
        empty = b'{"inputs": [' + b",".join([b"{}"] * 9_000) + b"]}"
        for path, body in (("/predict/wide", empty), ("/v2/models/wide/infer", column)):
            assert len(body) < 32_768
            await called(found, path, body=body)
        return threads

    threads = asyncio.run(main())
    assert threads
    assert threading.get_ident() not in threads
    found.router.fleet.close()
    found.logs.close()


def test_what_would_be_refused_is_not_even_read(service):
    async def main():
        batcher = service.desk.answering("tiny").batcher
        assert (await called(service, "/predict/tiny"))[0] == 200
        admission = batcher.admission
        with admission.holding(1, int(admission.pace * 10), 0):  # one turn of it counts
            admission._turns[0] = admission.pace * 100
            admission.delay = 1.0
            refused = await called(service, "/predict/tiny", [(b"accept-language", b"zh")])
            tensor = await called(service, "/v2/models/tiny/infer", body=TENSOR)
            pinned = await called(service, f"/v2/models/tiny/versions/{version}/infer", body=TENSOR)
            urgent = await called(service, "/predict/tiny", [(b"x-priority", b"3")])
            wrong = await called(service, "/predict/tiny", [(b"x-priority", b"high")])
        return refused, tensor, pinned, urgent, wrong

    version = service.router.all()[0].model.version
    (status, headers, body, read), tensor, pinned, urgent, wrong = asyncio.run(main())
    assert (status, read) == (503, False)
    assert int(headers[b"retry-after"]) >= 1
    assert "重试" in body.decode()
    assert (tensor[0], tensor[3]) == (503, False)
    assert (pinned[0], pinned[3]) == (503, True)  # by its own queue, once it is known which
    assert urgent[0] == 200
    assert wrong[0] == 400
    text = service.metrics.text().decode()
    assert 'luodi_errors_total{kind="overload",model="tiny"' in text
    assert 'route="/predict/{name}",status="503"' in text


def test_a_model_that_has_to_be_loaded_is_not_waited_for_past_the_deadline(service):
    fleet = service.router.fleet
    (held,) = fleet
    load, loads = fleet._load, []

    def slow(model):
        loads.append(model)
        time.sleep(1.0)
        return load(model)

    fleet._close(held)  # as one that had to leave the memory
    fleet._load = slow

    async def main():
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(BusyError) as told:
            async with fleet.lease(held, started + 0.1):
                pass
        assert told.value.late
        assert loop.time() - started < 0.8
        async with fleet.lease(held) as model:
            return model.version

    assert asyncio.run(main()) == held.model.version
    assert (len(loads), held.leases) == (1, 0)  # it was loaded to the end, for who comes next


def test_a_cache_that_may_know_the_answer_is_asked_first(service):
    held = service.router.all()[0]
    assert service.desk.answering("tiny") is held.served
    held.served.cache = object()
    assert service.desk.answering("tiny") is None
    assert service.desk.answering("nobody") is None
