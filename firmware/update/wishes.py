"""Who wants a release: a technician, a job, or the clock. And what came of it, for a job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from drivers.clock import Clock
from drivers.types import NS_PER_S
from firmware.update.job_decisions import Asked
from firmware.update.schedule import is_open
from firmware.update.settings import UpdateSettings
from ota.types import Release

LOOK_S = 30.0  # how often it is asked whether a window is open


@dataclass(frozen=True, slots=True)
class Wish:
    """A release is wanted from this repository; `older`: also one that is not newer. `asked`: by somebody.

    `job`: on whose behalf, and then nothing with a release counter below `at_least` will do.
    """

    where: str
    older: bool = False
    asked: bool = True
    job: str = ""
    at_least: int = 0


class Wishes:
    """One waits at most, and a newer one takes its place; one is being fulfilled. `minute` is as `is_open` has it."""

    def __init__(self, settings: UpdateSettings, clock: Clock, minute: Callable[[], int | None]) -> None:
        self._settings, self._clock, self._minute = settings, clock, minute
        self._waiting: Wish | None = None
        self._at_it: Wish | None = None
        self._arrived = asyncio.Event()
        self.asked: Asked | None = None  # what came of the newest that a job had

    @property
    def waits(self) -> bool:
        return self._waiting is not None

    @property
    def busy(self) -> bool:
        return self._waiting is not None or self._at_it is not None

    def put(self, wish: Wish) -> None:
        if wish.job:
            self.asked = None
        self._waiting = wish
        self._arrived.set()

    def withdraw(self, job: str) -> None:
        """What a job wanted. If it is being fulfilled, that is to end: see `is_held`."""
        self.asked = None
        if self._waiting is not None and self._waiting.job == job:
            self._waiting = None
            self._arrived.clear()
        if self._at_it is not None and self._at_it.job == job:
            self._at_it = None

    async def next(self, wait_s: float) -> Wish:
        """Somebody's, or the clock's: in a window, once it is time to ask the repository, `wait_s` from now."""
        due = self._clock.now() + round(wait_s * NS_PER_S)
        polled = self._settings.repository if self._settings.poll else None
        while self._waiting is None:
            is_time = polled is not None and self._clock.now() >= due
            if polled is not None and is_time and is_open(self._settings.open_windows, self._minute()):
                self._waiting = Wish(polled, asked=False)
                break
            left_s = (due - self._clock.now()) / NS_PER_S
            await self.rest(left_s if 0 < left_s < LOOK_S else LOOK_S)
        wish, self._waiting = self._waiting, None
        self._arrived.clear()
        return wish

    async def rest(self, most_s: float) -> None:
        """Until somebody wishes something that was not looked at yet, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._arrived.wait()
        self._arrived.clear()

    @contextmanager
    def fulfilling(self, wish: Wish) -> Iterator[None]:
        self._at_it = wish
        try:
            yield
        finally:
            self._at_it = None

    def is_held(self, wish: Wish) -> bool:
        """Whether it is still wanted."""
        return self._at_it is wish

    def came_to(self, wish: Wish, offered: Release | None, why: str, *, later: bool = False) -> None:
        """What came of it: see `Asked`."""
        if wish.job and self.is_held(wish):
            self.asked = Asked(job=wish.job, offered=offered, why=why, later=later)
