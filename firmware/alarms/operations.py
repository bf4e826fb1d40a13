"""What an operator may do to an alarm, whichever way they ask for it."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.types import NS_PER_S
from firmware.alarms.types import AlarmId, Note

LONGEST_SHELF_NS = 7 * 86_400 * NS_PER_S  # what is not wanted for longer is taken out of service, or its rule is wrong


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody has seen this alarm."""

    alarm: AlarmId
    by: str


@dataclass(frozen=True, slots=True)
class Reset:
    """Somebody says that it is mended: this alarm, or (None) each one that is latched."""

    alarm: AlarmId | None
    by: str


@dataclass(frozen=True, slots=True)
class Shelve:
    """Tell nobody of this alarm for `for_ns`, above 0 and at most `LONGEST_SHELF_NS`."""

    alarm: AlarmId
    for_ns: int
    note: Note


@dataclass(frozen=True, slots=True)
class Unshelve:
    """Tell of it again."""

    alarm: AlarmId
    note: Note


@dataclass(frozen=True, slots=True)
class TakeOutOfService:
    """Tell nobody of this alarm until it is returned to service."""

    alarm: AlarmId
    note: Note


@dataclass(frozen=True, slots=True)
class ReturnToService:
    """Tell of it again."""

    alarm: AlarmId
    note: Note


Operation = Acknowledge | Reset | Shelve | Unshelve | TakeOutOfService | ReturnToService
