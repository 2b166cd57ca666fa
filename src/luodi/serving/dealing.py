"""Which version answers a request: the champion, or one of its challengers."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from luodi.registry import Challenger, Route

Arm = Literal["champion", "canary", "shadow", "pinned"]


@dataclass(frozen=True)
class Deal:
    """What one request gets.

    Attributes:
        challenger: the version that answers instead of the champion; empty for the champion.
        shadows: versions that answer too, for the log alone.
    """

    challenger: str = ""
    shadows: tuple[str, ...] = ()


def deal(name: str, route: Route, headers: Mapping[str, str]) -> Deal:
    """Deal a request of the model `name`, by its headers and by chance.

    A header rule goes before shares. A caller that sends the route's sticky header stays with one
    version as long as the route stays; when a canary's share grows, those it had stay with it.
    """
    if not route.challengers:
        return Deal()
    key = headers.get(route.sticky.lower(), "")
    place = placed(name, key) if key else random.random() * 100
    chosen, end = "", 0.0
    for each in route.challengers:
        if each.mode != "canary":
            continue
        if _sent(each, headers):
            chosen = each.version
            break
        if end <= place < end + each.percent and not chosen:
            chosen = each.version
        end += each.percent
    shadows = tuple(
        each.version
        for each in route.challengers
        if each.mode == "shadow"
        and each.version != chosen
        and (_sent(each, headers) or random.random() * 100 < each.percent)
    )
    return Deal(chosen, shadows)


def placed(name: str, key: str) -> float:
    """Where a key stands on the model's scale of 0 to 100, evenly spread and always the same."""
    digest = hashlib.sha256(f"{name}\0{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * 100


def _sent(challenger: Challenger, headers: Mapping[str, str]) -> bool:
    if challenger.header is None:
        return False
    name, value = challenger.header
    return headers.get(name.lower()) == value
