"""What a fleet is to its Jobs server: boards, rollouts, and the job of a rollout on one board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ota.job_messages import JobDocument, Status
from ota.rollout import Member, Phase, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board that the broker told of. `availability` is its last word: online, stopped or offline."""

    name: str
    availability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """What somebody started. `boards` are names, or patterns with `*` and `?`, which take in also who comes later.

    `made_at` and `moved_at` are seconds since 1970.
    """

    plan: Plan
    document: JobDocument
    boards: tuple[str, ...]
    made_at: int
    moved_at: int
    phase: Phase = Phase.RUNNING
    why: str = ""

    @property
    def id(self) -> str:
        return self.plan.rollout

    def is_for(self, board: str) -> bool:
        return any(fnmatchcase(board, pattern) for pattern in self.boards)

    @property
    def named(self) -> tuple[str, ...]:
        """Those that are in it whether or not the broker knows them."""
        return tuple(board for board in self.boards if not set("*?[") & set(board))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A job execution: one rollout's job on one board. Times in `..._at` are seconds since 1970, as AWS tells them.

    `member` has the status and the times of the server's own clock, as has `due_s`, when its step times out.
    """

    rollout: str
    board: str
    document: bytes
    member: Member
    version: int = 1
    details: Mapping[str, str] = field(default_factory=dict)
    queued_at: int = 0
    started_at: int | None = None
    updated_at: int = 0
    due_s: float | None = None

    @property
    def status(self) -> Status:
        """Only boards that have an offer have a ticket."""
        assert self.member.status is not None
        return self.member.status


@dataclass(frozen=True, slots=True)
class Moment:
    """Now: in seconds since 1970, and on the server's own clock, which runs only while it listens."""

    at: int
    listened_s: float
