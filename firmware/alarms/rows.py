"""The rows of the tables in `alarms.sqlite`, from and to what they stand for. A row that is none of ours is refused."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from drivers.types import Instant, SourceId
from firmware.alarms.states import AlarmEvent, AlarmState, Withheld
from firmware.alarms.types import CHATTERS, AlarmId, AlarmRecord, Evidence, Note, Severity, Shelf, Transition

LARGEST = 2**62  # of what is counted: 146 years of nanoseconds, and more than the votes of any rule

Cell = str | int | float | bytes | None
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
Ages = Annotated[list[Count], msgspec.Meta(max_length=CHATTERS)]
Flag = Annotated[int, msgspec.Meta(ge=0, le=1)]
Finite = Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A transition and when it was noted: nanoseconds since 1970, None if the clock was not to be trusted.

    `number` counts from 0 within one `run` of the firmware: an entry that is written twice is kept once.
    """

    run: str
    number: int
    wall_ns: int | None
    transition: Transition


class _AlarmRow(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    rule: str
    source: str
    signal: str
    condition: str
    fault: Flag
    severity: Severity
    state: AlarmState
    value: Finite | None
    age_ns: Count
    elapsed_ns: Count
    running: Flag
    votes: Count
    in_state_ns: Count
    raised_ns: str
    untold: Flag
    suppressed: Flag
    shelf_ns: Count | None
    shelf_reason: str | None
    shelf_by: str | None
    out_reason: str | None
    out_by: str | None


class _JournalRow(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    run: str
    number: int
    wall_ns: int | None
    at_ns: int
    rule: str
    source: str
    before: AlarmState
    event: AlarmEvent
    after: AlarmState
    value: Finite | None
    severity: Severity
    fault: Flag
    reason: str
    by: str
    withheld: str


def record_of(cells: Sequence[Cell]) -> AlarmRecord:
    """Raises ValueError."""
    row = msgspec.convert(cells, _AlarmRow)
    return AlarmRecord(
        alarm=AlarmId(row.rule, SourceId(row.source)),
        signal=row.signal,
        condition=row.condition,
        fault=bool(row.fault),
        severity=row.severity,
        state=row.state,
        value=row.value,
        age_ns=row.age_ns,
        evidence=Evidence(row.elapsed_ns, bool(row.running), row.votes),
        in_state_ns=row.in_state_ns,
        raised_ns=_ages(row.raised_ns),
        untold=bool(row.untold),
        shelf=None if row.shelf_ns is None else Shelf(row.shelf_ns, Note(row.shelf_reason or "", row.shelf_by or "")),
        suppressed=bool(row.suppressed),
        out_of_service=None if row.out_reason is None else Note(row.out_reason, row.out_by or ""),
    )


def row_of_record(record: AlarmRecord) -> tuple[Cell, ...]:
    evidence = record.evidence
    shelf = (record.shelf.left_ns, *_words(record.shelf.note)) if record.shelf else (None,) * 3
    out = _words(record.out_of_service) if record.out_of_service else (None,) * 2
    return (
        record.alarm.rule,
        record.alarm.source,
        record.signal,
        record.condition,
        record.fault,
        record.severity.value,
        record.state.value,
        record.value,
        min(record.age_ns, LARGEST),
        min(evidence.elapsed_ns, LARGEST),
        evidence.running,
        evidence.votes,
        min(record.in_state_ns, LARGEST),
        " ".join(str(min(age_ns, LARGEST)) for age_ns in record.raised_ns),
        record.untold,
        record.suppressed,
        *shelf,
        *out,
    )


def entry_of(cells: Sequence[Cell]) -> JournalEntry:
    """Raises ValueError."""
    row = msgspec.convert(cells, _JournalRow)
    transition = Transition(
        alarm=AlarmId(row.rule, SourceId(row.source)),
        before=row.before,
        event=row.event,
        after=row.after,
        at=Instant(row.at_ns),
        value=row.value,
        severity=row.severity,
        fault=bool(row.fault),
        reason=row.reason,
        by=row.by,
        withheld=frozenset(map(Withheld, row.withheld.split())),
    )
    return JournalEntry(row.run, row.number, row.wall_ns, transition)


def row_of_entry(entry: JournalEntry) -> tuple[Cell, ...]:
    transition = entry.transition
    return (
        entry.run,
        entry.number,
        entry.wall_ns,
        transition.at,
        transition.alarm.rule,
        transition.alarm.source,
        transition.before.value,
        transition.event.value,
        transition.after.value,
        transition.value,
        transition.severity.value,
        transition.fault,
        *_words(Note(transition.reason, transition.by)),
        " ".join(sorted(each.value for each in transition.withheld)),
    )


def _words(note: Note) -> tuple[str, str]:
    """As SQLite can keep them: half a surrogate pair is no text for it, and must not cost the alarms."""
    return note.reason.encode("utf-8", "replace").decode(), note.by.encode("utf-8", "replace").decode()


def wall_ns_of(cells: Sequence[Cell] | None) -> int | None:
    """Of the one row that says when all was saved, if there is one. Raises ValueError."""
    return None if cells is None else msgspec.convert(cells[0], int | None)


def _ages(text: str) -> tuple[int, ...]:
    return tuple(msgspec.convert([int(age_ns) for age_ns in text.split()], Ages))
