"""Everything that the board has noticed, on its way to the rules, the events and the uplink."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drivers.types import Instant, Reading, SourceId
from firmware.cleaning.states import CleaningEvent, CleaningState
from model.types import Verdict

BOARD = SourceId("board")
"""The source of what the board says of itself."""


class Condition(Enum):
    """What became of a service or a resource."""

    FAILED = "failed"
    RECOVERED = "recovered"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChange:
    """Something on the board failed, came back, or does less than it should: said once, not every cycle."""

    source: SourceId
    condition: Condition
    problem: str
    remedy: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """Counters and latency figures since the start. Names of figures end in their unit."""

    figures: dict[str, float]
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A snapshot kept on the board: `path` is relative to the data directory. It never travels by MQTT itself."""

    source: SourceId
    path: str
    length_bytes: int
    sha256: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CleaningChange:
    """Somebody began, finished or cancelled a cleaning of the duct, or it ended: `state` is that from now on.

    `by` is a person's name, or the board's. `report` is relative to the data directory; None where none was written.
    """

    event: CleaningEvent
    state: CleaningState
    by: str
    reason: str
    at: Instant
    report: str | None = None


Observation = Reading | Verdict | HealthChange | HealthReport | Picture | CleaningChange
