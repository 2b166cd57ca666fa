"""Who may do what here. A route says what it needs; whatever is not declared is not there.

On the loopback address everybody on the machine may ask, unless keys are asked for. Anywhere else
a key is needed: `Authorization: Bearer KEY`, or `X-API-Key: KEY`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from luodi.contracts import BusyError, LuodiError, RegistryError, say
from luodi.registry.keys import Key, KeyRing, Role
from luodi.serving.quotas import Quotas

Need = Role | Literal["open"]
"""What a route needs: a role, or nothing at all (`open`: is the process alive?)."""
LOG = logging.getLogger("luodi.serving")
_BEARER = "bearer "


class DeniedError(LuodiError):
    """A caller may not do this.

    Attributes:
        status: 401 when it is not known who asks, 403 when it is known and not allowed, 429 when
            it has asked too much.
        seconds: when to come again, for 429.
    """

    def __init__(self, status: int, found: str, remedy: str = "", seconds: float = 0.0) -> None:
        self.status, self.seconds = status, seconds
        super().__init__(found, "", remedy)

    @property
    def headers(self) -> dict[str, str]:
        """What the answer's head says beside."""
        if self.status == 401:
            return {"WWW-Authenticate": 'Bearer realm="luodi"'}
        return {"Retry-After": str(math.ceil(self.seconds))} if self.status == 429 else {}


@dataclass(frozen=True)
class Caller:
    """Who asks: a key, or anybody where none is needed."""

    key: Key | None = None

    @property
    def name(self) -> str:
        """For logs: the key's prefix, never the key."""
        return self.key.prefix if self.key else ""

    def sees(self, model: str) -> bool:
        """Whether it may know of this model."""
        return self.key is None or self.key.rights.may("read", model)

    def must_see_all(self) -> None:
        """For what tells of every model at once.

        Raises:
            DeniedError: when its key is for some models only.
        """
        if self.key is not None and "*" not in self.key.rights.models:
            prefix = self.key.prefix
            raise DeniedError(
                403,
                say(f"The key {prefix} is for some models only.",
                    f"密钥 {prefix} 只限于部分模型。"),
                say("This page tells of all.", "此页面涉及所有模型。"),
            )  # fmt: skip

    def priority(self, asked: int) -> int:
        """The class that a request goes in: what it asks for, as far as its key may."""
        return min(asked, self.key.rights.priority) if self.key else asked


ANYBODY = Caller()


class Access:
    """The door.

    Args:
        ring: the keys; None where everybody may do everything.
        quotas: what the keys have asked so far.
    """

    def __init__(self, ring: KeyRing | None, quotas: Quotas | None = None) -> None:
        self._ring, self._quotas = ring, quotas or Quotas()

    @property
    def asks_for_keys(self) -> bool:
        """Whether callers need a key."""
        return self._ring is not None

    def admit(self, headers: Mapping[str, str], need: Need, model: str = "") -> Caller:
        """Who asks, when they may do what they ask for.

        Args:
            headers: names in small letters.
            need: what the route needs.
            model: whose route it is; empty for none in particular.

        Raises:
            DeniedError: when they may not.
            BusyError: when the keys cannot be read.
        """
        if need == "open" or self._ring is None:
            return ANYBODY
        given = _given(headers)
        key = self._match(self._ring, given) if given else None
        if key is None:
            raise DeniedError(
                401,
                say("This key opens nothing.", "此密钥无效。")
                if given
                else say("A key is needed.", "需要密钥。"),
                say("Send Authorization: Bearer KEY; luodi keys add NAME makes one.",
                    "请发送 Authorization: Bearer 密钥；luodi keys add 名称 可新建。"),
            )  # fmt: skip
        if not key.rights.may(need, model):
            what = say(f"the role {need}", f"角色 {need}")
            if need in key.rights.roles:
                what = say(f"the model {model}", f"模型 {model}")
            raise DeniedError(
                403, say(f"The key {key.prefix} has not {what}.", f"密钥 {key.prefix} 没有{what}。")
            )
        return Caller(key)

    @staticmethod
    def _match(ring: KeyRing, given: str) -> Key | None:
        try:
            return ring.match(given)
        except RegistryError as error:
            LOG.error("the keys cannot be read: %s", error)  # where it lies is no caller's business
            raise BusyError(
                say("The keys cannot be read now.", "暂时无法读取密钥。"),
                "",
                say("Try again later.", "请稍后重试。"),
            ) from None

    def count(self, caller: Caller, rows: int) -> None:
        """Count rows against a caller's limits, before they are answered.

        Raises:
            DeniedError: when they are too many.
        """
        refused = self._quotas.take(caller.key, rows) if caller.key else None
        if refused is None:
            return
        daily = refused.what == "daily"
        raise DeniedError(
            429,
            say("The key's rows of this day are used up.", "此密钥今日的额度已用完。")
            if daily
            else say("The key asks faster than it may.", "此密钥的请求过快。"),
            seconds=max(refused.seconds, 1.0),
        )


def _given(headers: Mapping[str, str]) -> str:
    authorization = headers.get("authorization", "")
    if authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip()
    return headers.get("x-api-key", "").strip()
