"""What the firmware says at its socket, in plain values. Pure. docs/alarms.md describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from drivers.types import NS_PER_S
from firmware.alarms.database import JournalEntry
from firmware.alarms.states import AlarmState
from firmware.alarms.types import AlarmId, AlarmRecord, Note, Transition
from firmware.rules.types import Annotations

STALE_NS = 86_400 * NS_PER_S  # an alarm that stands for longer is stale: EEMUA 191


def standing(
    records: Iterable[AlarmRecord], annotations: Callable[[AlarmId], Annotations | None]
) -> list[dict[str, Any]]:
    """The alarms that are not normal or that nobody is told of, the most severe and newest first."""
    shown = [record for record in records if record.state is not AlarmState.NORMAL or record.withheld]
    shown.sort(key=lambda record: (bool(record.withheld), -record.severity.rank, record.in_state_ns, record.alarm))
    return [_alarm(record, annotations(record.alarm)) for record in shown]


def moves(transitions: Sequence[Transition]) -> list[dict[str, Any]]:
    return [_move(each) for each in transitions]


def history(entries: Sequence[JournalEntry], utc: Callable[[int], str]) -> list[dict[str, Any]]:
    """Oldest first. `time` is None where the clock was not to be trusted."""
    return [
        {"time": None if entry.wall_ns is None else utc(entry.wall_ns), "run": entry.run, **_move(entry.transition)}
        for entry in entries
    ]


def _alarm(record: AlarmRecord, annotations: Annotations | None) -> dict[str, Any]:
    shelf = record.shelf
    return {
        "rule": record.alarm.rule,
        "source": record.alarm.source,
        "state": record.state.value,
        "severity": record.severity.value,
        "fault": record.fault,
        "withheld": sorted(each.value for each in record.withheld),
        "value": record.value,
        "in_state_s": _s(record.in_state_ns),
        "stale": record.state is not AlarmState.NORMAL and record.in_state_ns > STALE_NS,
        "chattering": record.chattering,
        "condition": record.condition,
        "shelf": None if shelf is None else {"left_s": _s(shelf.left_ns), **_note(shelf.note)},
        "out_of_service": None if record.out_of_service is None else _note(record.out_of_service),
        "cause": annotations.cause if annotations else "",
        "consequence": annotations.consequence if annotations else "",
        "action": annotations.action if annotations else "",
    }


def _move(transition: Transition) -> dict[str, Any]:
    return {
        "rule": transition.alarm.rule,
        "source": transition.alarm.source,
        "before": transition.before.value,
        "event": transition.event.value,
        "after": transition.after.value,
        "active": transition.active,
        "withheld": sorted(each.value for each in transition.withheld),
        "severity": transition.severity.value,
        "fault": transition.fault,
        "value": transition.value,
        "reason": transition.reason,
        "by": transition.by,
    }


def _note(note: Note) -> dict[str, str]:
    return {"reason": note.reason, "by": note.by}


def _s(ns: int) -> float:
    return round(ns / NS_PER_S, 3)
