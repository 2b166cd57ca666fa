"""The versions that one process can answer with: loaded, proved, leased, and let go.

A request holds a lease on the one version that answers it; a version that is let go is closed when
its last lease ends. So a swap drops no request, and none is answered by two versions.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from luodi.contracts import BusyError, HistorySettings, LuodiError, Schema, say
from luodi.registry import Registered
from luodi.serving.admission import too_late

if TYPE_CHECKING:
    from luodi.bundle import Manifest
    from luodi.serving.router import Served


@dataclass(frozen=True)
class Card:
    """What is told of a version, in memory or not."""

    name: str
    version: str
    digest: str
    manifest: Manifest
    schema: Schema
    history: HistorySettings | None = None
    explains: bool = False


@dataclass(eq=False)
class Held:
    """A version that may answer here.

    Attributes:
        served: it, in memory; None while it is not.
        proved: it repeated its golden answers in this process.
        bytes: what it took in memory when it was loaded.
        reason: why it is not in memory.
        leases: requests that it is answering.
    """

    model: Registered
    served: Served | None = None
    card: Card | None = None
    proved: bool = False
    bytes: int = 0
    used: float = field(default_factory=time.monotonic)
    leases: int = 0
    dropped: bool = False
    reason: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Name and version."""
        return self.model.model, self.model.version


