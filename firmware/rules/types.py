"""What goes into the rule engine and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drivers.types import Instant, SourceId
from firmware.alarms.states import AlarmEvent, AlarmState


@dataclass(frozen=True, slots=True)
class Sample:
    """One signal of one source at one moment. `value` None is *unknown*: bad, warming up, or cannot tell."""

    source: SourceId
    signal: str
    value: float | None
    at: Instant


class Severity(Enum):
    """Priority of an alarm (ISA-18.2 clause 9 leaves names and number to the site; these are the usual four)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, order=True)
class AlarmId:
    """One rule on one source: `pm2_5_high` of `duct-pm`."""

    rule: str
    source: SourceId

    def __str__(self) -> str:
        return f"{self.rule}/{self.source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """An alarm changed its state: which, when, why, by whom, and with which value of the signal.

    `fault` tells an alarm about a signal that is unknown from one about a signal that is out of its limit.
    """

    alarm: AlarmId
    before: AlarmState
    event: AlarmEvent
    after: AlarmState
    at: Instant
    value: float | None
    severity: Severity
    fault: bool
    reason: str
    by: str = "rule"
