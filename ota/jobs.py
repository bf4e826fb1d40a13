"""A board's side of AWS IoT Jobs, without I/O: what to publish, and what the answers mean.

Form: AWS IoT Core developer guide, "Jobs device MQTT API operations". The same topics are served on a plain broker by
`firmware.fleet`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from ota.job_messages import (
    MAX_DETAILS,
    NEXT_JOB,
    BadMessage,
    Execution,
    JobDocument,
    JobTopics,
    Publication,
    Rejection,
    Reply,
    Request,
    State,
    Status,
    decoded,
    document_of,
)

LONGEST_KEY, LONGEST_VALUE = 128, 1024  # UpdateJobExecution, statusDetails
OVERTAKEN = {
    "VersionMismatch",
    "InvalidStateTransition",
    "TerminalStateReached",
}  # ErrorResponse: with the state as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job for this board, as it stood when the service last spoke of it: what follows is said of the newest one."""

    id: str
    status: Status
    version: int


@dataclass(frozen=True, slots=True)
class Offer:
    """There is a job: accept or reject it; go on with it if it is in progress already, as after a restart.

    Since when it waits and since when it is in progress, in seconds since 1970 by the service's clock, if it says so.
    """

    job: Job
    document: JobDocument
    queued_at: float | None = None
    started_at: float | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is a job whose document asks for nothing that this firmware knows. `answer` rejects it: publish that."""

    problem: str
    answer: Publication


@dataclass(frozen=True, slots=True)
class Nothing:
    """No job waits."""


@dataclass(frozen=True, slots=True)
class Noted:
    """The service has what this board said of its job. After a final status there may be another job: ask `next`."""

    job: Job


@dataclass(frozen=True, slots=True)
class Again:
    """Somebody else moved the job meanwhile, or an answer was lost: publish this instead."""

    answer: Publication


@dataclass(frozen=True, slots=True)
class Lost:
    """The service refuses what this board said. With a final `status` the job is over: canceled or timed out, say.

    Without one, as for `RequestThrottled`, ask `next` later: the job is offered again if it is still there.
    """

    code: str
    message: str
    status: Status | None


Outcome = Offer | Unusable | Nothing | Noted | Again | Lost


class Jobs:
    """One conversation, one request at a time: a new one takes the place of one that was not answered.

    Ask `next` after each connection and now and then, since news may be lost; publish `unanswered` again after some
    seconds. What the service has heard already does no harm: it is told by its version.
    """

    def __init__(self, topics: JobTopics, *, token: Callable[[], str]) -> None:
        """`token` makes texts of at most 64 characters that do not repeat: they tell answers of old from new ones."""
        self._topics = topics
        self._token = token
        self._asked: _Asked | None = None
        self._newest: Job | None = None  # as far as the service has spoken of it: news may come late
        self.subscriptions = topics.answers

    @property
    def unanswered(self) -> Publication | None:
        return None if self._asked is None else self._asked.publication(self._topics)

    def next(self) -> Publication:
        """Ask for the job that is in progress, or else the oldest. It stays as it is.

        While something that was said of a job is not answered, that is said again instead: it must not be lost.
        """
        if self._asked is not None and self._asked.job is not None:
            return self._asked.publication(self._topics)
        return self._ask(_Asked((NEXT_JOB, "get"), Request(client_token=self._token(), include_job_document=True)))

    def accept(
        self, job: Job, *, step_timeout_min: int | None = None, details: Mapping[str, str] | None = None
    ) -> Publication:
        """It is begun. The service counts it as failed if nothing is heard of it within `step_timeout_min` minutes."""
        return self._update(job, Status.IN_PROGRESS, details, step_timeout_min)

    def progress(self, job: Job, details: Mapping[str, str], *, step_timeout_min: int | None = None) -> Publication:
        """How far it is; the step's time begins anew if one is given."""
        return self._update(job, Status.IN_PROGRESS, details, step_timeout_min)

    def finish(self, job: Job, status: Status, details: Mapping[str, str]) -> Publication:
        """`status` is SUCCEEDED or FAILED. Which version the board has now belongs into `details`."""
        return self._update(job, status, details, None)

    def reject(self, job: Job, reason: str) -> Publication:
        """It is not for this board, and never will be."""
        return self._update(job, Status.REJECTED, {"reason": reason}, None)

    def received(self, topic: str, payload: bytes) -> Outcome | None:
        """What a message means; None for one that answers nothing that was asked. Raises `BadMessage`."""
        if topic == self._topics("notify-next"):
            return self._news(_execution(decoded(payload, Reply)), is_late=True)
        asked = self._asked
        if asked is None or topic.rpartition("/")[0] != self._topics(*asked.levels):
            return None
        match topic.rpartition("/")[2]:
            case "accepted":
                return self._accepted(asked, decoded(payload, Reply))
            case "rejected":
                return self._rejected(asked, decoded(payload, Rejection))
        return None

    def _accepted(self, asked: _Asked, reply: Reply) -> Outcome | None:
        if reply.client_token != asked.request.client_token:
            return None
        self._asked = None
        if asked.job is None:
            return self._news(_execution(reply), is_late=False)
        state = reply.execution_state
        version = asked.job.version + 1 if state is None else state.version_number
        return self._noted(replace(asked.job, status=asked.status, version=version))

    def _rejected(self, asked: _Asked, rejection: Rejection) -> Outcome | None:
        if rejection.client_token != asked.request.client_token:
            return None
        self._asked = None
        state = rejection.execution_state
        if asked.job is not None and state is not None:
            self._newest = replace(asked.job, status=state.status, version=state.version_number)
        if asked.job is not None and state is not None and rejection.code in OVERTAKEN:
            if asked.is_what(state):  # it had been heard, and the answer was lost
                return self._noted(replace(asked.job, status=state.status, version=state.version_number))
            if not state.status.is_final and state.version_number != asked.job.version:
                return Again(self._ask(asked.renewed(state, self._token())))
        return Lost(rejection.code, rejection.message, None if state is None else state.status)

    def _news(self, execution: Execution | None, *, is_late: bool) -> Outcome | None:
        """`is_late`: it may have been overtaken on its way. An answer to what was just asked is as it stands now, also
        where that begins with version 1 again: a rollout that was forgotten may have another of its name."""
        if execution is None or execution.status.is_final:
            return Nothing()
        if execution.thing_name not in (None, self._topics.thing):
            raise BadMessage(f"a job of {execution.thing_name}, which is another board", remedy="It was dropped")
        if self._asked is not None and self._asked.job is not None and self._asked.job.id == execution.job_id:
            return None  # what was said of it is still on its way
        job = Job(id=execution.job_id, status=execution.status, version=execution.version_number)
        before = self._newest
        if is_late and before is not None and before.id == job.id and job.version < before.version:
            return None
        self._newest = job
        try:
            return Offer(job, document_of(execution), execution.queued_at, execution.started_at)
        except BadMessage as error:
            return Unusable(error.problem, self.reject(job, error.problem))

    def _noted(self, job: Job) -> Noted:
        self._newest = job
        return Noted(job)

    def _update(self, job: Job, status: Status, details: Mapping[str, str] | None, step_min: int | None) -> Publication:
        request = Request(
            client_token=self._token(),
            status=status,
            status_details=None if details is None else _bounded(details),
            expected_version=job.version,
            include_job_execution_state=True,
            step_timeout_in_minutes=step_min,
        )
        return self._ask(_Asked((job.id, "update"), request, job))

    def _ask(self, asked: _Asked) -> Publication:
        self._asked = asked
        return asked.publication(self._topics)


