"""Decides how a cleaning goes: from somebody's word that it begins to the proof that the duct is clean, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.cleaning.record import Moment, Step
from firmware.cleaning.states import NEXT, CleaningEvent, CleaningState

ANSWER_LIMIT_NS = 150 * NS_PER_S  # of a snapshot: `app.SNAPSHOT_LIMIT_S`, and the verdicts; then it is not waited for
MOST_STEPS = 100  # of one cleaning; beyond it nobody can go on cleaning, only finish or cancel
BOARD = "board"


class Refused(Exception):
    """It cannot be done now. The message says why, and what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`clean_needed` snapshots in a row of each camera verify it, of `snapshots_at_most` that are taken for that.

    They are at least `pace_ns` apart. After `longest_ns` from its start a cleaning ends by itself.
    """

    clean_needed: int
    snapshots_at_most: int
    pace_ns: int
    longest_ns: int


def check(steps: Sequence[Step]) -> None:
    """Raise ValueError unless these are the steps of one cleaning that is under way."""
    state = CleaningState.IDLE
    for step in steps:
        if (state, step.event) not in NEXT:
            raise ValueError(f"{step.event.value} in the state {state.value}")
        state = NEXT[state, step.event]
        if state is CleaningState.IDLE:
            raise ValueError(f"{step.event.value} has ended it")
    if not steps:
        raise ValueError("a cleaning without a step")


@dataclass(slots=True)
class _Looking:
    """What the cameras have shown since it was finished."""

    in_a_row: dict[SourceId, int]  # clean snapshots
    seen: dict[SourceId, int]  # snapshots that were judged
    asked: int = 0
    asked_at: Instant | None = None
    awaited: set[SourceId] = field(default_factory=set)  # not judged yet, of the last that was asked for


class Course:
    """One cleaning after another, never two at once. Time must not go back: moments are on the duct's clock."""

    def __init__(self, cameras: Sequence[SourceId], bounds: Bounds, steps: Sequence[Step] = ()) -> None:
        """`steps` of an earlier course whose cleaning goes on (`check`); it is looked at anew."""
        self._cameras = tuple(cameras)
        self._bounds = bounds
        self._steps: list[Step] = []
        self._state = CleaningState.IDLE
        self._looking = self._anew()
        for step in steps:
            self._take(step)

    @property
    def state(self) -> CleaningState:
        return self._state

    @property
    def under_way(self) -> bool:
        return self._state is not CleaningState.IDLE

    @property
    def steps(self) -> tuple[Step, ...]:
        """Of the cleaning under way, or of the last one."""
        return tuple(self._steps)

    @property
    def snapshots(self) -> int:
        """So many were judged since it was finished; those of the schedule count, too."""
        return max(self._looking.seen.values(), default=0)

    @property
    def in_a_row(self) -> Mapping[SourceId, int]:
        """The last so many snapshots of each camera were clean."""
        return dict(self._looking.in_a_row)

    def start(self, moment: Moment, by: str, reason: str = "") -> Step:
        """Somebody begins to clean; or goes on, if what the cameras saw is not good enough. Raises `Refused`."""
        if not self._cameras:
            raise Refused("no camera here takes snapshots that could show it")
        if self._state is CleaningState.CLEANING:
            raise Refused(f"{self._since()}: finish or cancel that one first")
        if self.under_way and len(self._steps) >= MOST_STEPS:
            raise Refused("it was finished and begun again too often: let it be looked at, or cancel it")
        return self._move(CleaningEvent.START, moment, by, reason)

    def finish(self, moment: Moment, by: str, reason: str = "") -> Step:
        """Somebody says that it is clean now: let the cameras see. Raises `Refused`."""
        if self._state is CleaningState.VERIFYING:
            raise Refused(f"it was finished by {self._steps[-1].by}, and is being looked at")
        if not self.under_way:
            raise Refused("no cleaning is under way: start one first")
        return self._move(CleaningEvent.FINISH, moment, by, reason)

    def cancel(self, moment: Moment, by: str, reason: str = "") -> Step:
        """It was no cleaning: all is as it was. Raises `Refused`."""
        if not self.under_way:
            raise Refused("no cleaning is under way")
        return self._move(CleaningEvent.CANCEL, moment, by, reason)

    def judged(self, camera: SourceId, taken: Instant, *, clean: bool, moment: Moment) -> Step | None:
        """A snapshot was judged; one that was `taken` before it was finished says nothing. The step if it verifies."""
        looking, needed = self._looking, self._bounds.clean_needed
        if self._state is not CleaningState.VERIFYING or camera not in looking.in_a_row:
            return None
        if taken < self._steps[-1].moment.at:
            return None
        looking.awaited.discard(camera)
        looking.seen[camera] += 1
        looking.in_a_row[camera] = looking.in_a_row[camera] + 1 if clean else 0
        if not all(many >= needed for many in looking.in_a_row.values()):
            return None
        return self._move(CleaningEvent.VERIFY, moment, BOARD, f"{needed} clean snapshots in a row of each camera")

    def tick(self, moment: Moment) -> Step | None:
        """Time went by. The step if that ends it."""
        if not self.under_way:
            return None
        if moment.at - self._steps[0].moment.at >= self._bounds.longest_ns:
            reason = f"not over after {self._bounds.longest_ns / (3600 * NS_PER_S):g} h"
            return self._move(CleaningEvent.ABANDON, moment, BOARD, reason)
        if self._looking.asked >= self._bounds.snapshots_at_most and self._is_answered(moment.at):
            return self._move(CleaningEvent.GIVE_UP, moment, BOARD, self._not_clean())
        return None

    def asks(self, now: Instant) -> bool:
        """Whether a snapshot is to be taken now; if so, it counts as asked for."""
        looking = self._looking
        if self._state is not CleaningState.VERIFYING or looking.asked >= self._bounds.snapshots_at_most:
            return False
        if not self._is_due(now):
            return False
        looking.asked += 1
        looking.asked_at = now
        looking.awaited = set(self._cameras)
        return True

    def _is_due(self, now: Instant) -> bool:
        asked_at = self._looking.asked_at
        return asked_at is None or (now - asked_at >= self._bounds.pace_ns and self._is_answered(now))

    def _is_answered(self, now: Instant) -> bool:
        """Whether each camera was judged since; or will not be any more: it may be unplugged."""
        asked_at = self._looking.asked_at
        return asked_at is None or not self._looking.awaited or now - asked_at >= ANSWER_LIMIT_NS

    def _move(self, event: CleaningEvent, moment: Moment, by: str, reason: str) -> Step:
        step = Step(event=event, moment=moment, by=by, reason=reason)
        self._take(step)
        return step

    def _take(self, step: Step) -> None:
        if not self.under_way:
            self._steps = []
        self._state = NEXT[self._state, step.event]
        self._steps.append(step)
        if self.under_way:  # what was seen before this says nothing
            self._looking = self._anew()

    def _anew(self) -> _Looking:
        return _Looking(dict.fromkeys(self._cameras, 0), dict.fromkeys(self._cameras, 0))

    def _since(self) -> str:
        last = self._steps[-1]
        return f"a cleaning is under way since {last.moment.stamp.time}, by {last.by}"

    def _not_clean(self) -> str:
        needed = self._bounds.clean_needed
        behind = [camera for camera, many in self._looking.in_a_row.items() if many < needed]
        return f"{self._looking.asked} snapshots were taken, and not {needed} in a row were clean: {', '.join(behind)}"
