"""What bodies take together: over gRPC too, where a message's size is known when it is here."""

import asyncio
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pytest
from tiny_service import environment

from luodi.contracts import BusyError
from luodi.serving.bodies import SMALL, Bodies
from luodi.serving.settings import Limits

MIB = 2**20
LIMITS = Limits(body=MIB, bodies=4 * MIB, body_seconds=0.4, body_pace=MIB / 2)


def coming(size, seconds=0.0):
    async def read():
        await asyncio.sleep(seconds)
        return b"x" * size

    return read


async def handled(bodies, read, seconds, seen):
    """One call: its message comes, and is answered."""
    try:
        async with bodies.message(read) as data:
            seen.append(bodies.held)
            await asyncio.sleep(seconds)
            return len(data)
    except BusyError as error:
        return str(error)


def test_the_bound_holds_whatever_comes_together():
    async def main():
        bodies, seen = Bodies(replace(LIMITS, body_seconds=20.0)), []
        calls = [handled(bodies, coming(MIB - n, 0.01), 0.02, seen) for n in range(40)]
        told = await asyncio.gather(*calls)
        return told, seen, bodies

    told, seen, bodies = asyncio.run(main())
    assert told[:4] == [MIB - n for n in range(4)]
    # As over HTTP: a large one is answered, or told to come again.
    assert all(each == MIB - n or "Too much" in str(each) for n, each in enumerate(told))
    assert 3 * MIB < max(seen) <= 5 * MIB  # one at a time comes in beyond the bound
    assert bodies.held == 0


def test_small_messages_hold_up_nobody():
    async def main():
        bodies, seen = Bodies(LIMITS), []
        begun = time.monotonic()
        calls = [handled(bodies, coming(100, 0.001), 0.3, seen) for _ in range(200)]
        told = await asyncio.gather(*calls)
        return told, time.monotonic() - begun, bodies.held

    told, seconds, held = asyncio.run(main())
    assert told == [100] * 200
    assert seconds < 2.0  # answered side by side: a message that is here counts as what it is
    assert held == 0


def test_who_dribbles_goes_when_others_wait_and_not_before():
    async def main():
        bodies, seen = Bodies(LIMITS), []
        slow = [asyncio.create_task(handled(bodies, coming(9, 0.6), 0, seen)) for _ in range(4)]
        alone = await asyncio.gather(*slow)  # nobody waits: they may take their time
        slow = [asyncio.create_task(handled(bodies, coming(9, 60), 0, seen)) for _ in range(4)]
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        quick = await handled(bodies, coming(7), 0, seen)
        waited = time.monotonic() - begun
        return alone, quick, waited, await asyncio.gather(*slow), bodies.held

    alone, quick, waited, slow, held = asyncio.run(main())
    assert alone == [9] * 4
    assert quick == 7
    assert waited == pytest.approx(0.2, abs=0.15)
    assert all("too long" in told for told in slow)
    assert held == 0


def test_what_others_hold_leaves_room_for_one_at_a_time():
    async def main():
        bodies, seen = Bodies(LIMITS), []
        bodies.held += 4 * MIB  # over HTTP
        small = await asyncio.gather(*(handled(bodies, coming(9), 0.01, seen) for _ in range(20)))
        large = await handled(bodies, coming(SMALL + 1), 0, seen)
        left = bodies.held
        return small, large, left, max(seen)

    small, large, left, most = asyncio.run(main())
    assert small == [9] * 20
    assert "Too much is waiting" in large
    assert left == 4 * MIB
    assert most <= 5 * MIB + 20 * 9


@pytest.mark.parametrize("granted", [False, True])
def test_who_goes_while_it_waits_leaves_nothing_behind(granted):
    async def main():
        bodies, seen = Bodies(LIMITS), []
        first = [asyncio.create_task(handled(bodies, coming(9, 0.1), 0, seen)) for _ in range(4)]
        await asyncio.sleep(0.02)
        waiting = [asyncio.create_task(handled(bodies, coming(9), 0, seen)) for _ in range(3)]
        await asyncio.sleep(0.02)
        if granted:  # its turn has come, and it has not run since
            bodies._let_go(0)
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        waiting[0].cancel()
        told = await asyncio.gather(*first, *waiting, return_exceptions=True)
        return [each for each in told if each == 9], bodies

    told, bodies = asyncio.run(main())
    assert len(told) >= 6
    assert (bodies.held, bodies._coming, len(bodies._waiting)) == (0, 0, 0)


SERVER = """
    import asyncio, sys
    from pathlib import Path
    from luodi.registry import Registry
    from luodi.registry.keys import KeyRing, Rights
    from luodi.serving.building import Offers, build
    from luodi.serving.router import Offer
    from luodi.serving.rpc.server import answering
    from luodi.serving.settings import Limits, ServeSettings

    MIB = 2**20
    registry = Registry(Path(sys.argv[2]))
    key = KeyRing(registry.home).add("one", Rights())[1]
    limits = Limits(body=4 * MIB, bodies=16 * MIB)
    offers = Offers([Offer(registry.find(sys.argv[1]))], registry)
    service = build(offers, ServeSettings(limits=limits, keys=True))

    async def main():
        async with answering(service, "127.0.0.1:0") as port:
            print(port, key, flush=True)
            most, ending = 0, asyncio.create_task(asyncio.to_thread(sys.stdin.read))
            while not ending.done():
                most = max(most, service.bodies.held)
                await asyncio.sleep(0.001)
            print(most, service.bodies.held)

    asyncio.run(main())
"""


@pytest.mark.parametrize("known", [True, False])
def test_messages_of_real_calls_are_counted(place, tmp_path, known):
    grpc = pytest.importorskip("grpc", reason="gRPC is not installed: pip install 'luodi[grpc]'")
    from grpc import aio

    from luodi.serving.rpc.messages import SERVICE, classes

    tensor = {"name": "text", "datatype": "BYTES", "shape": [1]}

    def message(text):
        inputs = [{**tensor, "contents": {"bytes_contents": [text]}}]
        return classes()["ModelInferRequest"](model_name="tiny", inputs=inputs).SerializeToString()

    async def told(address, data, head):
        # A connection each, as callers share none.
        apart = [("grpc.use_local_subchannel_pool", 1)]
        async with aio.insecure_channel(address, apart) as channel:
            try:
                ask = channel.unary_unary(f"/{SERVICE}/ModelInfer")
                await ask(data, metadata=head, timeout=60)
            except grpc.RpcError as error:
                return error.code().name
            return "OK"

    async def crowd(address, data, count, head):
        return await asyncio.gather(*(told(address, data, head) for _ in range(count)))

    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER), place / "tiny", tmp_path / "home"],
        env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        port, key = process.stdout.readline().split()
        address, head = f"127.0.0.1:{port}", (("authorization", f"Bearer {key}"),)
        large = message(b"great " * (3_900_000 // 6))
        said = asyncio.run(crowd(address, large, 8, head if known else ()))
        if known:
            assert asyncio.run(crowd(address, message(b"great"), 60, head)) == ["OK"] * 60
        else:
            assert set(said) == {"UNAUTHENTICATED"}
        most, left = map(int, process.communicate("", timeout=60)[0].split())
    finally:
        process.kill()
        process.wait()
    assert left == 0
    # One at a time comes in beyond the bound; of one who has no key nothing is read.
    assert 4 * MIB < most <= 20 * MIB if known else most == 0
