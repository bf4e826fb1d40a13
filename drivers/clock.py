"""The duct's time: what schedules, delays and readings go by."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Protocol

from drivers.types import NS_PER_S, Instant


class Clock(Protocol):
    """Time that never goes back. Deadlines of hardware and network are not its business: those use asyncio's time."""

    def now(self) -> Instant: ...

    async def sleep_until(self, when: Instant) -> None:
        """Return at `when`, or at the next turn of the loop if that is past."""


class MonotonicClock:
    """CLOCK_MONOTONIC, which V4L2 buffers and the event loop share (Linux, clock_gettime(2))."""

    def now(self) -> Instant:
        return Instant(time.monotonic_ns())

    async def sleep_until(self, when: Instant) -> None:
        await asyncio.sleep(max(0, when - self.now()) / NS_PER_S)


class SimulatedClock:
    """Time that steps from one awaited moment to the next, `factor` times as fast as real time.

    Whoever wakes reads exactly the moment it waited for, however late the machine is, so that one seed gives
    the same run on any machine. Sleepers with the same moment wake in the order in which they lay down.
    """

    def __init__(self, factor: float = 1.0) -> None:
        if not factor > 0:
            raise ValueError(f"time factor must be above 0, not {factor}")
        self._factor = factor
        self._now = Instant(0)
        self._origin_s: float | None = None  # the loop's time at simulated 0: set by the first sleeper
        self._order = itertools.count()
        self._waiting: list[tuple[Instant, int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> Instant:
        return self._now

    async def sleep_until(self, when: Instant) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (max(when, self._now), next(self._order), woken))
        self._arm()
        await woken

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        if self._origin_s is None:
            self._origin_s = loop.time()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._waiting[0][2].done():  # cancelled while asleep
            heapq.heappop(self._waiting)
        if self._waiting:
            due_s = self._origin_s + self._waiting[0][0] / NS_PER_S / self._factor
            self._timer = loop.call_at(due_s, self._step)

    def _step(self) -> None:
        self._timer = None
        when, _, woken = heapq.heappop(self._waiting)
        if not woken.done():
            self._now = when
            woken.set_result(None)
        asyncio.get_running_loop().call_soon(self._arm)  # after the woken task had its turn
