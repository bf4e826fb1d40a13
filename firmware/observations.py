"""Everything that the board has noticed, on its way to the rules, the events and the uplink."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drivers.types import Instant, Quality, Quantity, Reading, SourceId
from firmware.rules.types import Sample, Transition
from model.types import Label, Reason, Verdict


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


Observation = Reading | Verdict | HealthChange | HealthReport | Picture
Event = Observation | Transition

NOT_THE_IMAGE = {Reason.UNSURE, Reason.UNSETTLED}


def samples(observation: Observation) -> tuple[Sample, ...]:
    """What the rules see of an observation. A verdict without a judged picture is unknown dirt and a blind camera."""
    if isinstance(observation, Reading):
        value = observation.value if observation.quality is Quality.GOOD else None
        return (Sample(observation.source, observation.quantity.signal, value, observation.at),)
    if isinstance(observation, Verdict):
        blind = observation.label is Label.CANNOT_TELL and not NOT_THE_IMAGE.issuperset(observation.reasons)
        return (
            Sample(
                observation.source, Quantity.DIRTY_SCORE.signal, None if blind else observation.score, observation.at
            ),
            Sample(observation.source, Quantity.BLIND.signal, float(blind), observation.at),
        )
    return ()
