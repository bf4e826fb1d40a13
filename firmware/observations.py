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


class UpdateStep(Enum):
    """How far a new model has come, or what became of it."""

    NONE = "none"  # somebody asked, and there is none to take
    FOUND = "found"  # the channel has one that this board can use
    FETCHING = "fetching"  # some of it is here
    STAGED = "staged"  # whole and proved
    TRIAL = "trial"  # it passed its examination, and judges beside the old one, which counts
    PROBATION = "probation"  # it counts, and has to show itself
    KEPT = "kept"  # it is the board's model from now on
    REFUSED = "refused"  # it falls short, on this board; or it is none that may be taken
    WENT_BACK = "went_back"  # it counted, and does so no more: the one before it does
    POSTPONED = "postponed"  # the repository, the network or the disk is in the way: later


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateChange:
    """A new model has come a step further. `release` is its name and version; empty where nobody knows yet.

    `figures` are what was measured of it; names end in their unit.
    """

    step: UpdateStep
    release: str
    why: str
    figures: dict[str, float]
    at: Instant


Observation = Reading | Verdict | HealthChange | HealthReport | Picture | CleaningChange | UpdateChange
