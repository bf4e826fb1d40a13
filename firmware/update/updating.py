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
from pathlib import Path
from typing import NoReturn

from drivers.clock import Clock
from drivers.types import Instant
from drivers.worker import Stuck
from firmware.observations import Observation, UpdateChange, UpdateStep
from firmware.photography import Shot
from firmware.supervisor import Pulse
from firmware.update.depot import Depot
from firmware.update.examining import MEASURE_S, Seeing, examine, limits_of, prove, try_beside
from firmware.update.fitness import budget_ms
from firmware.update.job_decisions import Standing
from firmware.update.keeping import Keeping
from firmware.update.schedule import pause_s
from firmware.update.shadow import Outcome, Seen
from firmware.update.telling import Telling, in_words, told
from firmware.update.trial import PROGRAM, Failed, Trial
from firmware.update.visiting import Visiting
from firmware.update.wishes import Wish, Wishes
from firmware.uplink.commands import Answer, Update, UpdateCheck, UpdateInstall, UpdateRollBack
from model.manifest import Manifest
from model.types import ModelId, Verdict
from ota.errors import OtaError
from ota.slot_states import Record, SlotState
from ota.slots import STEADY_S

OBEY_LIMIT_S = 10.0  # for a change of the slots that somebody waits for
RELOAD_AGAIN_S = 300.0  # one that did not come: the configuration is wrong, say, and somebody mends it


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model that waits for a verdict, as it was when the slots were `seen` so."""

    release: str
    bundle: Path
    seen: Record


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
        self._seeing = Seeing()
        self._found = Seen(since=clock.now())  # of the model on trial, also before somebody asked for something
        self._telling = Telling(clock, self._said)
        self._doing = self._telling.doing
        self._keeping = Keeping(depot.updater, hands.moved)
        self._wishes = Wishes(self._settings, clock, self._minute)
        self._visiting = Visiting(depot, self._wishes, self._telling, self._keeping, chance)

    @property
    def record(self) -> Record:
        """How the slots stood when they were last looked at."""
        return self._keeping.record

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
            self._visiting.close()
            self._keeping.close()

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
        seen = self.record
        held = self.record[self.record.active].holds
        self._visiting.stop()
        try:
            done = await self._keeping.change(seen, lambda slots: slots.roll_back(f"by {by}"), limit_s=OBEY_LIMIT_S)
        except (OtaError, Stuck) as error:
            return Answer(False, f"not now: {in_words(error)}")
        if not done:
            return Answer(False, f"{held} does not count any more: ask again")
        self._telling.say(UpdateStep.WENT_BACK, str(held), f"by {by}")
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
        if not self._keeping.is_known:
            return None
        return Standing(
            channel=self._settings.channel,
            model=self._settings.model,
            hardware=self._board.hardware,
            shipped=self._depot.updater.shipped,
            record=self.record,
            busy=self._wishes.busy,
            asked=self._wishes.asked,
            change=self._telling.change,
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
                self._telling.postponed(error)
                self._doing.begin("waiting")
                await self._wishes.rest(pause_s(self._settings.every, failures, self._chance()))

    async def _step(self) -> None:
        """One thing that the slots ask for; else what somebody asks for, or the clock."""
        await self._keeping.look()
        name = self.record.pending
        if self._depot.updater.counts(self.record) != self._now.bundle:
            await self._swap()
        if name is None or (self._wishes.waits and self.record[name].state is not SlotState.PROBATION):
            self._doing.begin("waiting")
            await self._visiting.make(await self._wishes.next(self._visiting.next_in_s))
            return
        one = Candidate(release=str(self.record[name].holds), bundle=self._depot.updater.tar(name), seen=self.record)
        try:
            match one.seen[name].state:
                case SlotState.STAGED:
                    await self._examine(one)
                case SlotState.TRIAL:
                    await self._try(one)
                case _:
                    await self._prove(one)
        except Failed as failed:
            await self._fail(one, str(failed), {})

    async def _examine(self, one: Candidate) -> None:
        self._doing.begin("examining", one.release)
        manifest = await self._keeping.manifest(one.bundle)
        async with self._trial(one.bundle) as trial:
            found = await examine(trial, manifest, self._board, self._hands.request, measure_s=self._measure_s)
        if found.problems:
            await self._fail(one, "; ".join(found.problems), found.figures)
            return
        why = "passed its examination on this board"
        if await self._keeping.change(one.seen, lambda slots: slots.begin_trial(why)):
            self._found = Seen(since=self._clock.now())
            self._telling.say(UpdateStep.TRIAL, one.release, why, found.figures)

    async def _try(self, one: Candidate) -> None:
        self._doing.begin("trying", one.release, of=self._settings.trial_pictures)
        self._judged(self._found)
        manifest = await self._keeping.manifest(one.bundle)
        limits = limits_of(self._settings, manifest, self._board)
        with self._seeing.looking():
            async with self._trial(one.bundle) as trial:
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
            if await self._keeping.change(one.seen, lambda slots: slots.passed(why)):
                self._telling.say(UpdateStep.PROBATION, one.release, why)
                await self._reload()
        elif outcome is Outcome.FAILED:
            await self._fail(one, why, {})
        elif outcome is Outcome.GAVE_UP and await self._keeping.change(one.seen, lambda slots: slots.give_up(why)):
            self._telling.say(UpdateStep.POSTPONED, one.release, why)

    async def _prove(self, one: Candidate) -> None:
        settings = self._settings
        self._doing.begin("proving", one.release, of=settings.probation_pictures)
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
            if await self._keeping.change(one.seen, lambda slots: slots.kept(why)):
                self._telling.say(UpdateStep.KEPT, one.release, why)
        elif await self._keeping.change(
            one.seen, lambda slots: slots.failed(why) if outcome is Outcome.FAILED else slots.give_up(why)
        ):
            self._telling.say(UpdateStep.WENT_BACK, one.release, why)
            await self._reload()

    async def _fail(self, one: Candidate, why: str, figures: dict[str, float]) -> None:
        if await self._keeping.change(one.seen, lambda slots: slots.failed(why)):
            self._telling.refused(one.release, why, figures)

    async def _swap(self) -> NoReturn:
        """What runs is not what the slots say: the disk did not answer at the start, or time or a lost file decided.

        Not at once, as this may be how it ended the last time. A model on probation has one more start of its three.
        """
        self._doing.begin("reloading")
        await asyncio.sleep(self._reload_again_s)
        if self.record.pending is not None and self.record.pending is self.record.active:
            await self._keeping.change(self.record, lambda slots: slots.started())
        await self._reload()

    async def _reload(self) -> NoReturn:
        """Let the firmware begin anew, which cancels this."""
        self._doing.begin("reloading")
        while True:
            self._hands.reload()
            await asyncio.sleep(self._reload_again_s)

    async def _count_as_steady(self) -> None:
        await asyncio.sleep(STEADY_S)
        with suppress(OtaError, Stuck):  # then the next start counts
            await self._keeping.change(self.record, lambda slots: slots.steady())

    def _trial(self, bundle: Path) -> Trial:
        return Trial(bundle, beside=self._now.bundle, priority=self._priority, program=self._program)

    def _judged(self, found: Seen) -> None:
        self._found = found
        self._doing.here = min(found.pictures, self._doing.of)

    def _proved(self, pictures: int) -> None:
        self._doing.here = pictures

    def _said(self, change: UpdateChange) -> None:
        self._hands.say(change)
        self._hands.moved()

    def _minute(self) -> int | None:
        now = self._wall()
        return None if now is None else 60 * now.hour + now.minute
