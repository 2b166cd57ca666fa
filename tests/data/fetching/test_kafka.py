"""Kafka over its wire protocol, from two brokers: librdkafka's own for tests, which lives in this
process, and Tansu, a whole one that is started on loopback (`make broker` installs it).

Neither is Apache Kafka, but each is another implementation than the client that is tested; a real
one is used in their place where LUODI_TEST_KAFKA names it (host:port).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from luodi.contracts import ROW, DataError
from luodi.data.fetching import Access
from luodi.data.sources import collect
from luodi.project.sources import KafkaSource
from tests.data.fetching.servers import server

confluent = pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
BROKERS = ["given"] if os.environ.get("LUODI_TEST_KAFKA") else ["librdkafka", "tansu"]


class Broker(NamedTuple):
    """Where it is, what writes to it, and the version that it must be told to speak."""

    servers: str
    producer: Any
    version: str | None


@pytest.fixture(scope="module", params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with contextlib.ExitStack() as running:
        if request.param == "librdkafka":
            options: dict[str, Any] = {"test.mock.num.brokers": 1}
        elif request.param == "tansu":
            port = running.enter_context(server("tansu", 0))
            # A batch a message: it counts a batch as one where it is asked for the topic's end.
            options = {"bootstrap.servers": f"127.0.0.1:{port}", "batch.num.messages": 1}
        else:
            options = {"bootstrap.servers": os.environ["LUODI_TEST_KAFKA"]}
        producer = confluent.Producer(options)
        brokers = producer.list_topics(timeout=20).brokers.values()
        servers = ",".join(f"{one.host}:{one.port}" for one in brokers)
        yield Broker(servers, producer, "2.3" if request.param == "librdkafka" else None)
        producer.flush(5)


@pytest.fixture
def topic(broker: Broker) -> str:
    name = f"luodi-test-{secrets.token_hex(4)}"
    for number in range(500):
        payload = json.dumps({"n": number, "plant": "南京"})
        broker.producer.produce(
            name, payload.encode(), key=f"k{number}".encode(), partition=number % 2
        )
    assert broker.producer.flush(20) == 0
    return name


def test_to_where_the_topic_ended(broker: Broker, topic: str, access: Access) -> None:
    source = KafkaSource(
        kafka=broker.servers, version=broker.version, topic=topic, count=10_000, seconds=4
    )
    table = collect(source, access.root, access=access).table
    assert sorted(table["n"].to_list()) == list(range(500))
    assert table.columns == [ROW, "time", "topic", "partition", "offset", "key", "n", "plant"]
    assert set(table["partition"]) == {0, 1}
    assert table.filter(table["n"] == 7).select("key", "plant").row(0) == ("k7", "南京")


def test_by_count_alone_ends_where_the_topic_did(
    broker: Broker, topic: str, access: Access
) -> None:
    some = KafkaSource(kafka=broker.servers, version=broker.version, topic=topic, count=120)
    assert collect(some, access.root, access=access).table.height == 120
    more = KafkaSource(kafka=broker.servers, version=broker.version, topic=topic, count=100_000)
    assert collect(more, access.root, access=access).table.height == 500


def test_it_goes_on_at_the_place_in_each_partition(broker: Broker, topic: str, access: Access,
                                                   monkeypatch) -> None:  # fmt: skip
    from luodi.data.fetching import kafka

    monkeypatch.setattr(kafka, "_AT_ONCE", 90)
    tables = []
    real = kafka.table_of

    def broken(rows):
        if len(tables) == 2:
            raise KeyboardInterrupt
        tables.append(len(rows))
        return real(rows)

    monkeypatch.setattr(kafka, "table_of", broken)
    source = KafkaSource(kafka=broker.servers, version=broker.version, topic=topic, count=500)
    with pytest.raises(KeyboardInterrupt):
        collect(source, access.root, access=access)
    monkeypatch.setattr(kafka, "table_of", real)
    table = collect(source, access.root, access=access).table
    assert table.height == 500
    assert sorted(table["n"].to_list()) == list(range(500))
    assert table["n"].to_list()[: sum(tables)] != sorted(table["n"].to_list())[:1]


def test_what_is_wrong_is_said(broker: Broker, access: Access) -> None:
    source = KafkaSource(kafka=broker.servers, version=broker.version, topic="none-such", seconds=1)
    with pytest.raises(DataError, match=r"no topic|Nothing came|Kafka answered"):
        collect(source, access.root, access=access)