class Fleet:
    """Loads versions while others answer; keeps to a limit of memory. Lives on one event loop.

    Args:
        load: a version of the registry -> one that answers; called in a thread.
        memory: bytes that all versions in memory may take together; None for no limit.
    """

    def __init__(self, load: Callable[[Registered], Served], memory: int | None = None) -> None:
        self._load, self.memory = load, memory
        self._held: dict[tuple[str, str], Held] = {}
        self._taken: dict[tuple[str, str], int] = {}  # bytes, also of what found no room
        self._loading: set[asyncio.Task[Served]] = set()
        self._lock = asyncio.Lock()  # one is loaded at a time: two would need room for both
        self.evictions = 0

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._held.values()))

    @property
    def bytes(self) -> int:
        """What the versions in memory take together."""
        return sum(held.bytes for held in self._held.values() if held.served)

    def get(self, name: str, version: str) -> Held | None:
        """The version, when it may answer here."""
        return self._held.get((name, version))

    def hold(self, model: Registered) -> Held:
        """Let this version answer here; it is loaded when it is first needed."""
        key = model.model, model.version
        return self._held.setdefault(key, Held(model, bytes=self._taken.get(key, 0)))

    def load_now(self, model: Registered) -> Held:
        """Hold a version and load it at once: before the service listens.

        Raises:
            BundleError: when it is not what the registry knows.
            BusyError: when it needs more memory than there may be.
        """
        held = self.hold(model)
        if held.served is None:
            self._make_room(held, held.bytes or _size_on_disk(model))
            self._take(held, *_measured(self._load, model))
        return held

    async def ready(self, held: Held, prove: bool = False) -> Served:
        """The version, in memory; loaded when it is not.

        Args:
            prove: it must have repeated its golden answers, which takes a moment.

        Raises:
            BundleError: when a file is not as sealed, or an answer is not as it was.
            BusyError: when there is no room for it now.
        """
        if held.served is not None and (held.proved or not prove):
            return held.served
        async with self._lock:
            try:
                if held.served is None:
                    self._make_room(held, held.bytes or _size_on_disk(held.model))
                    served, size = await asyncio.to_thread(_measured, self._load, held.model)
                    if prove and not held.proved:
                        await self._prove(held, served)
                    self._take(held, served, size)
                elif prove and not held.proved:
                    await self._prove(held, held.served)
            except LuodiError as error:
                held.reason = str(error)
                raise
            if held.served is None:
                raise BusyError(
                    say("The version was withdrawn.", "该版本已被撤下。"),
                    "",
                    say("Ask again.", "请重新请求。"),
                )
            return held.served

    async def _prove(self, held: Held, served: Served) -> None:
        from luodi.bundle import prove

        try:
            await asyncio.to_thread(prove, served.bundle)
        except BaseException:
            if held.served is not served:
                served.close()
            raise
        held.proved = True

    @asynccontextmanager
    async def lease(self, held: Held, deadline: float | None = None) -> AsyncIterator[Served]:
        """The version, in memory, kept there until the block ends.

        Args:
            deadline: by the event loop's clock; its loading is waited for until then.

        Raises:
            BundleError, BusyError: as `ready`; or it is not loaded in time.
        """
        held.leases += 1  # before it is waited for: nobody may evict it meanwhile
        try:
            held.used = time.monotonic()
            yield held.served or await self._loaded(held, deadline)
        finally:
            held.leases -= 1
            if held.dropped and not held.leases:
                self._close(held)

    async def _loaded(self, held: Held, deadline: float | None) -> Served:
        """The version, loaded; it is loaded to the end when this caller does not wait for it."""
        loading = asyncio.get_running_loop().create_task(self.ready(held))
        self._loading.add(loading)  # the loop itself keeps no hold on a task
        loading.add_done_callback(self._loading.discard)
        loading.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout_at(deadline) as patience:
                return await asyncio.shield(loading)
        except TimeoutError:
            if not patience.expired():
                raise
            raise too_late(1.0) from None

    def drop(self, held: Held) -> None:
        """Let a version answer here no more; what it has begun, it answers."""
        if self._held.get(held.key) is held:
            del self._held[held.key]
        held.dropped = True
        if not held.leases:
            self._close(held)

    def close(self) -> None:
        """Let every version go."""
        for held in list(self._held.values()):
            self.drop(held)

    def _take(self, held: Held, served: Served, size: int) -> None:
        bundle = served.bundle
        held.card = Card(
            served.name, served.version, bundle.digest, bundle.manifest, bundle.schema,
            bundle.preparation.history, bundle.explains,
        )  # fmt: skip

        # One that comes back finds memory that another left: it takes no less for that.
        held.served, held.bytes, held.reason = served, max(size, held.bytes), ""
        self._taken[held.key] = held.bytes
        if held.dropped and not held.leases:
            self._close(held)  # it was dropped while it was being loaded
            return
        try:
            self._make_room(held, 0)  # it may have taken more than it was thought to
        except BusyError:
            if not held.leases:
                self._close(held)
                raise

    def _make_room(self, wanted: Held, needed: int) -> None:
        if self.memory is None:
            return
        idle = [each for each in self if each.served and not each.leases and each is not wanted]
        idle.sort(key=lambda each: each.used)
        # None leaves for one that would not fit even so.
        if self.bytes - sum(each.bytes for each in idle) + needed > self.memory:
            raise self._short(wanted, needed or wanted.bytes, self.memory)
        while self.bytes + needed > self.memory:
            evicted = idle.pop(0)
            self._close(evicted)
            evicted.reason = say("evicted: memory is short", "已移出内存：内存不足")
            self.evictions += 1

    @staticmethod
    def _short(wanted: Held, size: int, memory: int) -> BusyError:
        name, version = wanted.key
        return BusyError(
            say(
                f"{name}:{version} needs {size / 2**20:.1f} MiB of memory.",
                f"{name}:{version} 需要 {size / 2**20:.1f} MiB 内存。",
            ),
            say(
                f"All models together may take {memory / 2**20:.1f} MiB.",
                f"所有模型合计可用 {memory / 2**20:.1f} MiB。",
            ),
            say("Try again, unload another, or give more.", "请重试、卸载其他模型或调高上限。"),
        )

    @staticmethod
    def _close(held: Held) -> None:
        if held.served is not None:
            held.served.close()
            held.served = None


def _measured(load: Callable[[Registered], Served], model: Registered) -> tuple[Served, int]:
    """A loaded version and its bytes: what the process grew by, at least its files.

    What others allocate meanwhile is counted too: the measure errs to the careful side.
    """
    before = resident_bytes()
    served = load(model)
    give_back()
    return served, max(_size_on_disk(model), resident_bytes() - before)


def give_back() -> None:
    """Return to the system what reading the model's files took and no longer needs.

    Of a MiniLM in float32 that is a sixth of what the process holds. Only glibc has the call.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident_bytes() -> int:
    """What this process has in memory."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - the kernel's, not a path of ours
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _size_on_disk(model: Registered) -> int:
    return sum(
        file.stat().st_size for file in (model.folder / "model").rglob("*") if file.is_file()
    )
