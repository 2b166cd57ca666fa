"""Who answers beside a model's champion: challengers, and how requests are dealt among them.

The champion is no part of a route: it is what the alias `production` means, or the newest version
that passed its gate where there is no such alias.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from luodi.contracts import JsonValue, RegistryError, say

Mode = Literal["canary", "shadow"]
STICKY = "X-Luodi-Key"
"""The request header that keeps a caller with one version; a route may name another."""
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_VALUE = re.compile(r"[\x20-\x7e]{1,200}")


@dataclass(frozen=True)
class Challenger:
    """A version that takes part of a model's requests, or copies of them.

    Attributes:
        mode: `canary` answers instead of the champion; `shadow` answers beside it, unseen.
        percent: the share of requests, 0 to 100, that it is dealt.
        header: (name, value) of a request header that sends a request here whatever the share.
    """

    version: str
    mode: Mode
    percent: float = 0.0
    header: tuple[str, str] | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """The challenger as JSON."""
        header = ": ".join(self.header) if self.header else None
        return {
            "version": self.version,
            "mode": self.mode,
            "percent": self.percent,
            "header": header,
        }


@dataclass(frozen=True)
class Route:
    """A model's challengers; none, and the champion answers alone."""

    challengers: tuple[Challenger, ...] = ()
    sticky: str = STICKY

    def to_json(self) -> dict[str, JsonValue]:
        """The route as JSON."""
        return {
            "challengers": [challenger.to_json() for challenger in self.challengers],
            "sticky": self.sticky,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Route:
        """Read what `to_json` wrote."""
        return cls(
            tuple(
                Challenger(
                    item["version"],
                    item["mode"],
                    item["percent"],
                    header_rule(item["header"]) if item["header"] else None,
                )
                for item in value["challengers"]
            ),
            value["sticky"],
        )

    def without(self, version: str) -> Route:
        """The route when this version is no challenger any more."""
        rest = tuple(each for each in self.challengers if each.version != version)
        return Route(rest, self.sticky)


def header_rule(text: str) -> tuple[str, str]:
    """`Name: value` -> (name, value).

    Raises:
        RegistryError: when it is not of that form.
    """
    name, _, value = (part.strip() for part in text.partition(":"))
    if not _HEADER.fullmatch(name) or not _VALUE.fullmatch(value):
        raise RegistryError(
            say(f"{text[:80]!r} is no header.", f"{text[:80]!r} 不是请求头。"),
            say("Expected Name: value, such as X-Beta: yes.", "应为 名称: 值，如 X-Beta: yes。"),
        )
    return name, value


def check_route(route: Route, champion: str) -> None:
    """Hold a route to what can be dealt.

    Raises:
        RegistryError: when shares leave 0 to 100, a version stands there twice, or is the champion.
    """
    versions = [challenger.version for challenger in route.challengers]
    if champion in versions or len(set(versions)) < len(versions):
        raise RegistryError(
            say(
                f"{champion} is the champion, or a challenger is named twice.",
                f"{champion} 已是当前版本，或同一挑战者出现了两次。",
            ),
            say("Expected each version once.", "每个版本只应出现一次。"),
        )
    shares = [challenger.percent for challenger in route.challengers]
    dealt = sum(each.percent for each in route.challengers if each.mode == "canary")
    if not all(0 <= share <= 100 for share in shares) or dealt > 100:
        raise RegistryError(
            say(f"The shares are {shares} percent.", f"各份额为 {shares}%。"),
            say(
                "Expected 0 to 100 each, and at most 100 for all canaries together.",
                "每个应在 0 到 100 之间，所有金丝雀合计至多 100。",
            ),
        )
    if not _HEADER.fullmatch(route.sticky):
        raise RegistryError(
            say(f"{route.sticky[:80]!r} names no header.", f"{route.sticky[:80]!r} 不是请求头名。"),
            say("Expected letters, digits and dashes.", "应为字母、数字与连字符。"),
        )


def as_mode(text: str) -> Mode:
    """A challenger's mode, checked."""
    if text not in ("canary", "shadow"):
        raise RegistryError(
            say(f"{text!r} is no mode.", f"{text!r} 不是模式。"),
            say("Expected canary or shadow.", "应为 canary 或 shadow。"),
        )
    return cast("Mode", text)
