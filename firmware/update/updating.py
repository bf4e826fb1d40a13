"""Keeps the board's model up to date: asks, fetches, examines, tries, and goes back. Verdicts go on during all of it.

One thing at a time, by what the slots say: what a power cut or a reload interrupted goes on where the slots are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

from drivers.clock import Clock
from drivers.types import Instant
from drivers.worker import Stuck, Worker
from firmware.observations import Observation, UpdateChange, UpdateStep
from firmware.photography import Shot
from firmware.supervisor import Pulse
from firmware.update.depot import Depot
from firmware.update.examining import MEASURE_S, Seeing, examine, limits_of, manifest_of, prove, try_beside
from firmware.update.fitness import budget_ms
from firmware.update.job_decisions import Standing
from firmware.update.schedule import first_pause_s, pause_s
from firmware.update.shadow import Outcome, Seen
from firmware.update.telling import Doing, in_words, told
from firmware.update.trial import PROGRAM, Failed, Trial
from firmware.update.wishes import Wish, Wishes
from firmware.uplink.commands import Answer, Update, UpdateCheck, UpdateInstall, UpdateRollBack
from model.manifest import Manifest
from model.types import ModelId, Verdict
from ota.errors import OtaError, Untrusted
from ota.slot_states import Held, Record, SlotState
from ota.slots import STEADY_S, Slots

T = TypeVar("T")

DISK_LIMIT_S = 120.0  # to hash and sync two bundles on a worn card
OBEY_LIMIT_S = 10.0  # for the same, where somebody waits for the answer
RELOAD_AGAIN_S = 300.0  # one that did not come: the configuration is wrong, say, and somebody mends it
FETCH_LIMIT_S = 4 * 3600.0  # beyond the deadline of a download
TOLD_EACH = 0.25  # of a download


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What an update brings about. `reload` lets the firmware begin anew, by what the slots say then.

    `moved` is called when it stands differently: ask `standing`.
    """

    say: Callable[[Observation], None]
    request: Callable[[], None]
    reload: Callable[[], None]
    moved: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The model that counts."""

    manifest: Manifest
    bundle: Path

    @property
    def model(self) -> ModelId:
        return ModelId(self.manifest.name, self.manifest.version)


class Updating:
    """The service. `wall` is the local time, None while the board does not know it."""

    def __init__(
        self,
        depot: Depot,
        now: Now,
        *,
        hands: Hands,
        clock: Clock,
        wall: Callable[[], datetime | None],
        chance: Callable[[], float],
        priority: int,
        measure_s: float = MEASURE_S,
        reload_again_s: float = RELOAD_AGAIN_S,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        """`program` is what a model is tried in, and its latency is measured for `measure_s`."""
        self._depot, self._settings, self._board, self._now = depot, depot.settings, depot.board, now
        self._hands, self._clock, self._wall, self._chance, self._priority = hands, clock, wall, chance, priority
        self._measure_s, self._reload_again_s, self._program = measure_s, reload_again_s, program
        self._visitor, self._keeper = Worker("update: visits"), Worker("update: slots")
        self._seeing = Seeing()
        self._wishes = Wishes(self._settings, clock, self._minute)
        self._change_told: UpdateChange | None = None
        self._is_read = False  # whether `record` is what the slots say
        self._stopped = False
        self._trouble = ""
        self._ask_in_s, self._visits_failed = first_pause_s(self._settings.every, chance()), 0
        self._found = Seen(since=clock.now())  # of the model on trial, also before somebody asked for something
        self._doing = Doing()
        self.record = Record()

    def see(self, shot: Shot, verdict: Verdict) -> None:
        """Each shot that was judged, with its verdict. It is kept only while somebody has use for it."""
        self._seeing.put(shot, verdict)

    async def run(self, *, pulse: Pulse) -> None:
        """Until cancelled."""
        pulse.rest()  # what takes long here has limits of its own
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._count_as_steady(), name="update: steady")
                await self._go_on()
        finally:
            self._stopped = True
            for worker in (self._visitor, self._keeper):
                worker.close()

    async def obey(self, command: Update) -> Answer:
        """Whatever comes of it later is told by events."""
        match command:
            case UpdateCheck():
                if self._settings.repository is None:
                    return Answer(False, "no repository is configured: [update] repository")
                return self._wanted(Wish(self._settings.repository))
            case UpdateInstall(where, older):
                return self._wanted(Wish(where, older))
            case UpdateRollBack(by):
                return await self._roll_back(by)

    async def _roll_back(self, by: str) -> Answer:
        """To the model before, now."""
        if self.record.active is None:
            return Answer(False, "the model in the firmware runs: there is nothing to go back to")
        held = self.record[self.record.active].holds
        self._stopped = True  # a download: it goes on some other time
        try:
            done = await self._change(lambda slots: slots.roll_back(f"by {by}"), limit_s=OBEY_LIMIT_S)
        except (OtaError, Stuck) as error:
            return Answer(False, f"not now: {in_words(error)}")
        if not done:
            return Answer(False, f"{held} does not count any more: ask again")
        self._say(UpdateStep.WENT_BACK, str(held), f"by {by}")
        self._hands.reload()
        return Answer(True, f"the model before {held}, which this board does not take again, is being loaded")

    def status(self) -> Mapping[str, object]:
        """In plain values, for whoever asks on the board."""
        return {
            **self._doing.told(),
            "wanted": self._wishes.waits,
            "running": {
                "model": self._now.model.name,
                "version": self._now.model.version,
                "release_counter": self._now.manifest.release_counter,
            },
            "root": self._depot.trust is not None,
            "channel": self._settings.channel,
            "repository": self._settings.repository,
            **told(self.record, time.time()),
        }

    def standing(self) -> Standing | None:
        """How it stands, for whoever decides on jobs; None while that is being found out."""
        if not self._is_read:
            return None
        return Standing(
            channel=self._settings.channel,
            model=self._settings.model,
            hardware=self._board.hardware,
            shipped=self._depot.updater.shipped,
            record=self.record,
            busy=self._wishes.busy,
            asked=self._wishes.asked,
            change=self._change_told,
        )

    def ask_for(self, job: str, at_least: int) -> None:
        """Look into the channel on behalf of a job. What comes of it, `standing` tells."""
        assert self._settings.repository is not None, "jobs are taken only where there is a repository"
        self._wanted(Wish(self._settings.repository, job=job, at_least=at_least))

    def withdraw(self, job: str) -> None:
        """The job is no more: what was not fetched for it is left. What is staged has its trial all the same."""
        self._wishes.withdraw(job)

    def _wanted(self, wish: Wish) -> Answer:
        if self._depot.trust is None:
            return Answer(False, "no root is configured, so that nothing can be proved: [update] root")
        if self._doing.what == "reloading":
            return Answer(False, "another model is about to be loaded: ask again after that")
        waiting = None if self.record.pending is None else self.record[self.record.pending]
        if waiting is not None and waiting.state is SlotState.PROBATION:
            return Answer(False, f"{waiting.holds} is on probation: ask again after its verdict")
        self._wishes.put(wish)
        return Answer(True, f"asking {wish.where}: `ductwatch ota status` tells how far it is")

    async def _go_on(self) -> None:
        failures = 0
        while True:
            try:
                await self._step()
                failures = 0
            except (OtaError, Stuck) as error:
                failures += 1
                self._postpone(error)
                self._doing.begin("waiting")
                await self._wishes.rest(pause_s(self._settings.every, failures, self._chance()))

    async def _step(self) -> None:
        """One thing that the slots ask for; else what somebody asks for, or the clock."""
        await self._change(None)
        name = self.record.pending
        if self._depot.updater.counts(self.record) != self._now.bundle:
            await self._swap()
        if name is None or (self._wishes.waits and self.record[name].state is not SlotState.PROBATION):
            self._doing.begin("waiting")
            await self._bring(await self._wishes.next(self._ask_in_s))
            return
        bundle, release = self._depot.updater.tar(name), str(self.record[name].holds)
        try:
            match self.record[name].state:
                case SlotState.STAGED:
                    await self._examine(bundle, release)
                case SlotState.TRIAL:
                    await self._try(bundle, release)
                case _:
                    await self._prove(release)
        except Failed as failed:
            await self._fail(release, str(failed), {})

    async def _bring(self, wish: Wish) -> None:
        """Ask, and fetch what it has for this board. What is in the way is told, and a model on trial goes on."""
        self._doing.begin("asking")
        self._doing.asked += 1
        self._doing.last = None
        with self._wishes.fulfilling(wish):
            try:
                await self._fetch(wish)
                self._visits_failed = 0
            except (OtaError, Stuck) as error:
                self._visits_failed += 1
                self._wishes.came_to(wish, None, in_words(error), later=True)
                self._postpone(error)
        self._ask_in_s = pause_s(self._settings.every, self._visits_failed, self._chance())

    async def _fetch(self, wish: Wish) -> None:
        try:
            release, why = await self._visitor.run(self._depot.look, wish.where, wish.older, limit_s=FETCH_LIMIT_S)
            self._trouble = ""
            if not self._wishes.is_held(wish):
                return
            if release is not None and release.counter < wish.at_least:
                why = f"the channel offers {Held.of(release)}, release {release.counter}, not {wish.at_least} or later"
            self._wishes.came_to(wish, release, why)
            if release is None or why:
                self._doing.came_to(UpdateStep.NONE, why)
                if wish.asked:
                    self._say(UpdateStep.NONE, "", why)
                return
            name = f"{release.model} {release.version}"
            self._say(UpdateStep.FOUND, name, f"{release.target.length} bytes at {wish.where}")
            self._doing.begin("fetching", name, of=release.target.length)
            loop = asyncio.get_running_loop()

            def progress(here: int, of: int) -> None:
                loop.call_soon_threadsafe(self._came, name, here, of)

            self._stopped = False
            fetch = partial(
                self._depot.fetch,
                release,
                wish.where,
                progress,
                stopped=lambda: self._stopped or not self._wishes.is_held(wish),
                older=wish.older,
            )
            how = await self._visitor.run(fetch, limit_s=FETCH_LIMIT_S)
            self._is_read = False
        except Untrusted as error:
            self._wishes.came_to(wish, None, str(error))
            self._doing.came_to(UpdateStep.REFUSED, str(error))
            if self._trouble != str(error):  # the same at each time it asks is no news
                self._trouble = str(error)
                self._say(UpdateStep.REFUSED, "", str(error))
        else:
            if how is not None:
                self._say(UpdateStep.STAGED, name, how)

    async def _examine(self, bundle: Path, release: str) -> None:
        self._doing.begin("examining", release)
        manifest = await self._keeper.run(manifest_of, bundle, limit_s=DISK_LIMIT_S)
        async with self._trial(bundle) as trial:
            found = await examine(trial, manifest, self._board, self._hands.request, measure_s=self._measure_s)
        if found.problems:
            await self._fail(release, "; ".join(found.problems), found.figures)
            return
        why = "passed its examination on this board"
        if await self._change(lambda slots: slots.begin_trial(why)):
            self._found = Seen(since=self._clock.now())
            self._say(UpdateStep.TRIAL, release, why, found.figures)

    async def _try(self, bundle: Path, release: str) -> None:
        self._doing.begin("trying", release, of=self._settings.trial_pictures)
        self._judged(self._found)
        manifest = await self._keeper.run(manifest_of, bundle, limit_s=DISK_LIMIT_S)
        limits = limits_of(self._settings, manifest, self._board)
        with self._seeing.looking():
            async with self._trial(bundle) as trial:
                outcome, why = await try_beside(
                    trial,
                    self._seeing,
                    limits,
                    self._now.manifest.thresholds,
                    self._clock,
                    found=self._found,
                    tell=self._judged,
                    interrupted=lambda: self._wishes.waits,
                )
        if outcome is Outcome.PASSED:
            if await self._change(lambda slots: slots.passed(why)):
                self._say(UpdateStep.PROBATION, release, why)
                await self._reload()
        elif outcome is Outcome.FAILED:
            await self._fail(release, why, {})
        elif outcome is Outcome.GAVE_UP and await self._change(lambda slots: slots.give_up(why)):
            self._say(UpdateStep.POSTPONED, release, why)

    async def _prove(self, release: str) -> None:
        settings = self._settings
        self._doing.begin("proving", release, of=settings.probation_pictures)
        with self._seeing.looking():
            outcome, why = await prove(
                self._now.model,
                self._seeing,
                settings.probation_pictures,
                budget_ms(self._now.manifest, self._board),
                self._clock,
                Instant(self._clock.now() + settings.probation_at_most.ns),
                tell=self._proved,
            )
        if outcome is Outcome.PASSED:
            if await self._change(lambda slots: slots.kept(why)):
                self._say(UpdateStep.KEPT, release, why)
        elif await self._change(lambda slots: slots.failed(why) if outcome is Outcome.FAILED else slots.give_up(why)):
            self._say(UpdateStep.WENT_BACK, release, why)
            await self._reload()

    async def _fail(self, release: str, why: str, figures: dict[str, float]) -> None:
        if await self._change(lambda slots: slots.failed(why)):
            self._doing.came_to(UpdateStep.REFUSED, why, figures)
            self._say(UpdateStep.REFUSED, release, why, figures)

    async def _swap(self) -> NoReturn:
        """What runs is not what the slots say: the disk did not answer at the start, or time or a lost file decided.

        Not at once, as this may be how it ended the last time. A model on probation has one more start of its three.
        """
        self._doing.begin("reloading")
        await asyncio.sleep(self._reload_again_s)
        if self.record.pending is not None and self.record.pending is self.record.active:
            await self._change(lambda slots: slots.started())
        await self._reload()

    async def _reload(self) -> NoReturn:
        """Let the firmware begin anew, which cancels this."""
        self._doing.begin("reloading")
        while True:
            self._hands.reload()
            await asyncio.sleep(self._reload_again_s)

    async def _change(self, move: Callable[[Slots], None] | None, *, limit_s: float = DISK_LIMIT_S) -> bool:
        """Make the move, and take note of how the slots stand.

        Not if they stand otherwise than when it was decided on: time may have ended what waited for too long, or a file
        may be lost. Then False, and the next step goes by what they say now. Raises `OtaError`, `Stuck`.
        """
        decided_on = _essence(self.record)

        def change() -> tuple[Record, bool]:
            with self._depot.updater.slots() as slots:
                made = move is not None and _essence(slots.record) == decided_on
                if move is not None and made:
                    move(slots)
                return slots.record, made

        self.record, made = await self._keeper.run(change, limit_s=limit_s)
        self._is_read = True
        self._hands.moved()
        return made

    async def _count_as_steady(self) -> None:
        await asyncio.sleep(STEADY_S)
        with suppress(OtaError, Stuck):  # then the next start counts
            await self._change(lambda slots: slots.steady())

    def _trial(self, bundle: Path) -> Trial:
        return Trial(bundle, beside=self._now.bundle, priority=self._priority, program=self._program)

    def _came(self, release: str, here: int, of: int) -> None:
        told = int(self._doing.here / (TOLD_EACH * max(1, self._doing.of)))
        self._doing.here, self._doing.of = here, of
        if int(here / (TOLD_EACH * max(1, of))) > told:
            self._say(UpdateStep.FETCHING, release, f"{here} of {of} bytes", {"here_bytes": here, "of_bytes": of})

    def _judged(self, found: Seen) -> None:
        self._found = found
        self._doing.here = min(found.pictures, self._doing.of)

    def _proved(self, pictures: int) -> None:
        self._doing.here = pictures

    def _postpone(self, error: OtaError | Stuck) -> None:
        words = in_words(error)
        self._doing.came_to(UpdateStep.POSTPONED, words)
        if words != self._trouble:
            self._trouble = words
            self._say(UpdateStep.POSTPONED, self._doing.release, words)

    def _say(self, step: UpdateStep, release: str, why: str, figures: Mapping[str, float] | None = None) -> None:
        change = UpdateChange(step=step, release=release, why=why, figures=dict(figures or {}), at=self._clock.now())
        self._change_told = change
        self._hands.say(change)
        self._hands.moved()

    def _minute(self) -> int | None:
        now = self._wall()
        return None if now is None else 60 * now.hour + now.minute


def _essence(record: Record) -> tuple[object, ...]:
    """What a decision is made by: which model counts, and what waits for which verdict."""
    waiting = None if record.pending is None else record[record.pending]
    return record.active, record.pending, waiting and (waiting.state, waiting.holds)
