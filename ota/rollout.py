"""A rollout to a fleet: which boards are offered the job when, and when to stop. Decides only; nothing is sent here.

Boards fall into cohorts by a hash, so that the same board is not the first in each rollout. A cohort is offered the job
once all boards of those before have answered, and that was `soak_s` ago. A board that says nothing until the deadline
has failed. Too many failures abort. The idea of cohorts, thresholds and minimum counts is that of AWS IoT Jobs (API
reference: AbortCriteria) and Eclipse hawkBit (rollout groups with error and success conditions).

Times are seconds of one clock that only grows. It should stand still while nobody listens to the boards: then neither
a deadline nor a soak runs out unheard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated, Final

import msgspec

from ota.job_messages import SERVICE_MAY, JobId, Status

DAY_S: Final = 86_400


class Phase(Enum):
    """Of a rollout."""

    RUNNING = "running"
    PAUSED = "paused"
    ABORTED = "aborted"
    FINISHED = "finished"


class Step(Enum):
    """What may happen to a rollout."""

    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    FINISH = "finish"


NEXT: Final = {
    (Phase.RUNNING, Step.PAUSE): Phase.PAUSED,
    (Phase.RUNNING, Step.ABORT): Phase.ABORTED,
    (Phase.RUNNING, Step.FINISH): Phase.FINISHED,
    (Phase.PAUSED, Step.RESUME): Phase.RUNNING,
    (Phase.PAUSED, Step.ABORT): Phase.ABORTED,
}
"""What is missing here cannot be done: ABORTED and FINISHED are for ever."""

FAILURES: Final = frozenset({Status.FAILED, Status.REJECTED, Status.TIMED_OUT})
COUNTED: Final = FAILURES | {Status.SUCCEEDED}

Seconds = Annotated[float, msgspec.Meta(ge=0, le=366 * DAY_S)]
Percent = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to go about it. Raises ValueError, through msgspec as ValidationError, for a plan that cannot be.

    `percents` are how much of the fleet has the offer after each cohort; they grow, and end in 100.
    `max_failures` is the greatest share of failures, 0 to 1, that is put up with, among all boards that have answered,
    and among those of each cohort. While a cohort is incomplete that is asked only once `min_results` of it, or of
    all, are there; a complete one is judged however small it is.
    """

    rollout: JobId
    percents: tuple[Percent, ...] = (1, 10, 50, 100)
    soak_s: Seconds = 3600.0
    max_failures: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    min_results: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 5
    deadline_s: Annotated[float, msgspec.Meta(gt=0, le=366 * DAY_S)] = float(DAY_S)

    def __post_init__(self) -> None:
        grows = all(one < next_ for one, next_ in zip(self.percents, self.percents[1:], strict=False))
        if not self.percents or self.percents[-1] != 100 or not grows:
            raise ValueError("percents must grow and end in 100, such as 1, 10, 50, 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A board of a rollout. Without a status it has not been offered the job yet."""

    cohort: int
    status: Status | None = None
    offered_s: float | None = None
    settled_s: float | None = None  # since when the status is final

    @property
    def is_open(self) -> bool:
        """Offered, and not answered for good."""
        return self.status is not None and not self.status.is_final

    def moved(self, status: Status, now_s: float) -> Member:
        return replace(self, status=status, settled_s=now_s if status.is_final else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a rollout is. `why` is in words why it was last moved."""

    phase: Phase = Phase.RUNNING
    members: Mapping[str, Member] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """These boards get the job now."""

    boards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expire:
    """These said nothing for good until their deadline: they have failed."""

    boards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """These have not begun, and must not any more."""

    boards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Abort:
    why: str


@dataclass(frozen=True, slots=True)
class Finish:
    pass


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Unless something is heard, nothing is to be done before."""

    at_s: float


Action = Offer | Expire | Withdraw | Abort | Finish | WaitUntil


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Of some boards. `succeeded`, `failed` and `withdrawn` are over; `waiting` have not been offered the job."""

    boards: int
    waiting: int
    queued: int
    in_progress: int
    succeeded: int
    failed: int
    withdrawn: int

    @property
    def failure_share(self) -> float:
        counted = self.succeeded + self.failed
        return self.failed / counted if counted else 0.0


def place(board: str, rollout: str) -> int:
    """Where in the fleet a board stands for this rollout: 0 to 99, evenly spread."""
    digest = hashlib.sha256(f"{rollout}\0{board}".encode()).digest()
    return int.from_bytes(digest[:8]) * 100 >> 64


def cohort_of(board: str, plan: Plan) -> int:
    """The number of its cohort, from 0."""
    here = place(board, plan.rollout)
    return next(number for number, percent in enumerate(plan.percents) if here < percent)


def join(plan: Plan, progress: Progress, boards: Iterable[str]) -> Progress:
    """Take boards in that are not in yet. One that comes late joins the newest cohort if its own has had its turn."""
    if progress.phase not in (Phase.RUNNING, Phase.PAUSED):
        return progress
    newest = max((one.cohort for one in progress.members.values() if one.status is not None), default=0)
    new = {
        board: Member(cohort=max(newest, cohort_of(board, plan))) for board in boards if board not in progress.members
    }
    return replace(progress, members={**progress.members, **new}) if new else progress


def step(progress: Progress, event: Step, why: str) -> Progress:
    """Raises KeyError for what cannot be done in this phase."""
    return replace(progress, phase=NEXT[progress.phase, event], why=why)


def note(progress: Progress, board: str, status: Status, now_s: float) -> Progress:
    """What a board reported, or the service found. Nothing moves a board that has settled or has had no offer."""
    member = progress.members.get(board)
    if member is None or not member.is_open or status is member.status:
        return progress
    return replace(progress, members={**progress.members, board: member.moved(status, now_s)})


def decide(plan: Plan, progress: Progress, now_s: float) -> tuple[Action, ...]:
    """What is to be done now, in this order. Once it is applied, asking again gives at most a WaitUntil.

    A rollout without boards waits for its first one.
    """
    actions: list[Action] = []
    if overdue := _overdue(plan, progress, now_s):
        actions.append(Expire(overdue))
        progress = apply(progress, actions[-1:], now_s)
    if progress.phase is Phase.RUNNING and (why := _too_many_failures(plan, progress)):
        actions.append(Abort(why))
        progress = apply(progress, actions[-1:], now_s)
    if progress.phase is Phase.RUNNING and progress.members:
        return (*actions, _go_on(plan, progress, now_s))
    if progress.phase is Phase.ABORTED and (queued := _with_status(progress, Status.QUEUED)):
        actions.append(Withdraw(queued))
        progress = apply(progress, actions[-1:], now_s)
    if deadlines := _deadlines(plan, progress):
        actions.append(WaitUntil(min(deadlines)))
    return tuple(actions)


def apply(progress: Progress, actions: Sequence[Action], now_s: float) -> Progress:
    """The progress once these actions are carried out."""
    for action in actions:
        match action:
            case Offer():
                offered = {
                    board: replace(progress.members[board], status=Status.QUEUED, offered_s=now_s)
                    for board in action.boards
                }
                progress = replace(progress, members={**progress.members, **offered})
            case Expire():
                progress = _settled(progress, action.boards, Status.TIMED_OUT, now_s)
            case Withdraw():
                progress = _settled(progress, action.boards, Status.CANCELED, now_s)
            case Abort():
                progress = step(progress, Step.ABORT, action.why)
            case Finish():
                progress = step(progress, Step.FINISH, "all boards have answered")
    return progress


def totals(progress: Progress, cohort: int | None = None) -> Totals:
    """Of one cohort, or of all."""
    chosen = [one.status for one in progress.members.values() if cohort in (None, one.cohort)]
    return Totals(
        boards=len(chosen),
        waiting=chosen.count(None),
        queued=chosen.count(Status.QUEUED),
        in_progress=chosen.count(Status.IN_PROGRESS),
        succeeded=chosen.count(Status.SUCCEEDED),
        failed=sum(status in FAILURES for status in chosen),
        withdrawn=chosen.count(Status.CANCELED) + chosen.count(Status.REMOVED),
    )


def _go_on(plan: Plan, progress: Progress, now_s: float) -> Action:
    for number in range(len(plan.percents)):
        cohort = {board: one for board, one in progress.members.items() if one.cohort == number}
        if not cohort:
            continue  # nobody fell into it: there is nothing to soak
        if fresh := tuple(sorted(board for board, one in cohort.items() if one.status is None)):
            return Offer(fresh)
        if any(one.is_open for one in cohort.values()):
            return WaitUntil(min(_deadlines(plan, progress)))
        soaked_s = max(one.settled_s or 0.0 for one in cohort.values()) + plan.soak_s
        if now_s < soaked_s:
            return WaitUntil(soaked_s)
    return Finish()


def _too_many_failures(plan: Plan, progress: Progress) -> str | None:
    for number in (None, *range(len(plan.percents))):
        some = totals(progress, number)
        complete = number is not None and not (some.waiting or some.queued or some.in_progress)
        enough = complete or some.succeeded + some.failed >= plan.min_results
        if enough and some.failure_share > plan.max_failures:
            among = "all" if number is None else f"cohort {number + 1}"
            counted = some.succeeded + some.failed
            return f"{some.failed} of {counted} boards of {among} failed, more than {plan.max_failures:.0%}"
    return None


def _overdue(plan: Plan, progress: Progress, now_s: float) -> tuple[str, ...]:
    return tuple(
        sorted(
            board
            for board, one in progress.members.items()
            if one.is_open and one.offered_s is not None and one.offered_s + plan.deadline_s <= now_s
        )
    )


def _deadlines(plan: Plan, progress: Progress) -> list[float]:
    open_since = (one.offered_s for one in progress.members.values() if one.is_open)
    return [offered_s + plan.deadline_s for offered_s in open_since if offered_s is not None]


def _with_status(progress: Progress, status: Status) -> tuple[str, ...]:
    return tuple(sorted(board for board, one in progress.members.items() if one.status is status))


def _settled(progress: Progress, boards: Sequence[str], status: Status, now_s: float) -> Progress:
    settled = {}
    for board in boards:
        member = progress.members[board]
        if member.status is None or status not in SERVICE_MAY[member.status]:
            raise KeyError((board, member.status, status))
        settled[board] = member.moved(status, now_s)
    return replace(progress, members={**progress.members, **settled})
