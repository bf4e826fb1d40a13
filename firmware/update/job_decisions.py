"""What a board does about a job of a rollout, by what its slots hold and what its channel offers. Pure.

The job says which release is wanted at least, and when. Whether one may be taken is not its business: that is proved by
signatures, and shown by the trial on the board.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from firmware.observations import UpdateChange, UpdateStep
from firmware.update.fitness import ANY
from ota.job_messages import JobDocument, Status
from ota.jobs import Job
from ota.slot_states import Happened, Held, Record, Shipped, SlotEvent, SlotName, SlotState
from ota.types import Release

FELL = frozenset({SlotEvent.FAIL, SlotEvent.ROLL_BACK, SlotEvent.UNUSABLE, SlotEvent.EXPIRE})
"""Ends of a release on this board."""

STEPS = {
    SlotState.STAGED: UpdateStep.STAGED,
    SlotState.TRIAL: UpdateStep.TRIAL,
    SlotState.PROBATION: UpdateStep.PROBATION,
}
ON_THE_WAY = (UpdateStep.FOUND, UpdateStep.FETCHING)

Details = Mapping[str, str]
"""What a job's `statusDetails` are to be, the most telling first: what is beyond their bounds is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A job of this board. Times are seconds since 1970; `begun_s` is None as long as it only waits.

    `known` is what had happened to the slots before it was begun; None if that was before the board's last start.
    """

    job: Job
    document: JobDocument
    queued_s: float | None = None
    begun_s: float | None = None
    known: frozenset[Happened] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking the channel on behalf of a job: what it offers, and why that is not taken, if it is not.

    `later`: something was only in the way.
    """

    job: str
    offered: Release | None = None
    why: str = ""
    later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an update stands: what this board follows, what it has, and what it is at.

    `busy`: somebody's wish is waiting or being fulfilled. `change` is the last thing that was told of an update.
    """

    channel: str
    model: str
    hardware: frozenset[str]
    shipped: Shipped
    record: Record
    busy: bool = False
    asked: Asked | None = None
    change: UpdateChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """`wall_s`: since 1970, None while the board does not know. `open`: a maintenance window is. `rested`: long enough
    after what was in the way.
    """

    wall_s: float | None
    open: bool = True
    rested: bool = True


@dataclass(frozen=True, slots=True)
class Reject:
    """It is not for this board."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """`status` is SUCCEEDED or FAILED."""

    status: Status
    details: Details


@dataclass(frozen=True, slots=True)
class Report:
    """It is begun, or goes on: say so, unless that was said already."""

    details: Details


@dataclass(frozen=True, slots=True)
class Ask:
    """Let the update look into the channel."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Its time has not come. `for_s` is known where only the clock has to go on."""

    why: str
    for_s: float | None = None


Decision = Reject | Finish | Report | Ask | Wait


def decide(it: Assignment, board: Standing, time: Time, thing: str) -> Decision:
    """What is to be done now about the job `it` of this board, which is the thing `thing`."""
    wanted = it.document
    if (wanted.channel, wanted.model) != (board.channel, board.model):
        return Reject(f"this board has {board.model} of {board.channel}, not {wanted.model} of {wanted.channel}")
    if (had := _good(board)) >= wanted.release_counter:
        step = "already" if it.begun_s is None else UpdateStep.KEPT.value
        return _finish(Status.SUCCEEDED, board, step=step, release_counter=str(had))
    if (name := board.record.pending) is not None and _counter(board, name) >= wanted.release_counter:
        return Report(_pending(board, name))
    if it.begun_s is not None and (end := _fell(it, board)) is not None:
        return _failed(board, end.release, end.why)
    if board.asked is not None and board.asked.why and not board.asked.later:
        return _not_taken(board, board.asked)
    if name is not None and board.record[name].state is SlotState.PROBATION:
        return Wait(f"for the verdict on {board.record[name].holds}")
    if it.begun_s is None:
        return _too_early(it, time, thing) or Report({"step": "begun"})
    if board.busy:
        return Report(_under_way(board))
    if board.asked is not None and board.asked.later and not time.rested:
        return Report({"step": UpdateStep.POSTPONED.value, "reason": board.asked.why})
    return Ask() if time.open else Wait("until a maintenance window is open")


