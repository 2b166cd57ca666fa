"""A Kafka topic, drained to where it ended when we came, or until enough messages were read.

Read without a group: nobody else's place in the topic moves, and the place that a killed drain
had reached in each partition is kept beside its pieces. kafka-python speaks over Python's own
sockets, so that the check of addresses holds for what brokers say of one another as well.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from luodi.contracts import DataError, Finding, Progress, say
from luodi.data.fetching.messages import row_of, table_of
from luodi.data.fetching.mqtt import nothing_came
from luodi.data.fetching.pieces import Pieces
from luodi.project.sources import KafkaSource

if TYPE_CHECKING:
    from kafka import KafkaConsumer

_AT_ONCE = 5_000
_CONNECT_SECONDS = 15


def fetch_kafka(
    source: KafkaSource, servers: str, login: tuple[str, str], pieces: Pieces, progress: Progress
) -> list[Finding]:
    """Keep the messages until `count` of them came or `seconds` went by; without `seconds`, no
    further than the topic reached when we came.

    Args:
        servers: host:port, several with commas, with their secrets.

    Raises:
        DataError: no broker answers, there is no such topic, or nothing came.
    """
    from_kafka = _errors()
    try:
        with _consumer(source, servers, login) as consumer:
            _drain(source, consumer, pieces, progress)
    except from_kafka as error:
        raise _refused(source, error) from None
    if not pieces.rows:
        raise nothing_came(str(source))
    return []


def _drain(
    source: KafkaSource, consumer: KafkaConsumer, pieces: Pieces, progress: Progress
) -> None:
    from kafka import TopicPartition

    numbers = consumer.partitions_for_topic(source.topic)
    if not numbers:
        raise DataError(
            say(f"There is no topic {source.topic}.", f"没有主题 {source.topic}。"),
            say(f"Asked was: {source}.", f"请求为：{source}。"),
        )
    partitions = [TopicPartition(source.topic, number) for number in sorted(numbers)]
    ends = consumer.end_offsets(partitions)
    places = _places(source, consumer, partitions, pieces.state)
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, places[partition.partition])
    until = time.monotonic() + source.seconds if source.seconds is not None else None
    while source.count is None or pieces.rows < source.count:
        left = None if source.count is None else source.count - pieces.rows
        if until is not None and time.monotonic() >= until:
            return
        if until is None and all(places[p.partition] >= ends[p] for p in partitions):
            return
        found = consumer.poll(timeout_ms=500, max_records=min(_AT_ONCE, left or _AT_ONCE))
        rows = []
        for partition in sorted(found, key=lambda p: p.partition):
            rows += [_row(message) for message in found[partition]]
        for partition in partitions:  # control records of transactions move it without a message
            places[partition.partition] = consumer.position(partition)
        if rows:
            pieces.add(table_of(rows), **{str(number): place for number, place in places.items()})
        progress.step(pieces.rows, source.count or 0,
                      say(f"{pieces.rows:,} messages", f"{pieces.rows:,} 条消息"))  # fmt: skip


def _places(
    source: KafkaSource, consumer: KafkaConsumer, partitions: list[Any], state: Mapping[str, Any]
) -> dict[int, int]:
    """Where to begin in each partition: where a killed drain had come to, else as asked."""
    at = consumer.beginning_offsets if source.start == "earliest" else consumer.end_offsets
    return {
        partition.partition: int(state.get(str(partition.partition), offset))
        for partition, offset in at(partitions).items()
    }


def _row(message: Any) -> dict[str, Any]:
    key = message.key
    return row_of(
        message.value,
        time=datetime.fromtimestamp(message.timestamp / 1000, UTC),
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=None if key is None else key.decode("utf-8", "replace"),
    )


@contextlib.contextmanager
def _consumer(source: KafkaSource, servers: str, login: tuple[str, str]) -> Iterator[KafkaConsumer]:
    from kafka import KafkaConsumer

    options: dict[str, Any] = {}
    if source.version is not None:
        options["api_version"] = tuple(map(int, source.version.split(".")))
    if login[0]:
        options |= {
            "sasl_mechanism": source.mechanism,
            "sasl_plain_username": login[0],
            "sasl_plain_password": login[1],
        }
    protocol = ("SASL_" if login[0] else "") + ("SSL" if source.tls else "PLAINTEXT")
    consumer = KafkaConsumer(
        bootstrap_servers=[part.strip() for part in servers.split(",")],
        bootstrap_timeout_ms=_CONNECT_SECONDS * 1000,
        security_protocol=protocol,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        **options,
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _errors() -> type[Exception]:
    with warnings.catch_warnings():
        # The library reads its own files in a way that Python means to change.
        warnings.simplefilter("ignore", DeprecationWarning)
        from kafka.errors import KafkaError
    kind: type[Exception] = KafkaError
    return kind


def _refused(source: KafkaSource, error: Exception) -> DataError:
    words = " ".join(str(error).split())[:300] or type(error).__name__
    return DataError(
        say(f"Kafka answered: {words.rstrip('.')}.", f"Kafka 应答：{words.rstrip('.')}。"),
        say(f"Asked was: {source}.", f"请求为：{source}。"),
        say("Look at the brokers' addresses, the user and the topic.",
            "请检查代理地址、用户与主题。"),
    )  # fmt: skip
