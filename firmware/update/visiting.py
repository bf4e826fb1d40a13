"""Visits to repositories: asks what the channel offers, and fetches what is for this board."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from drivers.worker import Stuck, Worker
from firmware.observations import UpdateStep
from firmware.update.depot import Depot
from firmware.update.keeping import Keeping
from firmware.update.schedule import first_pause_s, pause_s
from firmware.update.telling import Telling, in_words
from firmware.update.wishes import Wish, Wishes
from ota.errors import OtaError, Untrusted
from ota.slot_states import Held
from ota.types import Release

LIMIT_S = 4 * 3600.0  # beyond the deadline of a download


class Visiting:
    """One visit at a time, in a thread. `chance` is as `firmware.update.schedule` has it."""

    def __init__(
        self, depot: Depot, wishes: Wishes, telling: Telling, keeping: Keeping, chance: Callable[[], float]
    ) -> None:
        self._depot, self._wishes, self._telling, self._keeping, self._chance = depot, wishes, telling, keeping, chance
        self._worker = Worker("update: visits")
        self._every_s = depot.settings.every
        self._failures = 0
        self._is_stopped = False
        self.next_in_s = first_pause_s(self._every_s, chance())

    def stop(self) -> None:
        """A download: it goes on some other time."""
        self._is_stopped = True

    def close(self) -> None:
        self.stop()
        self._worker.close()

    async def make(self, wish: Wish) -> None:
        """Ask, and fetch what there is. What is in the way is told, and sets when it is time again."""
        self._telling.ask()
        with self._wishes.fulfilling(wish):
            try:
                await self._visit(wish)
                self._failures = 0
            except (OtaError, Stuck) as error:
                self._failures += 1
                self._wishes.came_to(wish, None, in_words(error), later=True)
                self._telling.postponed(error)
        self.next_in_s = pause_s(self._every_s, self._failures, self._chance())

    async def _visit(self, wish: Wish) -> None:
        try:
            release = await self._asked(wish)
            if release is not None:
                await self._fetch(wish, release)
        except Untrusted as error:
            self._wishes.came_to(wish, None, str(error))
            self._telling.distrusted(error)

    async def _asked(self, wish: Wish) -> Release | None:
        """What is to be fetched."""
        release, why = await self._worker.run(self._depot.look, wish.where, wish.older, limit_s=LIMIT_S)
        self._telling.well()
        if not self._wishes.is_held(wish):
            return None
        if release is not None and release.counter < wish.at_least:
            why = f"the channel offers {Held.of(release)}, release {release.counter}, not {wish.at_least} or later"
        self._wishes.came_to(wish, release, why)
        if release is not None and not why:
            return release
        self._telling.doing.came_to(UpdateStep.NONE, why)
        if wish.asked:
            self._telling.say(UpdateStep.NONE, "", why)
        return None

    async def _fetch(self, wish: Wish, release: Release) -> None:
        name, loop = str(Held.of(release)), asyncio.get_running_loop()
        self._telling.say(UpdateStep.FOUND, name, f"{release.target.length} bytes at {wish.where}")
        self._telling.doing.begin("fetching", name, of=release.target.length)

        def progress(here: int, of: int) -> None:
            loop.call_soon_threadsafe(self._telling.came, name, here, of)

        self._is_stopped = False
        fetch = partial(
            self._depot.fetch,
            release,
            wish.where,
            progress,
            stopped=lambda: self._is_stopped or not self._wishes.is_held(wish),
            older=wish.older,
        )
        how = await self._worker.run(fetch, limit_s=LIMIT_S)
        self._keeping.forget()
        if how is not None:
            self._telling.say(UpdateStep.STAGED, name, how)
