"""How a training went: its loss step by step, what it was worth now and then, and when it is time to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

SCHEMA: Final = "ductwatch.training/1"
SMOOTHING: Final = 0.98  # of the line through the losses: about fifty steps
LEAST_GAIN: Final = 0.01  # of a loss: less is no reason to go on


class Look(NamedTuple):
    """What the averaged weights were worth after `step` steps: the loss on photos that nothing is learned from."""

    step: int
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """`losses[0]` is that of step 1, on the very photos that it learned from. `planned` steps were meant to be made."""

    losses: tuple[float, ...]
    looks: tuple[Look, ...]
    planned: int

    @property
    def kept(self) -> Look:
        """The look whose weights were taken."""
        return self.looks[best([look.loss for look in self.looks])]

    def document(self, *, seed: int) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "seed": seed,
            "planned_steps": self.planned,
            "kept_step": self.kept.step,
            "curve": [{"step": step, "loss": loss} for step, loss in enumerate(self.losses, start=1)],
            "looks": [look._asdict() for look in self.looks],
        }


def best(losses: Sequence[float]) -> int:
    """The place of the least loss, the first of equals."""
    return int(np.argmin(losses))


def has_settled(losses: Sequence[float], patience: int) -> bool:
    """Whether the last `patience` looks, 1 or more, brought hardly anything that was not there before."""
    before, last = losses[:-patience], losses[-patience:]
    return bool(before) and min(last) > (1 - LEAST_GAIN) * min(before)


def smoothed(losses: Sequence[float], share: float = SMOOTHING) -> npt.NDArray[np.float64]:
    """Running mean (n,) with weights that fall by `share` from step to step, without a start at 0."""
    mean, weight, line = 0.0, 0.0, np.empty(len(losses))
    for place, loss in enumerate(losses):
        mean, weight = share * mean + (1 - share) * loss, share * weight + (1 - share)
        line[place] = mean / weight
    return line