@dataclass(frozen=True, slots=True)
class _Asked:
    levels: tuple[str, ...]
    request: Request
    job: Job | None = None

    @property
    def status(self) -> Status:
        assert self.request.status is not None
        return self.request.status

    def publication(self, topics: JobTopics) -> Publication:
        return Publication(topics(*self.levels), msgspec.json.encode(self.request))

    def is_what(self, state: State) -> bool:
        return state.status is self.status and self.request.status_details in (None, state.status_details)

    def renewed(self, state: State, token: str) -> _Asked:
        assert self.job is not None
        request = msgspec.structs.replace(self.request, expected_version=state.version_number, client_token=token)
        return _Asked(self.levels, request, replace(self.job, status=state.status, version=state.version_number))


def _execution(reply: Reply) -> Execution | None:
    """`{}` and nothing at all both say that there is none."""
    raw = bytes(reply.execution)
    return None if raw.strip() in (b"", b"{}", b"null") else decoded(raw, Execution)


def _bounded(details: Mapping[str, str]) -> dict[str, str]:
    """Cut to what the service takes: further pairs are left out, longer texts end in an ellipsis."""
    pairs = list(details.items())[:MAX_DETAILS]
    return {key[:LONGEST_KEY]: _printable(value) for key, value in pairs}


def _printable(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text) or "-"
    return shown if len(shown) <= LONGEST_VALUE else shown[: LONGEST_VALUE - 1] + "…"
