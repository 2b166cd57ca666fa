"""A real broker on loopback: drained by count and by time, and gone on with after a kill."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from luodi.contracts import DataError
from luodi.data.fetching import Access
from luodi.data.sources import collect
from luodi.project.sources import MqttSource
from tests.data.fetching.servers import server


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with server("mosquitto", 1883) as found:
        yield found


@pytest.fixture
def broker(port: int) -> str:
    return f"mqtt://127.0.0.1:{port}"


@pytest.fixture
def topic(port: int) -> Iterator[str]:
    name = f"luodi/test/{secrets.token_hex(4)}"
    yield name
    clear = client(port)
    clear.publish(f"{name}/kept", b"", qos=1, retain=True).wait_for_publish(5)
    clear.disconnect()


def client(port: int) -> mqtt.Client:
    made = mqtt.Client(CallbackAPIVersion.VERSION2)
    made.connect("127.0.0.1", port)
    made.loop_start()
    return made


class Sensor:
    """Says a number again and again until it is stopped."""

    def __init__(self, port: int, topic: str, pause: float = 0.005) -> None:
        self.said = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._talk, args=(port, topic, pause), daemon=True)
        self._thread.start()

    def _talk(self, port: int, topic: str, pause: float) -> None:
        voice = client(port)
        while not self._stop.is_set():
            voice.publish(f"{topic}/t{self.said % 2}", json.dumps({"n": self.said}), qos=1)
            self.said += 1
            time.sleep(pause)
        voice.disconnect()
        voice.loop_stop()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)


def test_by_count(port: int, broker: str, topic: str, access: Access) -> None:
    sensor = Sensor(port, topic)
    source = MqttSource(mqtt=broker, topic=f"{topic}/+", count=50, seconds=20)
    table = collect(source, access.root, access=access).table
    sensor.stop()
    assert table.height == 50
    numbers = table["n"].to_list()
    assert numbers == list(range(numbers[0], numbers[0] + 50))
    assert set(table["topic"]) == {f"{topic}/t0", f"{topic}/t1"}
    assert str(table["time"].dtype.time_zone) == "UTC"


def test_payloads_of_every_kind(port: int, broker: str, topic: str, access: Access) -> None:
    voice = client(port)
    voice.publish(f"{topic}/kept", "42", qos=1, retain=True).wait_for_publish(5)

    def talk() -> None:
        """Once the first message is on the disk, we are known to listen."""
        journals = access.home / "data" / "collected"
        for _ in range(400):
            if any(path.stat().st_size for path in journals.glob("*.partial/journal.jsonl")):
                break
            time.sleep(0.05)
        for payload in ('{"temperature": 21.5, "topic": "x"}', "warm", b"\xff\x00"):
            voice.publish(f"{topic}/b", payload, qos=1)

    speaker = threading.Thread(target=talk)
    speaker.start()
    source = MqttSource(mqtt=broker, topic=f"{topic}/#", count=4, seconds=30)
    table = collect(source, access.root, access=access).table
    speaker.join()
    voice.disconnect()
    voice.loop_stop()
    assert table.select("value", "temperature", "payload.topic", "payload").rows() == [
        (42, None, None, None), (None, 21.5, "x", None), (None, None, None, "warm"),
        (None, None, None, "ff00"),
    ]  # fmt: skip


def test_by_time(port: int, broker: str, topic: str, access: Access) -> None:
    voice = client(port)
    voice.publish(f"{topic}/kept", "42", qos=1, retain=True).wait_for_publish(5)
    voice.disconnect()
    voice.loop_stop()
    source = MqttSource(mqtt=broker, topic=f"{topic}/#", seconds=1)
    started = time.monotonic()
    assert collect(source, access.root, access=access).table["value"].to_list() == [42]
    assert time.monotonic() - started >= 1


SCRIPT = """
import sys
from pathlib import Path
from luodi.data.fetching import Access
from luodi.data.sources import collect
from luodi.project.sources import MqttSource
root = Path(sys.argv[1])
source = MqttSource(mqtt=sys.argv[2], topic=sys.argv[3], count=400, seconds=60)
table = collect(source, root, access=Access(root / ".luodi", root)).table
print(table["n"].to_list())
"""


def test_a_kill_loses_nothing(port: int, broker: str, topic: str, access: Access) -> None:
    """Numbers that a sensor says while nobody listens are there all the same: none is missing."""
    command = [sys.executable, "-c", SCRIPT, str(access.root), broker, f"{topic}/+"]
    sensor = Sensor(port, topic, pause=0.01)
    journal = access.home / "data" / "collected"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(400):
        if any(path.stat().st_size > 2000 for path in journal.glob("*.partial/journal.jsonl")):
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    sensor.stop()
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    assert len(numbers) == 400
    # Quality of service 1 may bring a message twice, never not at all.
    assert sorted(set(numbers)) == list(range(min(numbers), max(numbers) + 1))


def test_a_broker_that_is_silent_or_not_there(
    port: int, broker: str, topic: str, access: Access
) -> None:
    with pytest.raises(DataError, match="Nothing came from"):
        collect(MqttSource(mqtt=broker, topic=topic, seconds=0.3), access.root, access=access)
    with pytest.raises(DataError, match="broker at 127"):
        collect(MqttSource(mqtt="mqtt://127.0.0.1:1", topic=topic, seconds=1), access.root,
                access=access)  # fmt: skip
