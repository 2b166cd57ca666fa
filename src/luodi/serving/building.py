"""A service put together: from the versions to offer to what the routes share."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from luodi.registry import Registered, Registry
from luodi.registry.keys import KeyRing
from luodi.serving.access import Access
from luodi.serving.cache import AnswerCache
from luodi.serving.desk import Desk
from luodi.serving.fleet import Fleet
from luodi.serving.following import Follower
from luodi.serving.metrics import ServiceMetrics
from luodi.serving.policy import Policies, Wanted
from luodi.serving.quotas import Quotas
from luodi.serving.router import Offer, Router, Served
from luodi.serving.service import Logs, Service
from luodi.serving.settings import ServeSettings
from luodi.serving.shared_acts import SharedActs
from luodi.serving.watch import Watch
from luodi.traffic.feedback import FeedbackLog
from luodi.traffic.log import TrafficLog

LOG = logging.getLogger("luodi.serving")


@dataclass(frozen=True)
class Offers:
    """What a service is to answer with.

    Attributes:
        registry: whose aliases and routes are followed.
        wanted: what project files say of serving, by model.
    """

    versions: Sequence[Offer]
    registry: Registry
    wanted: Wanted = field(default_factory=dict)


def build(offers: Offers, settings: ServeSettings) -> Service:
    """Load every version, and put the parts together.

    Raises:
        BundleError: when a bundle is not what the registry knows.
        BusyError: when they need more memory than there may be.
    """
    from luodi.bundle import open_predictor

    metrics = ServiceMetrics(settings.shared, settings.number)
    policies = Policies(offers.wanted)

    def load(model: Registered) -> Served:
        bundle = open_predictor(model.folder, settings.threads, model.digest)
        observe = metrics.batch_observer(model.model)
        said = {**bundle.manifest.serving, **offers.wanted.get(model.model, {})}
        kept = said.get("cache", 0)
        cache = AnswerCache(kept, metrics.cache_counter(model.model)) if kept else None
        return Served(bundle, settings.limits, settings.sessions, observe, cache)

    fleet = Fleet(load, settings.memory)
    router = Router(fleet, discreet=settings.keys)
    shared = settings.shared
    watch = Watch(mine=shared / f"{settings.number}.watch" if shared else None)
    for offer in offers.versions:
        router.offer(offer)
        card = fleet.load_now(offer.model).card
        if card is not None:
            policies.carries(card)
    # What was not asked to make a home folder does not: nothing is logged where there is none.
    home = offers.registry.home
    traffic = TrafficLog(
        home if home.is_dir() else None,
        policies.traffic,
        lambda reason, rows: metrics.traffic_left_out.labels(reason).inc(rows),
        models=policies.models,
    )
    acts = SharedActs(settings.acts, settings.workers - 1)
    follower = Follower(router, offers.registry, watch, metrics, policies, acts)
    access = Access(KeyRing(home), _quotas(home, settings)) if settings.keys else Access(None)
    desk = Desk(router, metrics, watch, traffic, access)
    logs = Logs(traffic, FeedbackLog(home), settings.replicated)
    return Service(router, settings.limits, metrics, follower, desk, logs)


def _quotas(home: Path, settings: ServeSettings) -> Quotas:
    """What keys have asked; in the home folder, so that a day's quota outlives a restart."""
    try:
        return Quotas(home / "quotas")
    except OSError as error:  # the folder is for reading alone
        LOG.warning("what keys ask is forgotten when this service ends: %s", error)
        return Quotas(settings.quotas)
