"""What the service tells Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.process_collector import ProcessCollector

from luodi.serving.batcher import Batched

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class ServiceMetrics:
    """The service's own numbers; a registry of their own, so that two services do not mix."""

    def __init__(self) -> None:
        # Else a second series stands beside each, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "luodi_requests",
            "Requests answered, by model, version, route and HTTP status.",
            ("model", "version", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "luodi_request_seconds",
            "From a request's first byte to its answer.",
            ("model", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.rows = Counter(
            "luodi_rows", "Rows answered.", ("model", "version"), registry=self.registry
        )
        self.batch = Histogram(
            "luodi_batch_rows",
            "Rows that were answered in one call of the predictor.",
            ("model",),
            buckets=_ROWS,
            registry=self.registry,
        )
        self.cost = Counter(
            "luodi_cost",
            "What was answered in the predictor's own measure (tokens, rows), padding included.",
            ("model",),
            registry=self.registry,
        )
        self.busy = Counter(
            "luodi_session_busy_seconds",
            "Seconds that sessions spent answering.",
            ("model",),
            registry=self.registry,
        )
        self.waiting = Gauge(
            "luodi_waiting_cost",
            "What is waiting or being answered, in the predictor's own measure.",
            ("model", "version"),
            registry=self.registry,
        )
        self.info = Gauge(
            "luodi_model_info",
            "1 for each version that is served.",
            ("model", "version", "digest", "task", "learner"),
            registry=self.registry,
        )

        self.errors = Counter(
            "luodi_errors",
            "Requests not answered, by kind: request, not-found, overload, model.",
            ("model", "version", "kind"),
            registry=self.registry,
        )
        self.dealt = Counter(
            "luodi_dealt",
            "Requests by who answered: champion, canary, pinned.",
            ("model", "version", "arm"),
            registry=self.registry,
        )
        self.memory = Gauge(
            "luodi_model_bytes",
            "What a version takes in memory, measured when it was loaded; 0 when it is not there.",
            ("model", "version"),
            registry=self.registry,
        )
        self.evictions = Gauge(
            "luodi_evictions",
            "Versions that had to leave the memory for others, since the start.",
            registry=self.registry,
        )
        self._count_acts()

    def _count_acts(self) -> None:
        """What happens beside answering."""
        self.swaps = Counter(
            "luodi_swaps",
            "Versions that were to take over: done, or refused since they could not be proved.",
            ("model", "outcome"),
            registry=self.registry,
        )
        self.rollbacks = Counter(
            "luodi_rollbacks",
            "Versions that were taken back by a rule.",
            ("model", "version"),
            registry=self.registry,
        )
        self.shadows_left_out = Counter(
            "luodi_shadows_left_out",
            "Requests that a shadow was too busy for.",
            ("model", "version"),
            registry=self.registry,
        )
        self.feedback = Counter(
            "luodi_feedback", "True answers received.", ("model",), registry=self.registry
        )
        self.traffic_left_out = Counter(
            "luodi_traffic_left_out",
            "Rows that the traffic log could not take: the disk is slow (pending) or full (disk).",
            ("reason",),
            registry=self.registry,
        )

    def batch_observer(self, model: str) -> Callable[[Batched], None]:
        """What a model's batcher tells of each batch."""
        rows = self.batch.labels(model)
        cost, busy = self.cost.labels(model), self.busy.labels(model)

        def observe(batch: Batched) -> None:
            rows.observe(batch.rows)
            cost.inc(batch.cost)
            busy.inc(batch.seconds)

        return observe

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.registry)
