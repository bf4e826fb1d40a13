"""The duct's time: what schedules, delays and readings go by."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from drivers.types import NS_PER_S, Instant


class Clock(Protocol):
    """Time that never goes back. Deadlines of hardware and network are not its business: those use asyncio's time."""

    def now(self) -> Instant: ...

    async def sleep_until(self, when: Instant) -> None:
        """Return at `when`, or at the next turn of the loop if that is past."""

    def held(self) -> AbstractContextManager[None]:
        """Inside, simulated time stands still: for work that takes the machine's time and none of the duct's."""


class MonotonicClock:
    """CLOCK_MONOTONIC, which V4L2 buffers and the event loop share (Linux, clock_gettime(2))."""

    def now(self) -> Instant:
        return Instant(time.monotonic_ns())

    async def sleep_until(self, when: Instant) -> None:
        await asyncio.sleep(max(0, when - self.now()) / NS_PER_S)

    def held(self) -> AbstractContextManager[None]:
        return nullcontext()


TURNS = 32  # of the loop, that all who follow from one moment get before the next: stages hand over within a few


class SimulatedClock:
    """Time that steps from one awaited moment to the next, at most `factor` times as fast as real time.

    Whoever wakes reads exactly the moment it waited for, however late the machine is, and what follows from it,
    with the work that is done under `held`, is over before the next: so one seed gives the same run on any machine.
    Sleepers with the same moment wake in the order in which they lay down.
    """

    def __init__(self, factor: float = 1.0) -> None:
        if not factor > 0:
            raise ValueError(f"time factor must be above 0, not {factor}")
        self._factor = factor
        self._now = Instant(0)
        self._origin_s: float | None = None  # the loop's time at simulated 0: when time was first needed
        self._order = itertools.count()
        self._waiting: list[tuple[Instant, int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._holds = 0

    def now(self) -> Instant:
        return self._now

    async def sleep_until(self, when: Instant) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (max(when, self._now), next(self._order), woken))
        self._arm()
        await woken

    @contextmanager
    def held(self) -> Iterator[None]:
        self._holds += 1
        self._arm()
        try:
            yield
        finally:
            self._release(TURNS)

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        if self._origin_s is None:
            self._origin_s = loop.time()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._waiting[0][2].done():  # cancelled while asleep
            heapq.heappop(self._waiting)
        if self._waiting and not self._holds:
            due_s = self._origin_s + self._waiting[0][0] / NS_PER_S / self._factor
            self._timer = loop.call_at(due_s, self._step)

    def _step(self) -> None:
        self._timer = None
        when, _, woken = heapq.heappop(self._waiting)
        if not woken.done():
            self._now = when
            woken.set_result(None)
        self._holds += 1
        self._release(TURNS)

    def _release(self, turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._release, turns - 1)
        else:
            self._holds -= 1
            self._arm()
