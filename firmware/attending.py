"""Attends a cleaning: looks before and after, has its proof taken, and what is told, kept and reported of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from drivers.clock import Clock
from drivers.types import NS_PER_S, Frame, Instant, Quality, Quantity, Reading, SourceId
from drivers.worker import Stuck, Worker
from firmware.cleaning.course import Course, Refused
from firmware.cleaning.record import FRESH_NS, Look, Measured, Moment, Outcome, Scene, Stamp, Step
from firmware.cleaning.states import REPORTED, CleaningEvent, CleaningState
from firmware.cleaning_store import CleaningStore, UnderWay
from firmware.kept_file import LAST_SAVE_S
from firmware.observations import BOARD, CleaningChange, Observation
from firmware.photography import Shot
from firmware.sampling import every
from firmware.still import still
from firmware.supervisor import Pulse
from firmware.uplink.commands import Answer, Cleaning, CleaningCancel, CleaningFinish, CleaningStart
from model.types import Label, Verdict

TICK_NS = NS_PER_S
SAVE_NS = 3600 * NS_PER_S  # how much longer than `longest` one can last for each power cut on a board without a clock
DRAW_LIMIT_S = 10.0  # of a picture, some hundred times the usual
OBEY_WAIT_S = 5.0  # for pictures to be drawn and kept
BY_BUTTON = "button"
BY_HOLDING: Mapping[CleaningState, type[CleaningStart | CleaningFinish]] = {
    CleaningState.IDLE: CleaningStart,
    CleaningState.CLEANING: CleaningFinish,
}

TOLD = {
    CleaningEvent.START: "the cleaning has begun: wait for the pictures from before, which `status` names",
    CleaningEvent.FINISH: "finished: the cameras look whether the duct is clean; `status` says how far they are",
    CleaningEvent.CANCEL: "cancelled: all is as it was",
}

BUSY = Answer(False, "the last cleaning is being written down: say it again in a moment")
GOES_ON = "the cleaning goes on: finish it again when the duct is clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a cleaning brings about on the board.

    `reset` resets the latched alarms on dirt, by somebody's name, and says of each that stood whether it is over.
    `see_anew` lets cameras forget how clearly they saw. `begin_anew` takes the deposit that each camera sees, in g/m2,
    and gives what is to be said of it.
    """

    say: Callable[[Observation], None]
    request: Callable[[], None]
    reset: Callable[[str], Awaitable[Mapping[str, bool]]]
    see_anew: Callable[[], Awaitable[None]]
    begin_anew: Callable[[Mapping[SourceId, float], Instant], Sequence[Reading]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """The cleaning that went on when the firmware stopped, where it is kept, and what it lets begin anew."""

    store: CleaningStore
    under_way: UnderWay | None
    begin_anew: Callable[[Mapping[SourceId, float], Instant], Sequence[Reading]]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A shot and its verdict, not drawn yet."""

    frame: Frame
    verdict: Verdict
    stamp: Stamp


class Attendant:
    """Says the signal `cleaning`, without which rules would not know. Its methods are for the event loop alone."""

    def __init__(
        self,
        course: Course,
        under_way: UnderWay | None,
        *,
        store: CleaningStore,
        hands: Hands,
        clock: Clock,
        stamp: Callable[[Instant], Stamp],
        label: Callable[[float | None], Label],
        needed: int,
    ) -> None:
        """`under_way` is what `course` goes on with. `label` is what a score says by itself."""
        self._course = course
        self._before = under_way.before if under_way else Scene()
        self._interrupted = under_way.interrupted if under_way else False
        self._store = store
        self._hands = hands
        self._clock = clock
        self._stamp = stamp
        self._label = label
        self._needed = needed
        self._worker = Worker("stills")
        self._to_draw: dict[SourceId, _Seen] = {}  # of before: kept at once, they cannot be taken again
        self._newest: dict[SourceId, _Seen] = {}  # of after, if nothing newer comes
        self._readings: dict[tuple[SourceId, Quantity], Reading] = {}
        self._ended: Step | None = None
        self._held = False
        self._saved_at = clock.now()
        self._last: tuple[CleaningEvent, str | None] | None = None
        self._lock = asyncio.Lock()

    async def obey(self, command: Cleaning) -> Answer:
        """What somebody says of a cleaning; it is on disk before the answer comes.

        Who asks while the last one is being written down is asked to come again: the door and the broker wait.
        """
        try:
            async with asyncio.timeout(OBEY_WAIT_S):
                await self._lock.acquire()
        except TimeoutError:
            return BUSY
        try:
            with self._clock.held():
                return BUSY if self._ended is not None else await self._carry_out(command)
        except Refused as refused:
            return Answer(False, str(refused))
        finally:
            self._lock.release()

    def hold(self) -> None:
        """The button was held: that starts a cleaning, or finishes it."""
        self._held = True

    def hear(self, observation: object) -> None:
        """Remember readings, for what the air was like."""
        if isinstance(observation, Reading) and observation.quality is Quality.GOOD:
            self._readings[observation.source, observation.quantity] = observation

    def look(self, shot: Shot, verdict: Verdict) -> None:
        """A camera's shot was judged."""
        steps = self._course.steps
        if not self._course.under_way or shot.lit.at < steps[0].moment.at:
            return
        camera = shot.lit.source
        seen = _Seen(shot.lit, verdict, self._stamp(shot.lit.at))
        finished = any(step.event is CleaningEvent.FINISH and step.moment.at <= shot.lit.at for step in steps)
        if camera not in self._before.looks and not finished:
            self._to_draw.setdefault(camera, seen)
        self._newest[camera] = seen
        is_clean = self._label(verdict.score) is Label.CLEAN
        self._ended = self._course.judged(camera, shot.lit.at, clean=is_clean, moment=self._moment()) or self._ended

    def repeat(self) -> None:
        """Say the signal again: one that falls silent would be unknown to the rules."""
        value = float(self._course.under_way or self._ended is not None)
        self._hands.say(Reading(source=BOARD, quantity=Quantity.CLEANING, value=value, at=self._clock.now()))

    def status(self) -> dict[str, Any]:
        """How far it is, in plain values: docs/cleaning.md describes them."""
        course, under_way = self._course, self._course.under_way
        ended, report = self._last or (None, None)
        return {
            "state": course.state.value,
            "steps": [_as_fields(step) for step in course.steps] if under_way else [],
            "before": sorted({*self._before.looks, *self._to_draw}) if under_way else [],
            "clean_in_a_row": dict(course.in_a_row) if under_way else {},
            "needed": self._needed,
            "snapshots": course.snapshots if under_way else 0,
            "last": None if ended is None else {"event": ended.value, "report": report},
        }

    async def attend(self, *, pulse: Pulse) -> None:
        """Look after the cleaning until cancelled."""
        try:
            self.repeat()
            async for _ in every(TICK_NS, self._clock):
                pulse.beat()
                if self._course.under_way or self._ended is not None or self._held:
                    async with self._lock:
                        with self._clock.held():
                            await self._turn()
                pulse.rest()
        finally:
            if self._course.under_way:
                await self._save(limit_s=LAST_SAVE_S)
            if not self._worker.stuck:
                self._worker.close()

    async def _turn(self) -> None:
        if self._to_draw and self._course.under_way:
            await self._keep_before()
        if ended := self._ended or self._course.tick(self._moment()):
            await self._end(ended)
        if self._held:
            self._held = False
            await self._carry_out_hold()
        if self._course.asks(self._clock.now()):
            self._hands.request()
        if self._course.under_way and self._clock.now() - self._saved_at > SAVE_NS:
            await self._save()

    async def _carry_out_hold(self) -> None:
        """While the cameras look nothing: nobody could tell whether that hold was one too many."""
        if (command := BY_HOLDING.get(self._course.state)) is not None:
            with suppress(Refused):  # no camera: nobody could be told
                await self._carry_out(command(BY_BUTTON, ""))

    async def _carry_out(self, command: Cleaning) -> Answer:
        """Raises `Refused`."""
        begins = not self._course.under_way
        moment = self._moment()
        match command:
            case CleaningStart(by, reason):
                step = self._course.start(moment, by, reason)
                if begins:
                    self._begin()
                self._hands.request()
            case CleaningFinish(by, reason):
                step = self._course.finish(moment, by, reason)
                await self._hands.see_anew()
            case CleaningCancel(by, reason):
                step = self._course.cancel(moment, by, reason)
                self._last = (step.event, None)
        self._tell(step)
        await self._save()
        if not self._course.under_way:
            self._forget()
        return Answer(True, TOLD[step.event] if begins or step.event is not CleaningEvent.START else GOES_ON)

    def _begin(self) -> None:
        self._forget()
        self._before = Scene(readings=self._fresh())

    def _forget(self) -> None:
        """Pictures take megabytes."""
        self._before = Scene()
        self._interrupted = False
        self._to_draw.clear()
        self._newest.clear()

    async def _keep_before(self) -> None:
        for camera, seen in list(self._to_draw.items()):
            self._before.looks[camera] = await self._drawn(seen)
            del self._to_draw[camera]
        await self._save()

    async def _end(self, step: Step) -> None:
        self._ended = step  # until all is reset the signal says so: no alarm is to be told that is just being reset
        try:
            alarms = await self._reset(step) if step.event is CleaningEvent.VERIFY else {}
            report = await self._report(alarms) if step.event in REPORTED else None
        finally:
            self._ended = None
        self._last = (step.event, report)
        self._tell(step, report)
        await self._save()
        self._forget()

    async def _reset(self, step: Step) -> Mapping[str, bool]:
        alarms = await self._hands.reset(self._signed_by())
        deposits = {camera: seen.verdict.degree for camera, seen in self._newest.items()}
        known = {camera: degree.g_m2 for camera, degree in deposits.items() if degree is not None}
        for reading in self._hands.begin_anew(known, step.moment.at):
            self._hands.say(reading)
        return alarms

    async def _report(self, alarms: Mapping[str, bool]) -> str | None:
        after = Scene({camera: await self._drawn(seen) for camera, seen in self._newest.items()}, self._fresh())
        return await self._store.write_report(
            Outcome(
                steps=self._course.steps,
                before=self._before,
                after=after,
                alarms=alarms,
                snapshots=self._course.snapshots,
                needed=self._needed,
                interrupted=self._interrupted,
            )
        )

    def _tell(self, step: Step, report: str | None = None) -> None:
        self._hands.say(
            CleaningChange(
                event=step.event,
                state=self._course.state,
                by=step.by,
                reason=step.reason,
                at=self._clock.now(),
                report=report,
            )
        )
        self.repeat()

    async def _save(self, *, limit_s: float | None = None) -> None:
        self._saved_at = self._clock.now()
        kept = None
        if self._course.under_way:
            kept = UnderWay(steps=list(self._course.steps), before=self._before, interrupted=self._interrupted)
        await (self._store.save(kept) if limit_s is None else self._store.save(kept, limit_s=limit_s))

    async def _drawn(self, seen: _Seen) -> Look:
        try:
            jpeg = await self._worker.run(still, seen.frame, limit_s=DRAW_LIMIT_S)
        except Stuck:
            jpeg = b""
        return Look(label=self._label(seen.verdict.score), verdict=seen.verdict, stamp=seen.stamp, jpeg=jpeg)

    def _fresh(self) -> list[Measured]:
        now = self._clock.now()
        return [
            Measured(source=one.source, signal=one.quantity.signal, unit=one.quantity.unit, value=one.value)
            for one in self._readings.values()
            if now - one.at <= FRESH_NS
        ]

    def _signed_by(self) -> str:
        return next(step.by for step in reversed(self._course.steps) if step.event is CleaningEvent.FINISH)

    def _moment(self) -> Moment:
        now = self._clock.now()
        return Moment(now, self._stamp(now))


def _as_fields(step: Step) -> dict[str, Any]:
    return {
        "event": step.event.value,
        "time": step.moment.stamp.time,
        "time_trusted": step.moment.stamp.trusted,
        "by": step.by,
        "reason": step.reason,
    }