def details_of(change: UpdateChange) -> dict[str, str]:
    """What was told of an update, as details of a job."""
    figures = change.figures
    if change.step is UpdateStep.FETCHING and figures.get("of_bytes"):
        percent = {"percent": f"{100 * figures['here_bytes'] / figures['of_bytes']:.0f}"}
        return {"step": change.step.value, "release": change.release, **percent}
    told = {"step": change.step.value, "release": change.release, "reason": change.why}
    return told | {name: f"{value:g}" for name, value in figures.items()}


def begins_s(it: Assignment, thing: str) -> float:
    """When it may begin, in seconds since 1970; 0 for at once. Each board has its own part of the jitter, and keeps it.

    That is after `not_before`, or after the job was queued: so a restart does not draw anew.
    """
    wanted = it.document
    since_s = (it.queued_s or 0.0) if wanted.not_before is None else wanted.not_before.timestamp()
    if wanted.not_before is None and not wanted.jitter_s:
        return 0.0
    digest = hashlib.sha256(f"{it.job.id}\0jitter\0{thing}".encode()).digest()
    return since_s + wanted.jitter_s * int.from_bytes(digest[:8]) / 2**64


def _too_early(it: Assignment, time: Time, thing: str) -> Wait | None:
    begins_at_s = begins_s(it, thing)
    if begins_at_s and time.wall_s is None:
        return Wait("until the board knows the time")
    if time.wall_s is not None and (left_s := begins_at_s - time.wall_s) > 0:
        return Wait(f"for {left_s:.0f} s", left_s)
    return None if time.open else Wait("until a maintenance window is open")


def _good(board: Standing) -> int:
    """The release counter of the model that counts, if that has shown itself; -1 if it has not, or is another one."""
    name = board.record.active
    if name is None:
        return board.shipped.counter if board.shipped.model == board.model else -1
    return _counter(board, name) if board.record[name].state is SlotState.GOOD else -1


def _counter(board: Standing, name: SlotName) -> int:
    held = board.record[name].holds
    return held.counter if held is not None and held.model == board.model else -1


def _fell(it: Assignment, board: Standing) -> Happened | None:
    """How a release that would have done ended here since the job began. None for what is no end of one we know.

    By the order of what happened, and only where a restart forgot that by the clocks, the board's and the service's: a
    board may have been wrong about the time. What is missed so is only asked for, and tried, once more.
    """
    offered = board.asked.offered if board.asked is not None else None
    known = [board.record.a.holds, board.record.b.holds, None if offered is None else Held.of(offered)]
    enough = {str(held) for held in known if held is not None and held.counter >= it.document.release_counter}
    for one in reversed(board.record.history):
        is_since = one not in it.known if it.known is not None else one.at_s >= int(it.begun_s or 0)
        if is_since and one.event in FELL and one.release in enough:
            return one
    return None


def _not_taken(board: Standing, asked: Asked) -> Decision:
    offered = asked.offered
    if offered is None:
        return _finish(Status.FAILED, board, step=UpdateStep.REFUSED.value, reason=asked.why)
    if not board.hardware.union({ANY}).intersection(offered.hardware):
        return Reject(asked.why)
    release = str(Held.of(offered))
    before = next((one for one in reversed(board.record.history) if one.release == release and one.event in FELL), None)
    why = f"{asked.why}: {before.why}" if offered.target.sha256 in board.record.bad and before else asked.why
    return _failed(board, release, why)


def _failed(board: Standing, release: str, why: str) -> Finish:
    change = board.change
    told = (
        change is not None and change.release == release and change.step in (UpdateStep.REFUSED, UpdateStep.WENT_BACK)
    )
    figures = {name: f"{value:g}" for name, value in change.figures.items()} if told and change is not None else {}
    return _finish(Status.FAILED, board, step=UpdateStep.REFUSED.value, release=release, reason=why, **figures)


def _finish(status: Status, board: Standing, **details: str) -> Finish:
    """With the version of the model that counts from now on."""
    held = None if board.record.active is None else board.record[board.record.active].holds
    return Finish(status, {"version": board.shipped.version if held is None else held.version, **details})


def _pending(board: Standing, name: SlotName) -> Details:
    slot = board.record[name]
    step, release = STEPS[slot.state], str(slot.holds)
    change = board.change
    if change is not None and (change.step, change.release) == (step, release):
        return details_of(change)
    return {"step": step.value, "release": release}


def _under_way(board: Standing) -> Details:
    change = board.change
    return details_of(change) if change is not None and change.step in ON_THE_WAY else {"step": "asking"}
