"""Which relays, lamps and buzzers follow which alarms."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from drivers.types import SourceId
from firmware.alarms.states import ACTIVE, UNSEEN, AlarmState
from firmware.alarms.types import AlarmRecord, Severity


class Until(Enum):
    """How long an output stays on."""

    OVER = "over"  # until the alarm is over, and reset if it latches: lamp, relay
    SEEN = "seen"  # until somebody has acknowledged it, also if it is over by itself: buzzer


ON_IN: dict[Until, set[AlarmState]] = {Until.OVER: ACTIVE, Until.SEEN: UNSEEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """One output, and the alarms that switch it on. Alarms about unknown signals count by their severity too."""

    output: SourceId
    severities: frozenset[Severity]
    until: Until = Until.OVER


def outputs_on(outputs: Iterable[Following], alarms: Collection[AlarmRecord]) -> frozenset[SourceId]:
    """The outputs that must be on while the alarms stand so; all others must be off. Withheld ones switch none on."""
    return frozenset(
        following.output
        for following in outputs
        if any(
            alarm.severity in following.severities and alarm.state in ON_IN[following.until] and not alarm.withheld
            for alarm in alarms
        )
    )
