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
    the same run on any machine. Two sleepers with the same moment wake in the order in which they lay down.
    """

    def __init__(self, factor: float = 1.0) -> None:
        if not factor > 0:
            raise ValueError(f"time factor must be above 0, not {factor}")
        self._factor = factor
        self._now = Instant(0)
        self._started_s = time.monotonic()
        self._order = itertools.count()
        self._waiting: list[tuple[Instant, int, asyncio.Future[None]]] = []

    def now(self) -> Instant:
        return self._now

    async def sleep_until(self, when: Instant) -> None:
        entry = (max(when, self._now), next(self._order), asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiting, entry)
        try:
            while not entry[2].done():
                await self._wait_for_turn(entry)
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)

    async def _wait_for_turn(self, entry: tuple[Instant, int, asyncio.Future[None]]) -> None:
        due_s = self._started_s + entry[0] / NS_PER_S / self._factor
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        while self._waiting and self._waiting[0] <= entry:
            when, _, future = heapq.heappop(self._waiting)
            self._now = max(self._now, when)
            if not future.done():
                future.set_result(None)
                return
