"""Callers who are slow, alone or in a crowd: each is let go in time, and others are served.

Each of these takes seconds of waiting. So all of them begin with the first test, each in a thread
of its own, and every test waits for its own; those that need no waiting come first.
"""

from __future__ import annotations

import contextlib
import resource
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tiny_service import running

from tests.serving.crowds import (
    SLOW,
    crowded,
    dribbling_body,
    dribbling_head,
    large_body,
    never_greeting,
    unread,
)
from tests.serving.hostile import connected, status
from tests.serving.soaking import allow_files, either_size, keep, resident
from tests.serving.stock.stock_service import stock

CROWD = {"short": 120, "long": 1_000}
CROWDS = {"short": 1, "long": 4}
DRIBBLERS = {"short": 10, "long": 200}
STOCK_SECONDS = {"short": 2.0, "long": 60.0}
"""How long stock uvicorn is given before those are counted whom it still keeps."""
UNREAD = SLOW + 20
"""Slow from when no answer leaves any more: a busy machine takes its time to fill a socket."""


def crowds(place, size):
    """What became of each crowd, and MiB before and after each."""
    with running("./tiny", cwd=place) as service:
        held, found = [resident(service["process"].pid)], []
        for _ in range(CROWDS[size]):
            found.append(crowded(service["url"], CROWD[size], SLOW + 5))
            held.append(resident(service["process"].pid))
        assert service["process"].poll() is None
    return found, held


def crowd_at_stock(size):
    """What becomes of a crowd at stock FastAPI under uvicorn, and MiB more."""
    with stock() as service:
        before = resident(service["process"].pid)
        found = crowded(service["url"], CROWD[size], STOCK_SECONDS[size])
        return found, resident(service["process"].pid) - before


def dribblers(place, size):
    """What each was told, and when; the seconds of others' requests meanwhile, and MiB more."""
    with running("./tiny", cwd=place) as service:
        url, pid, told, took = service["url"], service["process"].pid, [], []
        before = resident(pid)
        callers = [
            threading.Thread(target=lambda: told.append(dribbling_body(url)))
            for _ in range(DRIBBLERS[size])
        ]
        for caller in callers:
            caller.start()
        while any(caller.is_alive() for caller in callers):
            began = time.monotonic()
            assert httpx.post(f"{url}/predict/tiny", json={"inputs": ["great"]}).is_success
            took.append(time.monotonic() - began)
            time.sleep(0.2)
        return told, took, resident(pid) - before


def unread_alone(place):
    """The seconds until one is let go who reads nothing."""
    with running("./tiny", cwd=place) as service:
        return unread(service, UNREAD)


@pytest.fixture(scope="module")
def guarded(place, tmp_path_factory):
    """A service over TLS and gRPC, started where few files may be open, as is usual."""
    from tests.serving.test_access import certificate

    folder = tmp_path_factory.mktemp("tls")
    certificate(folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))
    tls = ("--tls-cert", folder / "cert.pem", "--tls-key", folder / "key.pem")
    try:
        with running("./tiny", *tls, "--grpc-port", 0, cwd=place) as service:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            yield service
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def begun(place, service, guarded):
    """The short form of all of them, which go on in threads."""
    allow_files(2 * CROWD["short"] + 800)
    url, ports = service["url"], [guarded[name].rpartition(":")[2] for name in ("url", "grpc")]
    acts = {
        "crowds": (crowds, place, "short"),
        "crowd at stock": (crowd_at_stock, "short"),
        "dribblers": (dribblers, place, "short"),
        "a head": (dribbling_head, url),
        "a large body": (large_body, url),
        "unread": (unread_alone, place),
        "tls": (never_greeting, int(ports[0])),
        "grpc": (never_greeting, int(ports[1])),
    }
    pool = ThreadPoolExecutor(len(acts))
    yield {name: pool.submit(*act) for name, act in acts.items()}
    pool.shutdown(wait=False)


@pytest.mark.usefixtures("begun")
def test_as_many_files_may_be_open_as_the_system_allows(guarded):
    process, hard = guarded["process"].pid, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert resource.prlimit(process, resource.RLIMIT_NOFILE)[0] >= min(hard, 65_536)


