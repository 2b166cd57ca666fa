"""The project file's section `serve`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from luodi.project.quantities import Duration, Size
from luodi.project.strict import Strict


class RollbackSettings(Strict):
    """When a version that has just taken over, or a challenger, is taken back by itself."""

    error_rate: float | None = Field(default=None, ge=0, lt=1)
    p99: Duration | None = None
    p95: Duration | None = None
    window: Duration = Field(default=60.0, le=600)
    requests: int = Field(default=50, ge=1)
    within: Duration = 3600.0


class TrafficLogSettings(Strict):
    """What is kept of the requests and answers."""

    keep: bool = True
    sample: float = Field(default=1.0, gt=0, le=1)
    mask: bool = True
    bytes: Size = Field(default=1_000_000_000, ge=1_000_000)
    age: Duration = 30 * 86_400.0


class ServeSettings(Strict):
    """How the model is served."""

    max_batch: int = Field(default=32, ge=1, le=4096)
    max_wait: Annotated[Duration, Field(le=600)] | None = None
    form: Literal["auto", "float32", "int8", "bfloat16"] = "auto"
    runtime: Literal["auto", "onnxruntime", "openvino"] = "auto"
    cache: int = Field(default=0, ge=0, le=10_000_000)
    sessions: int | None = Field(default=None, ge=1)
    memory: Size | None = None
    rollback: RollbackSettings | None = None
    traffic: TrafficLogSettings = TrafficLogSettings()
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    threads: int | None = Field(default=None, ge=1)

    def travelling(self) -> dict[str, Any]:
        """What goes into the bundle, for a service that does not see the project file: the batch,
        and what the file says of the cache, waits, rollbacks and traffic, when it says anything.
        """
        told = {"max_batch"} | (
            {"cache", "max_wait", "rollback", "traffic"} & self.model_fields_set
        )
        return self.model_dump(mode="json", include=told, exclude_none=True)
