"""What the routes share: the models, the limits, the metrics, the logs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from luodi.contracts import LuodiError
from luodi.serving.bodies import Bodies
from luodi.serving.desk import Desk
from luodi.serving.fleet import resident_bytes
from luodi.serving.following import Follower
from luodi.serving.metrics import ServiceMetrics
from luodi.serving.router import Router
from luodi.serving.settings import Limits
from luodi.traffic.feedback import FeedbackLog
from luodi.traffic.held import Place
from luodi.traffic.log import TrafficLog

LOG = logging.getLogger("luodi.serving")


@dataclass(frozen=True)
class Logs:
    """What is written while the service answers.

    Attributes:
        feedback: None where there is no home folder to keep it in.
        replicated: others answer the same callers, and keep logs of their own.
    """

    traffic: TrafficLog
    feedback: FeedbackLog | None = None
    replicated: bool = False

    async def unheld(self, model: str, places: Sequence[Place]) -> set[Place]:
        """Those of the requests' rows that this model is known not to have answered."""
        return set() if self.replicated else await self.traffic.unheld(model, places)

    def close(self) -> None:
        """Have everything on the disk."""
        self.traffic.close()
        if self.feedback is not None:
            self.feedback.close()


class Service:
    """One process' part of a service.

    Attributes:
        grpc_address: where to answer over gRPC too; empty for nowhere.
        grpc_tls: the certificate and its key, when it speaks TLS.
        grpc_port: the port that it got.
        failure: why it could not start.
    """

    def __init__(
        self,
        router: Router,
        limits: Limits,
        metrics: ServiceMetrics,
        follower: Follower,
        desk: Desk,
        logs: Logs,
    ) -> None:
        self.router, self.limits, self.metrics = router, limits, metrics
        self.bodies = Bodies(limits)
        self.follower, self.desk, self.logs = follower, desk, logs
        self.grpc_address = ""
        self.grpc_tls: tuple[Path, Path] | None = None
        self.grpc_port = 0
        self.failure: LuodiError | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the registry for as long as the service answers; then write what is left."""
        self.logs.traffic.start()
        await self.follower.begin()
        following = asyncio.get_running_loop().create_task(self.follower.run())
        measuring = asyncio.get_running_loop().create_task(self._measure_on())
        try:
            async with contextlib.AsyncExitStack() as stack:
                if self.grpc_address:
                    await self._answer_grpc(stack)
                yield
        finally:
            for task in (following, measuring):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await self.desk.rest()
            self.logs.close()

    async def _measure_on(self) -> None:
        """Keep fresh what the workers know of one another: the gauges, and how versions do."""
        while self.metrics.shared is not None:
            self.measure()
            try:
                self.desk.watch.share()
            except OSError as error:
                LOG.error("what versions do is not shared among the workers: %s", error)
            await asyncio.sleep(1)

    async def _answer_grpc(self, stack: contextlib.AsyncExitStack) -> None:
        from luodi.serving.rpc.server import answering

        try:
            self.grpc_port = await stack.enter_async_context(answering(self, self.grpc_address))
        except LuodiError as error:
            self.failure = error  # raised here, it would end as a traceback in the log

    def measure(self) -> None:
        """Bring the gauges up to what is in memory now."""
        metrics = self.metrics
        metrics.resident.set(resident_bytes())
        for gauge in (metrics.info, metrics.waiting, metrics.memory):
            metrics.forget(gauge)
        for held in self.router.all():
            metrics.memory.labels(*held.key).set(held.bytes if held.served else 0)
            if held.served is not None:
                metrics.waiting.labels(*held.key).set(held.served.batcher.waiting)
            if card := held.card:
                manifest = card.manifest
                metrics.info.labels(
                    card.name, card.version, card.digest, manifest.task, manifest.learner
                ).set(1)
        metrics.evictions.set(self.router.fleet.evictions)
