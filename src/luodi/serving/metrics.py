"""What the service tells Prometheus."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector

from luodi.serving.batcher import Batched

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class ServiceMetrics:
    """The service's own numbers; a registry of their own, so that two services do not mix.

    Args:
        shared: where the workers of one service count together; None for one process alone.
        number: which of the workers this is. One that is started again counts on where the one
            before it in its place had come to.
    """

    def __init__(self, shared: Path | None = None, number: int = 0) -> None:
        # Else a second series stands beside each, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.shared = shared
        if shared is None:
            ProcessCollector(registry=self.registry)
        else:
            _count_in(shared, number)
        self.resident = Gauge(
            "luodi_resident_bytes",
            "Memory of the service's processes, all together.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
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
        self.cached = Counter(
            "luodi_cache_lookups",
            "Rows looked for in the cache of answers, by result: hit, miss.",
            ("model", "result"),
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
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.info = Gauge(
            "luodi_model_info",
            "1 for each version that is served.",
            ("model", "version", "digest", "task", "learner"),
            multiprocess_mode="livemax",
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
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.evictions = Gauge(
            "luodi_evictions",
            "Versions that had to leave the memory for others, since the start.",
            multiprocess_mode="livesum",
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
        """All of it, of all workers, in Prometheus' text format."""
        registry = self.registry
        if self.shared is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=str(self.shared))  # type: ignore[no-untyped-call]
        return generate_latest(_WithRates(registry))

    def cache_counter(self, model: str) -> Callable[[int, int], None]:
        """What a model's cache tells of each call."""
        hit, miss = self.cached.labels(model, "hit"), self.cached.labels(model, "miss")

        def count(hits: int, misses: int) -> None:
            hit.inc(hits)
            miss.inc(misses)

        return count

    @staticmethod
    def forget(gauge: Gauge) -> None:
        """Take a gauge's series back; what is shared in a file cannot go, and becomes 0."""
        for metric in gauge.collect():
            for sample in metric.samples:
                gauge.labels(*(sample.labels[name] for name in gauge._labelnames)).set(0)
        gauge.clear()


class _WithRates(CollectorRegistry):
    """What a registry holds, and the shares that follow from its counts, of all workers."""

    def __init__(self, source: CollectorRegistry) -> None:
        super().__init__()
        self._source = source

    def collect(self) -> Iterator[Metric]:
        """All metrics; last the hit rate of each model's cache."""
        found: dict[str, dict[str, float]] = {}
        for metric in self._source.collect():
            yield metric
            if metric.name == "luodi_cache_lookups":
                for sample in metric.samples:
                    labels = sample.labels
                    found.setdefault(labels["model"], {})[labels["result"]] = sample.value
        rate = GaugeMetricFamily(
            "luodi_cache_hit_rate",
            "The share of rows that were answered from the cache since the start.",
            labels=("model",),
        )
        for model, counts in found.items():
            if total := sum(counts.values()):
                rate.add_metric([model], counts.get("hit", 0.0) / total)
        yield rate


def _count_in(folder: Path, number: int) -> None:
    """Have every number of this process kept in a file of `folder`."""
    from prometheus_client import values

    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    # Named by place, not by process: there are as many files as workers, however often one falls.
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]
