"""A blocking thing together with the one thread that opens it, uses it and closes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, TypeVarTuple

from drivers.errors import Absent, Lost
from drivers.types import SourceId
from drivers.worker import Stuck, Worker

T = TypeVar("T")
R = TypeVar("R")
Arguments = TypeVarTuple("Arguments")

OPEN_LIMIT_S = 15.0  # opening takes milliseconds, but the first one imports a library: seconds from a slow card
CLOSE_LIMIT_S = 0.5  # the whole firmware has two seconds to stop


class ThreadBound(Generic[T]):
    """What a device holds while it is open: a bus, a port, a line. `what` names it in messages.

    Each call returns within its limit, or the device is `Lost`. A thread that hangs in the kernel is kept, never
    replaced, so that a device costs one thread however often it is opened again: until that thread comes back,
    opening fails at once. What it opened too late it closes itself.

    `open_thing` returns the thing or raises; `release` closes it and must not raise because the thing has gone.
    """

    def __init__(
        self, source: SourceId, what: str, open_thing: Callable[[], T], release: Callable[[T], None] = lambda _: None
    ) -> None:
        self._source = source
        self._what = what
        self._open_thing = open_thing
        self._release = release
        self._worker: Worker | None = None
        self._held: _Held[T] | None = None

    async def open(self, *, limit_s: float = OPEN_LIMIT_S) -> None:
        """Raise `Absent` if it does not open in time, or whatever `open_thing` raises."""
        if self._worker is not None and self._worker.stuck:
            raise Absent(self._source, f"{self._what} still hangs from before", remedy=UNPLUG)
        held = _Held(self._open_thing, self._release)
        worker = Worker(self._source, on_end=held.release)
        self._held, self._worker = held, worker
        try:
            await worker.run(held.open, limit_s=limit_s)
        except Stuck:
            worker.close()
            raise Absent(self._source, f"{self._what} did not open within {limit_s:g} s", remedy=UNPLUG) from None
        except BaseException:
            worker.close()
            raise

    async def call(self, function: Callable[[T, *Arguments], R], *arguments: *Arguments, limit_s: float) -> R:
        """Return what `function(thing, *arguments)` returns or raise what it raises; `Lost` after `limit_s` seconds."""
        assert self._worker is not None
        assert self._held is not None
        try:
            return await self._worker.run(self._held.call, function, arguments, limit_s=limit_s)
        except Stuck:
            raise Lost(self._source, f"{self._what} did not answer within {limit_s:g} s", remedy=UNPLUG) from None

    async def close(self) -> None:
        """Close the thing; if its thread hangs, leave that to the thread and do not wait for it."""
        assert self._worker is not None
        assert self._held is not None
        try:
            await self._worker.run(self._held.release, limit_s=CLOSE_LIMIT_S)
        except Stuck:
            return
        finally:
            self._worker.close()


UNPLUG = "It hangs in the kernel: unplug it, wait 10 s and plug it in again, or restart the board."


class _Held(Generic[T]):
    """One thing from opening to release, touched by its own thread only."""

    def __init__(self, open_thing: Callable[[], T], release: Callable[[T], None]) -> None:
        self._open_thing = open_thing
        self._release = release
        self._things: list[T] = []

    def open(self) -> None:
        self._things.append(self._open_thing())

    def call(self, function: Callable[..., R], arguments: tuple[Any, ...]) -> R:
        return function(self._things[0], *arguments)

    def release(self) -> None:
        while self._things:
            self._release(self._things.pop())
