"""What the service tells Prometheus."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.process_collector import ProcessCollector

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

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.registry)
