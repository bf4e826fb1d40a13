"""What the Jobs server answers to a board. Pure: from the board's jobs and its message to its jobs and the answers.

Operations and codes are those of AWS IoT Core, as in `ota.job_messages`. Who may speak for a board is the broker's
access list's business: whoever may publish below a board's name is that board.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from firmware.fleet.types import Moment, Ticket
from ota.job_messages import (
    BOARD_MAY,
    MAX_MESSAGE_BYTES,
    NEXT_JOB,
    NOTHING,
    Execution,
    JobTopics,
    Publication,
    Rejection,
    Reply,
    Request,
    State,
    Status,
)

FILTERS = (("get",), ("start-next",), ("+", "get"), ("+", "update"))  # below a board's `jobs/`
MAX_LISTED = 10  # of jobs that wait, in one list: AWS IoT Jobs limits, GetPendingJobExecutions
MINUTE_S = 60.0
ONLY = 1  # executionNumber: a rollout offers its job to a board once


@dataclass(frozen=True, slots=True)
class Answered:
    """`changed` is to be kept before anything is published."""

    changed: Ticket | None
    publications: tuple[Publication, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A topic that a board published to: `levels` are what follows `jobs/`."""

    topics: JobTopics
    levels: tuple[str, ...]


class _Refused(Exception):
    def __init__(self, code: str, message: str, ticket: Ticket | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.ticket = ticket


def call(prefix: str, topic: str) -> Call | None:
    """None for a topic that is no board's."""
    board, slash, rest = topic.removeprefix(f"{prefix}/").partition("/jobs/")
    if not topic.startswith(f"{prefix}/") or not slash:
        return None
    try:
        return Call(JobTopics(prefix, board), tuple(rest.split("/")))
    except ValueError:
        return None


def answer(asked: Call, payload: bytes, tickets: Sequence[Ticket], now: Moment) -> Answered:
    """`tickets` are all of this board's, oldest first."""
    topic = asked.topics(*asked.levels)
    try:
        request = _request(payload)
        moved, reply = _performed(asked.levels, request, tickets, now)
    except _Refused as refused:
        rejection = Rejection(
            code=refused.code,
            message=str(refused)[:1000],
            client_token=_token(payload),
            execution_state=_state(refused.ticket),
            timestamp=now.at,
        )
        return Answered(None, (Publication(f"{topic}/rejected", msgspec.json.encode(rejection)),))
    reply = msgspec.structs.replace(reply, client_token=request.client_token, timestamp=now.at)
    accepted = Publication(f"{topic}/accepted", msgspec.json.encode(reply))
    after = [moved if moved is not None and one.rollout == moved.rollout else one for one in tickets]
    return Answered(moved, (accepted, *news(asked.topics, tickets, after, now)))


def news(topics: JobTopics, before: Sequence[Ticket], after: Sequence[Ticket], now: Moment) -> tuple[Publication, ...]:
    """JobExecutionsChanged if another set of jobs waits, NextJobExecutionChanged if another one is next."""
    told: list[Publication] = []
    if {one.rollout for one in _pending(before)} != {one.rollout for one in _pending(after)}:
        told.append(changed(topics, after, now))
    old, new = _next(before), _next(after)
    if (old and old.rollout) != (new and new.rollout):
        told.append(announced(topics, after, now))
    return tuple(told)


def changed(topics: JobTopics, tickets: Sequence[Ticket], now: Moment) -> Publication:
    """Which jobs wait for this board."""
    jobs = {status.value: listed for status in BOARD_MAY if (listed := _listed(tickets, status))}
    return _published(topics("notify"), Reply(jobs=jobs, timestamp=now.at))


def announced(topics: JobTopics, tickets: Sequence[Ticket], now: Moment) -> Publication:
    """Which job is next on this board."""
    following = _next(tickets)
    execution = msgspec.Raw(b"{}") if following is None else _execution(following)
    return _published(topics("notify-next"), Reply(execution=execution, timestamp=now.at))


def _performed(
    levels: tuple[str, ...], request: Request, tickets: Sequence[Ticket], now: Moment
) -> tuple[Ticket | None, Reply]:
    if request.execution_number not in (None, ONLY):
        raise _Refused("ResourceNotFound", "this board has had no such execution")
    match levels:
        case ("get",):
            in_progress, queued = (_listed(tickets, status) for status in (Status.IN_PROGRESS, Status.QUEUED))
            return None, Reply(in_progress_jobs=in_progress, queued_jobs=queued)
        case ("start-next",):
            return _start_next(request, tickets, now)
        case (job, "get"):
            return None, _described(_next(tickets) if job == NEXT_JOB else _found(job, tickets), request)
        case (job, "update"):
            return _update(_found(job, tickets), request, now)
    raise _Refused("InvalidTopic", "no such operation")


def _start_next(request: Request, tickets: Sequence[Ticket], now: Moment) -> tuple[Ticket | None, Reply]:
    ticket = _next(tickets)
    if ticket is None or ticket.status is Status.IN_PROGRESS:
        return None, _described(ticket, request)
    started = _moved(ticket, Status.IN_PROGRESS, request, now)
    return started, _described(started, request)


def _described(ticket: Ticket | None, request: Request) -> Reply:
    if ticket is None:
        return Reply()
    return Reply(execution=_execution(ticket, with_document=request.include_job_document is not False))


def _update(ticket: Ticket, request: Request, now: Moment) -> tuple[Ticket, Reply]:
    if request.status is None:
        raise _Refused("InvalidRequest", "status is missing")
    if ticket.status.is_final:
        raise _Refused("InvalidStateTransition", f"it is {ticket.status.value} for good", ticket)
    if request.status not in BOARD_MAY[ticket.status]:
        raise _Refused("InvalidRequest", f"a board does not set {request.status.value}", ticket)
    if request.expected_version not in (None, ticket.version):
        raise _Refused("VersionMismatch", f"it has version {ticket.version}", ticket)
    moved = _moved(ticket, request.status, request, now)
    return moved, Reply(execution_state=_state(moved) if request.include_job_execution_state else None)


def _moved(ticket: Ticket, status: Status, request: Request, now: Moment) -> Ticket:
    due_s = ticket.due_s
    if request.step_timeout_in_minutes is not None:
        due_s = now.listened_s + request.step_timeout_in_minutes * MINUTE_S
    return replace(
        ticket,
        member=ticket.member.moved(status, now.listened_s),
        version=ticket.version + 1,
        details=ticket.details if request.status_details is None else request.status_details,
        started_at=now.at if ticket.started_at is None else ticket.started_at,
        updated_at=now.at,
        due_s=None if status.is_final else due_s,
    )


def _request(payload: bytes) -> Request:
    if len(payload) > MAX_MESSAGE_BYTES:
        raise _Refused("InvalidRequest", f"more than {MAX_MESSAGE_BYTES} bytes")
    try:
        return msgspec.json.decode(payload or b"{}", type=Request)
    except msgspec.ValidationError as error:
        raise _Refused("InvalidRequest", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Refused("InvalidJson", str(error)) from error


class _Tokened(msgspec.Struct, rename="camel"):
    client_token: str = ""


def _token(payload: bytes) -> str:
    """Of a request that is wrong otherwise, so that whoever sent it knows which one it was."""
    try:
        return msgspec.json.decode(payload[:MAX_MESSAGE_BYTES], type=_Tokened).client_token[:64]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def _found(job: str, tickets: Sequence[Ticket]) -> Ticket:
    for ticket in tickets:
        if ticket.rollout == job:
            return ticket
    raise _Refused("ResourceNotFound", "this board has no such job")


def _pending(tickets: Sequence[Ticket]) -> list[Ticket]:
    return [one for one in tickets if not one.status.is_final]


def _next(tickets: Sequence[Ticket]) -> Ticket | None:
    """What is in progress comes first, then the oldest (DescribeJobExecution)."""
    pending = sorted(_pending(tickets), key=lambda one: one.status is not Status.IN_PROGRESS)
    return pending[0] if pending else None


def _listed(tickets: Sequence[Ticket], status: Status) -> list[msgspec.Raw]:
    chosen = [one for one in tickets if one.status is status][:MAX_LISTED]
    return [_execution(one, with_document=False) for one in chosen]


def _execution(ticket: Ticket, *, with_document: bool = True) -> msgspec.Raw:
    execution = Execution(
        job_id=ticket.rollout,
        thing_name=ticket.board,
        job_document=msgspec.Raw(ticket.document) if with_document else NOTHING,
        status=ticket.status,
        status_details=dict(ticket.details),
        queued_at=ticket.queued_at,
        started_at=ticket.started_at,
        last_updated_at=ticket.updated_at,
        version_number=ticket.version,
    )
    return msgspec.Raw(msgspec.json.encode(execution))


def _state(ticket: Ticket | None) -> State | None:
    if ticket is None:
        return None
    return State(status=ticket.status, status_details=dict(ticket.details), version_number=ticket.version)


def _published(topic: str, reply: Reply) -> Publication:
    return Publication(topic, msgspec.json.encode(reply))
