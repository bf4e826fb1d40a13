"""What the rules see of an observation."""

from __future__ import annotations

from drivers.types import Quality, Quantity, Reading
from firmware.observations import Observation
from firmware.rules.types import Sample
from model.types import Label, Reason, Verdict

SEEN_WELL = {Reason.UNSURE, Reason.UNSETTLED, Reason.MOVED}


def samples(observation: Observation) -> tuple[Sample, ...]:
    """A reading that is not good is unknown; so is the dirt where a picture was not fit to judge: a blind camera."""
    if isinstance(observation, Reading):
        value = observation.value if observation.quality is Quality.GOOD else None
        return (Sample(observation.source, observation.quantity.signal, value, observation.at),)
    if isinstance(observation, Verdict):
        source, at = observation.source, observation.at
        degree = observation.degree
        blind = observation.label is Label.CANNOT_TELL and not SEEN_WELL.issuperset(observation.reasons)
        return (
            Sample(source, Quantity.DIRTY_SCORE.signal, None if blind else observation.score, at),
            Sample(source, Quantity.ESTIMATED_DEPOSIT.signal, None if degree is None else degree.g_m2, at),
            Sample(source, Quantity.BLIND.signal, float(blind), at),
            Sample(source, Quantity.MOVED.signal, None if blind else float(Reason.MOVED in observation.reasons), at),
        )
    return ()