def test_more_slow_callers_than_files_shut_nobody_out(place):
    with running("./tiny", cwd=place) as service, contextlib.ExitStack() as stack:
        resource.prlimit(service["process"].pid, resource.RLIMIT_NOFILE, (256, 256))
        slow = [stack.enter_context(connected(service["url"], 5)) for _ in range(400)]
        for caller in slow:
            with contextlib.suppress(OSError):
                caller.sendall(b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\n")
        for _ in range(3):
            answer = httpx.post(f"{service['url']}/predict/tiny", json={"inputs": ["great"]})
            assert answer.status_code == 200
        gone = select.select(slow, [], [], 1)[0]
        assert slow[0] in gone  # who waited longest made room
        assert slow[-1] not in gone


def whole(connection: socket.socket, asked: bytes) -> bytes:
    """The answer to its last byte, in however many pieces it comes."""
    connection.sendall(asked)
    answer = b""
    while not answer.endswith(b"}"):
        more = connection.recv(4096)
        assert more, answer
        answer += more
    return answer


def test_who_asks_nothing_makes_room_too(place):
    live = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    with running("./tiny", cwd=place) as service, contextlib.ExitStack() as stack:
        resource.prlimit(service["process"].pid, resource.RLIMIT_NOFILE, (256, 256))
        idle = []
        for _ in range(300):
            idle.append(stack.enter_context(connected(service["url"], 5)))
            assert status(whole(idle[-1], live)) == 200
        gone = select.select(idle, [], [], 1)[0]
        assert idle[0] in gone
        assert idle[0].recv(4096) == b""  # and not a word that could pass for an answer
        assert status(whole(idle[-1], live)) == 200


@either_size
def test_the_harness_sees_whom_stock_uvicorn_keeps(request, size):
    count = CROWD[size]
    allow_files(2 * count + 200)
    short = size == "short" and request.getfixturevalue("begun")["crowd at stock"].result()
    crowd, grown = short or crowd_at_stock(size)
    keep(
        f"{count} slow callers at once, stock FastAPI and uvicorn",
        **{
            f"still open after {STOCK_SECONDS[size]:g} s": crowd.open.total(),
            "of them": dict(crowd.open),
            "others asked meanwhile, and failed": f"{len(crowd.others)}, {len(crowd.failed)}",
            "MiB more": round(grown, 1),
        },
    )
    assert crowd.open.total() >= count / 2


def test_a_dribble_does_not_put_off_the_end(begun):
    answer, seconds = begun["a head"].result()
    assert seconds < SLOW
    assert status(answer) == 408


@pytest.mark.parametrize("protocol", ["tls", "grpc"])
def test_who_never_greets_is_let_go(begun, protocol):
    if protocol == "grpc":
        pytest.importorskip("grpc")
    assert begun[protocol].result() < SLOW


def test_one_who_does_not_read_is_let_go(begun):
    assert begun["unread"].result() < UNREAD


def test_a_large_body_that_keeps_coming_is_waited_for(begun):
    assert begun["a large body"].result() == 200


@either_size
@pytest.mark.timeout(3600)
def test_bodies_that_dribble(request, place, size):
    short = size == "short" and request.getfixturevalue("begun")["dribblers"].result()
    told, took, grown = short or dribblers(place, size)
    longest = max(seconds for _, seconds in told)
    statuses = {status(answer) for answer, _ in told}
    keep(
        f"{DRIBBLERS[size]} bodies that dribble",
        **{
            "statuses": str(statuses),
            "seconds until the last was let go": round(longest, 2),
            "seconds of others' requests, at most": round(max(took), 3),
            "MiB more": round(grown, 1),
        },
    )
    assert len(told) == DRIBBLERS[size]
    assert statuses <= {0, 400, 408}
    assert longest < SLOW
    assert max(took) < 2
    assert grown < 16


@either_size
def test_a_crowd_is_let_go_and_others_are_served(request, place, size):
    count = CROWD[size]
    allow_files(2 * count + 200)
    short = size == "short" and request.getfixturevalue("begun")["crowds"].result()
    found, held = short or crowds(place, size)
    last = found[-1]
    keep(
        f"{count} slow callers at once, {len(found)} times",
        **{
            "left open": sum(crowd.open.total() for crowd in found),
            "seconds until the last was let go": max(round(max(c.closed), 2) for c in found),
            "statuses of the last crowd": {str(n): c for n, c in sorted(last.statuses.items())},
            "others asked meanwhile": sum(len(crowd.others) for crowd in found),
            "and failed": sum(len(crowd.failed) for crowd in found),
            "their seconds, at most": max(round(max(c.others), 3) for c in found),
            "MiB before, and after each crowd": ", ".join(f"{each:.1f}" for each in held),
        },
    )
    for crowd in found:
        assert crowd.open == {}
        assert crowd.failed == []
        assert max(crowd.closed) < SLOW
        assert set(crowd.statuses) <= {0, 400, 408}
        assert len(crowd.others) > 20
        assert max(crowd.others) < 2
    # The first crowd makes the allocator take what the next ones use again.
    assert held[-1] - held[1] < 4
    assert held[1] - held[0] < 40
