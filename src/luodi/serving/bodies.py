"""What the bodies of all requests that are being read or answered take together.

A thousand callers who send sixteen megabytes each, none too slowly, would fill any memory. Over
HTTP every piece is counted as it comes. gRPC tells of a message when all of it is here: so until
then it counts as the largest that it may be, and those for which there is no room yet are not read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request

from luodi.contracts import BusyError, say
from luodi.serving.admission import too_much
from luodi.serving.settings import Limits

SMALL = 32_768
"""Bytes up to which a body is always taken."""


class Bodies:
    """Counts them. Lives on one event loop.

    Attributes:
        held: bytes, now.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.held = 0
        self._coming = 0  # messages that count as the largest
        self._read_since: dict[asyncio.Timeout, float] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()

    def hold(self, request: Request, size: int) -> None:
        """Count bytes that have come, until `release`. Small bodies are always taken.

        Raises:
            BusyError: when others hold too much for a large one.
        """
        mine = getattr(request.state, "held", 0)
        self._check(mine, size)
        request.state.held = mine + size
        self.held += size

    def release(self, request: Request) -> None:
        """The request was answered."""
        self._let_go(getattr(request.state, "held", 0))

    @contextlib.asynccontextmanager
    async def message(self, read: Callable[[], Awaitable[bytes]]) -> AsyncIterator[bytes]:
        """A message, read when there is room for it, and counted until the block ends.

        Raises:
            BusyError: when there is no room in time, others hold too much for a large one, or it
                comes too slowly while others wait.
        """
        size = self.limits.body
        await self._room()
        try:
            try:
                data = await self._read(read)
            finally:
                self._coming -= 1
            self.held, size = self.held - size, 0
            self._check(0, len(data))  # one alone was let in beyond the bound
            self.held, size = self.held + len(data), len(data)
            self._let_go(0)
            yield data
        finally:
            self._let_go(size)

    async def _read(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        limits, now = self.limits, asyncio.get_running_loop().time()
        longest = limits.body_seconds + (0 if self._waiting else limits.body / limits.body_pace)
        try:
            async with asyncio.timeout(longest) as patience:
                self._read_since[patience] = now
                try:
                    return await read()
                finally:
                    del self._read_since[patience]
        except TimeoutError:
            raise BusyError(
                say("The message took too long to arrive.", "消息到达过慢。"),
                "",
                say("Send less at once, or try again.", "请减少一次发送的数量，或重试。"),
            ) from None

    async def _room(self) -> None:
        """Wait until one more message may come."""
        if not self._waiting and self._fits():
            self._take()
            return
        seconds = self.limits.body_seconds
        for patience, since in self._read_since.items():  # who dribbles now holds up others
            if not patience.expired():
                patience.reschedule(min(patience.when() or since, since + seconds))
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.done() and not turn.cancelled():  # its turn came too late
                self._coming -= 1
                self._let_go(self.limits.body)
            if isinstance(error, TimeoutError):
                raise too_much(1.0) from None
            raise

    def _fits(self) -> bool:
        """One at a time always does, however much others hold."""
        return not self._coming or self.held + self.limits.body <= self.limits.bodies

    def _take(self) -> None:
        self._coming += 1
        self.held += self.limits.body

    def _check(self, mine: int, size: int) -> None:
        large, alone = mine + size > SMALL, self.held == mine
        if large and not alone and self.held + size > self.limits.bodies:
            raise too_much(1.0)

    def _let_go(self, size: int) -> None:
        self.held -= size
        while self._waiting and self._fits():
            turn = self._waiting.popleft()
            if not turn.done():
                self._take()
                turn.set_result(None)
