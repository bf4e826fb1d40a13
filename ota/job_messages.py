"""What boards and a Jobs service say to each other over MQTT: topics, messages, and the states of a job on one board.

Names and forms are those of AWS IoT Core (developer guide: "Jobs device MQTT API operations", "AWS IoT jobs API
operations: ErrorResponse", "Jobs and job execution states"; API reference: JobExecution, UpdateJobExecution). Bounds
are AWS's where it names one; where ours are tighter it is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from ota.errors import OtaError

MAX_MESSAGE_BYTES: Final = 128 * 1024  # AWS IoT Core quotas, message broker: no larger MQTT message passes
MAX_DETAILS: Final = 16  # pairs; ours: AWS bounds keys and values, and a row of the server's store is to stay small
LONGEST_STEP_MIN: Final = 10_080  # stepTimeoutInMinutes: 1 minute to 7 days
NEXT_JOB: Final = "$next"  # in a topic, instead of a job's id: whichever is next on this board

JOB_ID = r"^[a-zA-Z0-9_-]{1,64}\Z"
THING = r"^[a-zA-Z0-9:_-]{1,128}\Z"
WORD = r"^[a-zA-Z0-9._-]{1,64}\Z"

JobId = Annotated[str, msgspec.Meta(pattern=JOB_ID)]
Thing = Annotated[str, msgspec.Meta(pattern=THING)]
Word = Annotated[str, msgspec.Meta(pattern=WORD)]
Token = Annotated[str, msgspec.Meta(max_length=64)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Key = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9:_-]{1,128}\Z")]
Value = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,1024}\Z")]
Details = Annotated[dict[Key, Value], msgspec.Meta(max_length=MAX_DETAILS)]
Step = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_STEP_MIN)]

NOTHING: Final = msgspec.Raw()


class BadMessage(OtaError):
    """A message that is none of this conversation's: say so, and go on as if it had not come."""


class Status(Enum):
    """Of one job on one board."""

    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    REMOVED = "REMOVED"
    TIMED_OUT = "TIMED_OUT"
    CANCELED = "CANCELED"

    @property
    def is_final(self) -> bool:
        return self not in BOARD_MAY


BOARD_MAY: Final[dict[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.IN_PROGRESS, Status.SUCCEEDED, Status.FAILED, Status.REJECTED}),
    Status.IN_PROGRESS: frozenset({Status.IN_PROGRESS, Status.SUCCEEDED, Status.FAILED, Status.REJECTED}),
}
"""Where a board may move a job. What is not a key is final."""

SERVICE_MAY: Final[dict[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.TIMED_OUT, Status.CANCELED, Status.REMOVED}),
    Status.IN_PROGRESS: frozenset({Status.TIMED_OUT, Status.CANCELED, Status.REMOVED}),
}
"""Where the service may move it. AWS lets only what is in progress time out; our server also what nobody picks up."""


class JobDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a job asks for, and no more than that: what may be installed is proved by TUF alone.

    The board is to have `release_counter` or a later one of this model. It begins not before `not_before`, and then
    after a random part of `jitter_s`, so that not all boards load at once.
    """

    operation: Literal["ota"] = "ota"
    channel: Word
    model: Word
    release_counter: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    rollout: JobId
    not_before: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    jitter_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0

    def encoded(self) -> bytes:
        """With its `operation`, which is a default and yet must be said."""
        return msgspec.json.encode({"operation": self.operation} | msgspec.to_builtins(self))


class Request(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """A board's message of any kind: each operation looks at its own fields, and the service refuses unknown ones."""

    client_token: Token = ""
    status: Status | None = None
    status_details: Details | None = None
    expected_version: Count | None = None
    execution_number: Count | None = None
    include_job_execution_state: bool = False
    include_job_document: bool | None = None
    step_timeout_in_minutes: Step | None = None


class State(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """JobExecutionState. Messages of the service may have fields that are not known here: AWS adds some."""

    status: Status
    version_number: Count
    status_details: Details = {}


class Execution(State, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """JobExecution: a job on one board. Times are seconds since 1970."""

    job_id: JobId
    thing_name: Thing | None = None
    job_document: msgspec.Raw = NOTHING
    queued_at: float | None = None
    started_at: float | None = None
    last_updated_at: float | None = None
    execution_number: Count = 1


class Reply(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What comes after a request on `.../accepted`, and by itself on `notify-next`. `execution` may be `{}`."""

    client_token: Token = ""
    execution: msgspec.Raw = NOTHING
    execution_state: State | None = None
    in_progress_jobs: list[msgspec.Raw] | None = None
    queued_jobs: list[msgspec.Raw] | None = None
    jobs: dict[str, list[msgspec.Raw]] | None = None
    timestamp: float | None = None


class Rejection(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """ErrorResponse, on `.../rejected`."""

    code: Annotated[str, msgspec.Meta(max_length=64)]
    message: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    client_token: Token = ""
    execution_state: State | None = None
    timestamp: float | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """A message to send, with QoS 1."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class JobTopics:
    """`<prefix>/<thing>/jobs/...`. The prefix is `$aws/things` with AWS, and a board's own with a plain broker."""

    prefix: str
    thing: str

    def __post_init__(self) -> None:
        if not re.search(THING, self.thing):
            raise ValueError(f"{self.thing!r} cannot be a board: use a-z, 0-9, : - and _, at most 128 characters")

    def __call__(self, *levels: str) -> str:
        return "/".join((self.prefix, self.thing, "jobs", *levels))

    @property
    def answers(self) -> tuple[str, ...]:
        """What a board subscribes to: answers to what it asks, and news."""
        asked = (("get",), ("start-next",), ("+", "get"), ("+", "update"))
        return (*(self(*levels, "+") for levels in asked), self("notify"), self("notify-next"))


T = TypeVar("T")


def decoded(payload: bytes, kind: type[T]) -> T:
    """Raises `BadMessage` for what is too long, is no JSON, or is not of that kind."""
    if len(payload) > MAX_MESSAGE_BYTES:
        raise BadMessage(f"a message of {len(payload)} bytes, more than {MAX_MESSAGE_BYTES}", remedy="It was dropped")
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessage(f"a message is not as it must be: {error}", remedy="It was dropped") from error


def document_of(execution: Execution) -> JobDocument:
    """AWS gives a document as JSON, or as text that holds it. Raises `BadMessage`: such a job is to be rejected."""
    raw = bytes(execution.job_document)
    if raw.startswith(b'"'):
        raw = decoded(raw, str).encode()
    return decoded(raw, JobDocument)
