"""The rows of a fleet's file, from and to what they stand for. ValueError, msgspec's too: a row is none of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from firmware.fleet.types import Rollout, Ticket
from ota.job_messages import JobDocument, Status
from ota.rollout import Member, Phase, Plan

LAYOUT = 1  # PRAGMA user_version

SCHEMA = f"""
CREATE TABLE board (name TEXT PRIMARY KEY, availability TEXT NOT NULL) STRICT;
CREATE TABLE rollout (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, plan TEXT NOT NULL, document TEXT NOT NULL,
  boards TEXT NOT NULL, made_at INTEGER NOT NULL, moved_at INTEGER NOT NULL, phase TEXT NOT NULL, why TEXT NOT NULL
) STRICT;
CREATE TABLE ticket (
  rollout TEXT NOT NULL REFERENCES rollout (id) ON DELETE CASCADE, board TEXT NOT NULL, cohort INTEGER NOT NULL,
  status TEXT, offered_s REAL, settled_s REAL, version INTEGER NOT NULL DEFAULT 1, details TEXT NOT NULL DEFAULT '{{}}',
  queued_at INTEGER NOT NULL DEFAULT 0, started_at INTEGER, updated_at INTEGER NOT NULL DEFAULT 0, due_s REAL,
  PRIMARY KEY (rollout, board)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_of_board ON ticket (board);
CREATE TABLE clock (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1), listened_s REAL NOT NULL, heard_at INTEGER
) STRICT;
INSERT INTO clock VALUES (1, 0, NULL);
PRAGMA user_version = {LAYOUT};
"""

TICKETS = """
SELECT t.rollout, t.board, r.document, t.cohort, t.status, t.offered_s, t.settled_s, t.version, t.details,
       t.queued_at, t.started_at, t.updated_at, t.due_s
FROM ticket t JOIN rollout r ON r.id = t.rollout WHERE t.status IS NOT NULL
"""


def as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def columns_of(member: Member) -> tuple[int, str | None, float | None, float | None]:
    status = None if member.status is None else member.status.value
    return member.cohort, status, member.offered_s, member.settled_s


def member_of(cohort: int, status: str | None, offered_s: float | None, settled_s: float | None) -> Member:
    known = None if status is None else Status(status)
    return Member(cohort=cohort, status=known, offered_s=offered_s, settled_s=settled_s)


def row_of_rollout(rollout: Rollout) -> tuple[Any, ...]:
    return (
        rollout.id,
        as_json(rollout.plan),
        rollout.document.encoded().decode(),
        as_json(rollout.boards),
        rollout.made_at,
        rollout.moved_at,
        rollout.phase.value,
        rollout.why,
    )


def rollout_of(row: Sequence[Any]) -> Rollout:
    plan, document, boards, made_at, moved_at, phase, why = row
    return Rollout(
        plan=msgspec.json.decode(plan, type=Plan),
        document=msgspec.json.decode(document, type=JobDocument),
        boards=msgspec.json.decode(boards, type=tuple[str, ...]),
        made_at=made_at,
        moved_at=moved_at,
        phase=Phase(phase),
        why=why,
    )


def ticket_of(row: Sequence[Any]) -> Ticket:
    rollout, board, document, *member, version, details, queued_at, started_at, updated_at, due_s = row
    known: Mapping[str, str] = msgspec.json.decode(details, type=dict[str, str])
    return Ticket(
        rollout=rollout,
        board=board,
        document=document.encode(),
        member=member_of(*member),
        version=version,
        details=known,
        queued_at=queued_at,
        started_at=started_at,
        updated_at=updated_at,
        due_s=due_s,
    )
