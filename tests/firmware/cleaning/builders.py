"""Cleanings for tests: a moment is enough, the rest has defaults."""

from __future__ import annotations

from drivers.types import SourceId
from firmware.cleaning.course import Bounds, Course
from firmware.cleaning.record import Look, Measured, Moment, Outcome, Scene, Stamp, Step
from firmware.cleaning.states import CleaningEvent
from model.types import Verdict
from tests.builders import at, verdict

UP, DOWN = SourceId("upstream"), SourceId("downstream")
NOON = 12 * 3600


def bounds(*, needed: int = 2, at_most: int = 4, pace_s: float = 10, longest_s: float = 3600) -> Bounds:
    return Bounds(
        clean_needed=needed,
        snapshots_at_most=at_most,
        pace_ns=at(pace_s),
        longest_ns=at(longest_s),
    )


def course(*steps: Step, cameras: tuple[SourceId, ...] = (UP, DOWN)) -> Course:
    return Course(cameras, bounds(), steps)


def moment(seconds: float, *, trusted: bool = True) -> Moment:
    """So many seconds after noon."""
    of_day = NOON + round(seconds)
    time = f"2026-11-23T{of_day // 3600 % 24:02}:{of_day // 60 % 60:02}:{of_day % 60:02}+01:00"
    return Moment(at(seconds), Stamp(time, trusted))


def step(event: CleaningEvent, seconds: float, by: str = "ann", reason: str = "", *, trusted: bool = True) -> Step:
    return Step(event=event, moment=moment(seconds, trusted=trusted), by=by, reason=reason)


def look(seen: Verdict | None = None, *, seconds: float = 0, jpeg: bytes = b"\xff\xd8jpeg\xff\xd9") -> Look:
    seen = seen or verdict()
    return Look(label=seen.label, verdict=seen, stamp=moment(seconds).stamp, jpeg=jpeg)


def measured(value: float, signal: str = "pm2_5", unit: str = "ug/m3", source: str = "duct-pm") -> Measured:
    return Measured(source=SourceId(source), signal=signal, unit=unit, value=value)


def outcome(*steps: Step, before: Scene | None = None, after: Scene | None = None, **fields: object) -> Outcome:
    default = (
        step(CleaningEvent.START, 0),
        step(CleaningEvent.FINISH, 3600, "bob"),
        step(CleaningEvent.VERIFY, 3660, "board", "3 clean snapshots in a row of each camera"),
    )
    kept = {"alarms": {}, "snapshots": 4, "needed": 3, "interrupted": False} | fields
    return Outcome(steps=steps or default, before=before or Scene(), after=after or Scene(), **kept)  # type: ignore[arg-type]
