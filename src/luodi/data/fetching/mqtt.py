"""An MQTT topic, drained: a message is acknowledged once it is on the disk, never before.

The broker keeps what comes between a kill and the next try (a session of our own name), so a
drain that goes on loses nothing of quality of service 1 or 2.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from luodi.contracts import DataError, Finding, Progress, say
from luodi.data.fetching.messages import row_of, table_of
from luodi.data.fetching.pieces import Pieces
from luodi.project.sources import MqttSource

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

_BATCH = 10_000
_CONNECT_SECONDS = 15
_PORTS = {"mqtt": 1883, "mqtts": 8883}


def fetch_mqtt(
    source: MqttSource, address: str, login: tuple[str, str], pieces: Pieces, progress: Progress
) -> list[Finding]:
    """Keep the messages until `count` of them came or `seconds` went by.

    Args:
        address: with its secrets.
        login: user and password; empty ones are not sent.

    Raises:
        DataError: the broker cannot be reached, or refuses; or nothing came.
    """
    drain = _Drain(source, address, login, pieces.folder)
    try:
        drain.run(progress)
    finally:
        drain.journal.close()
    pieces.restart()
    batch: list[dict[str, Any]] = []
    for row in drain.rows():
        batch.append(row)
        if len(batch) == _BATCH:
            pieces.add(table_of(batch))
            batch = []
    if batch:
        pieces.add(table_of(batch))
    if not pieces.rows:
        raise nothing_came(str(source))
    return []


def nothing_came(source: str) -> DataError:
    """The error for a stream that was silent."""
    return DataError(
        say(f"Nothing came from {source}.", f"{source} 没有收到任何消息。"),
        say("Expected messages within the time given.", "应在给定时间内收到消息。"),
        say("Look at the topic's name, or give it more seconds.", "请检查主题名，或增加 seconds。"),
    )


class _Drain:
    """One connection, and the journal of what it brought."""

    def __init__(
        self, source: MqttSource, address: str, login: tuple[str, str], folder: Path
    ) -> None:
        self.source, self.parts, self.login = source, urlsplit(address), login
        self.path = folder / "journal.jsonl"
        self.count = _mend(self.path)
        self.journal = self.path.open("ab")
        self.unwritten: list[MQTTMessage] = []
        self.refused = ""
        self.subscribed = False
        self.name = f"luodi-{folder.name.partition('.')[0]}"

    @property
    def full(self) -> bool:
        """Whether as many messages came as were asked for."""
        wanted = self.source.count
        return wanted is not None and self.count + len(self.unwritten) >= wanted

    def run(self, progress: Progress) -> None:
        """Take messages in until there are enough, or it is time."""
        client = self._client(clean=False)
        self._connect(client)
        end = time.monotonic() + (self.source.seconds or float("inf"))
        total = self.source.count or 0
        while not self.full and time.monotonic() < end:
            if client.loop(timeout=0.1) != 0:
                self._again(client)
            if self.refused:
                raise self._error(self.refused)
            self._write(client)
            progress.step(self.count, total, say(f"{self.count:,} messages",
                                                 f"{self.count:,} 条消息"))  # fmt: skip
        self._write(client)
        client.disconnect()
        client.loop(timeout=0.1)
        self._forget()

    def rows(self) -> Iterator[dict[str, Any]]:
        """What the journal holds, no more than asked for."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                if self.source.count is not None and number >= self.source.count:
                    return
                kept = json.loads(line)
                yield row_of(
                    base64.b64decode(kept["payload"]),
                    time=datetime.fromtimestamp(kept["time"], UTC), topic=kept["topic"],
                )  # fmt: skip

    def _client(self, clean: bool) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.name, clean_session=clean, manual_ack=True
        )
        if self.login[0]:
            client.username_pw_set(self.login[0], self.login[1] or None)
        if self.parts.scheme == "mqtts":
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _connect(self, client: Client) -> None:
        port = self.parts.port or _PORTS[self.parts.scheme]
        try:
            client.connect(self.parts.hostname or "", port, keepalive=30)
        except (OSError, ValueError) as error:
            raise self._error(str(error)) from None
        end = time.monotonic() + _CONNECT_SECONDS
        while not self.subscribed and not self.refused:
            if time.monotonic() > end or (client.loop(timeout=0.1) != 0 and not self.refused):
                raise self._error(say("no answer", "没有应答"))
        if self.refused:
            raise self._error(self.refused)

    def _again(self, client: Client) -> None:
        """The connection broke: once more; the broker has kept what was not acknowledged."""
        self.unwritten.clear()
        self.subscribed = False
        time.sleep(0.5)
        self._connect(client)

    def _forget(self) -> None:
        """Have the broker end our session: it must not keep messages for one who is gone."""
        client = self._client(clean=True)
        client.on_connect = None
        try:
            client.connect(self.parts.hostname or "", self.parts.port or _PORTS[self.parts.scheme])
        except OSError:
            return
        for _ in range(5):
            client.loop(timeout=0.05)
        client.disconnect()

    def _on_connect(self, client: Client, _: Any, flags: Any, reason: Any, more: Any) -> None:
        if reason.is_failure:
            self.refused = str(reason)
            return
        client.subscribe(self.source.topic, qos=self.source.qos)

    def _on_subscribe(self, client: Client, _: Any, mid: int, reasons: Any, more: Any) -> None:
        if failed := [str(reason) for reason in reasons if reason.is_failure]:
            self.refused = failed[0]
        self.subscribed = True

    def _on_message(self, client: Client, _: Any, message: MQTTMessage) -> None:
        self.unwritten.append(message)

    def _write(self, client: Client) -> None:
        if not self.unwritten:
            return
        now = time.time()
        for message in self.unwritten:
            line = {
                "time": now, "topic": message.topic,
                "payload": base64.b64encode(message.payload).decode(),
            }  # fmt: skip
            self.journal.write(json.dumps(line).encode() + b"\n")
        self.journal.flush()
        os.fsync(self.journal.fileno())
        for message in self.unwritten:
            client.ack(message.mid, message.qos)
        self.count += len(self.unwritten)
        self.unwritten.clear()

    def _error(self, reason: str) -> DataError:
        return DataError(
            say(f"The broker at {self.parts.hostname} answered: {reason}.",
                f"{self.parts.hostname} 的代理应答：{reason}。"),
            say(f"Asked was: {self.source}.", f"请求为：{self.source}。"),
            say("Look at the address, the user and the topic.", "请检查地址、用户与主题。"),
        )  # fmt: skip


def _mend(path: Path) -> int:
    """How many messages the journal holds; half a last line, left by a kill, is cut off."""
    if not path.exists():
        return 0
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        path.write_bytes(whole)
    return whole.count(b"\n")
