"""Topics that sensors speak on, drained to an end."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from luodi.contracts import say
from luodi.project.quantities import Duration
from luodi.project.source_model import SourceModel, check_address, no_secret


class _Stream(SourceModel):
    """What is drained until `count` messages came or `seconds` went by, whichever is first."""

    topic: str = Field(min_length=1)
    count: int | None = Field(default=None, ge=1)
    seconds: Duration | None = None
    user: str | None = None
    password: str | None = None

    @field_validator("password")
    @classmethod
    def _password(cls, value: str | None) -> str | None:
        return None if value is None else no_secret("password", value)

    @model_validator(mode="after")
    def _ends(self) -> _Stream:
        if self.count is None and self.seconds is None:
            raise ValueError(
                say("a stream without an end; expected count or seconds",
                    "数据流没有终点；应给出 count 或 seconds")
            )  # fmt: skip
        return self

    def __str__(self) -> str:
        return f"{super().__str__()} {self.topic}"


class MqttSource(_Stream):
    """Messages of an MQTT topic; `+` and `#` as in MQTT. mqtts:// is encrypted."""

    kind: ClassVar[str] = "mqtt"
    mqtt: str
    qos: Literal[0, 1, 2] = 1

    @field_validator("mqtt")
    @classmethod
    def _mqtt(cls, value: str) -> str:
        return check_address(value, ("mqtt", "mqtts"))


class KafkaSource(_Stream):
    """Messages of a Kafka topic, read without a group: nobody else's place in it moves.

    `version` is the brokers', such as 2.3, for those that do not tell it themselves.
    """

    kind: ClassVar[str] = "kafka"
    kafka: str = Field(min_length=1)
    start: Literal["earliest", "latest"] = "earliest"
    tls: bool = False
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    version: str | None = Field(default=None, pattern=r"^[0-9]+[.][0-9]+$")

    @field_validator("version", mode="before")
    @classmethod
    def _version(cls, value: object) -> object:
        return str(value) if isinstance(value, float) else value
