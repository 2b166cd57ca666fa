"""Rates and quotas, in one process and over several."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tiny_bundle import make_bundle

from luodi.registry import Registry
from luodi.registry.keys import Key, KeyRing, Rights
from luodi.serving.access import DeniedError
from luodi.serving.building import Offers, build
from luodi.serving.quotas import Quotas
from luodi.serving.router import Offer
from luodi.serving.settings import ServeSettings


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


def key(prefix="aaaaaaaa", **limits):
    return Key(prefix, "web", Rights(**limits), "2026")


@pytest.fixture
def clock():
    return Clock()


def test_no_limit_costs_nothing(clock):
    quotas = Quotas(clock=clock)
    assert all(quotas.take(key(), 1000) is None for _ in range(100))


def test_a_bucket_empties_and_fills(clock):
    quotas, limited = Quotas(clock=clock), key(rate=10.0, burst=20)
    assert quotas.take(limited, 20) is None
    refused = quotas.take(limited, 1)
    assert refused.what == "rate"
    assert refused.seconds == pytest.approx(0.1)
    clock.now += 0.5
    assert quotas.take(limited, 5) is None
    assert quotas.take(limited, 1) is not None
    clock.now += 1000
    assert quotas.take(limited, 20) is None
    assert quotas.take(limited, 1) is not None  # never more than the bucket holds


def test_more_rows_than_a_bucket_are_paid_for_after(clock):
    quotas, limited = Quotas(clock=clock), key(rate=10.0, burst=20)
    assert quotas.take(limited, 100) is None
    clock.now += 7.9
    assert quotas.take(limited, 1) is not None
    clock.now += 0.3
    assert quotas.take(limited, 1) is None


def test_a_day_is_a_day(clock):
    quotas, limited = Quotas(clock=clock), key(daily=100)
    assert quotas.take(limited, 60) is None
    refused = quotas.take(limited, 60)
    assert refused.what == "daily"
    assert 0 < refused.seconds <= 86_400
    assert quotas.take(limited, 40) is None
    clock.now += refused.seconds
    assert quotas.take(limited, 100) is None


def test_keys_do_not_share(clock):
    quotas = Quotas(clock=clock)
    for n in range(200):
        one = key(f"{n:08d}".translate(str.maketrans("0189", "abcd")), daily=1)
        assert quotas.take(one, 1) is None
        assert quotas.take(one, 1) is not None


WORKER = """
import sys
from pathlib import Path
from luodi.registry.keys import Key, Rights
from luodi.serving.quotas import Quotas
quotas = Quotas(Path(sys.argv[1]), clock=lambda: 1_800_000_000.0)
key = Key("aaaaaaaa", "web", Rights(daily=1000), "2026")
print(sum(quotas.take(key, 1) is None for _ in range(800)))
"""


def test_workers_count_together(tmp_path):
    path = tmp_path / "quotas"
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(path)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    taken = [int(worker.communicate()[0]) for worker in workers]
    assert sum(taken) == 1000


def test_a_days_quota_outlives_a_restart(tmp_path):
    ring = KeyRing(tmp_path / "home")
    _, secret = ring.add("web", Rights(daily=5))
    make_bundle(tmp_path / "tiny")
    registry = Registry(tmp_path / "home")
    offers = Offers([Offer(registry.find(str(tmp_path / "tiny")))], registry)

    def started_again():
        service = build(offers, ServeSettings(keys=True))
        service.router.fleet.close()
        service.logs.close()
        access = service.desk.access
        return access, access.admit({"x-api-key": secret}, "ask", "tiny")

    access, caller = started_again()
    access.count(caller, 5)
    access, caller = started_again()
    with pytest.raises(DeniedError) as told:
        access.count(caller, 1)
    assert told.value.status == 429
