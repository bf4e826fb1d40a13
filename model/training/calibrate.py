"""From what a network answers to how sure one may be: a straight line under the logistic curve, and image limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.image_quality import Measures
from model.training.data.samples import BadDataset

STEPS = 100  # of Newton's method, which needs about eight
SLOPE_SPREAD, SHIFT_SPREAD = 0.5, 0.25  # what is thought of a line before any photo: about slope 1 and shift 0
MOST_SURE = 20.0  # the largest logit: beyond, an int8 step of it is a leap of the score
RARE = 0.01  # this share of good pictures may be beyond a limit before there is slack
SLACK = 0.7  # a picture may have so much of the least that good pictures have
LIT_DIFFERENCE = 10.0  # photos come without their dark twin: found on rendered ducts
DARKEST, FLATTEST, SOFTEST = 10.0, 0.01, 0.1  # whatever photos there were, pictures below these are never judged:
BRIGHTEST, HAZIEST = 0.95, 0.95  # nor beyond these. A third of what rendered ducts need, or what leaves a twentieth


class Line(NamedTuple):
    """The calibrated logit is slope * logit + shift."""

    slope: float
    shift: float

    def times(self, share: float) -> Line:
        """What an opinion that counts so much adds."""
        return Line(self.slope * share, self.shift * share)


TAUGHT = Line(1.0, 0.0)


def fit_line(logits: npt.NDArray[np.float32], dirty: npt.NDArray[np.bool_]) -> Line:
    """Platt's scaling, with his targets that keep it finite where the classes part cleanly.

    Platt 1999, "Probabilistic Outputs for Support Vector Machines", by Newton's method with step halving as in Lin, Lin
    and Weng 2007. `logits` and `dirty` are (n,), with both classes. These count alike, however rare one is: a score of
    0.5 is where a picture is as likely to be dirty as clean, if nothing else is known. No logit becomes larger than
    `MOST_SURE`. Raises `BadDataset` if dirty ones do not score higher than clean ones.

    Few photos move it only a little from slope 1 and shift 0, which is what the network was taught: of 81 photos, from
    few ducts, the best line for these was a bad one for others (balanced accuracy .79 where 0 as the threshold gave
    .90, and this .93).
    """
    x = logits.astype(float)
    many, few = int(dirty.sum()), int((~dirty).sum())
    targets = np.where(dirty, (many + 1) / (many + 2), 1 / (few + 2))
    problem = _Platt(x, targets, np.where(dirty, 0.5 / many, 0.5 / few), trust=0.0)
    line = problem.solved(Line(0.0, 0.0), free=(True, True))
    if line.slope > 0:
        problem = problem._replace(trust=0.5 / min(many, few))
        line = problem.solved(TAUGHT, free=(True, True))
    if not line.slope > 0:
        said = "what the network learned does not hold for the photos that were kept aside"
        raise BadDataset(said, remedy="Look through the labels: ductwatch model data; or add pictures")
    steepest = MOST_SURE / max(float(np.abs(x).max()), 1e-6)
    return line if line.slope <= steepest else problem.solved(Line(steepest, 0.0), free=(False, True))


class _Platt(NamedTuple):
    """The mean logarithmic loss of a line, and its minimum. `trust` is how much `TAUGHT` counts beside it."""

    x: npt.NDArray[np.float64]
    targets: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]  # which add up to 1
    trust: float

    def solved(self, line: Line, *, free: tuple[bool, bool]) -> Line:
        """The best line from here on, with slope and shift each free or as it is."""
        at, mask = np.array(line), np.array(free)
        basis = np.stack([self.x, np.ones_like(self.x)]) * mask[:, None]
        for _ in range(STEPS):
            p = 1 / (1 + np.exp(-(at[0] * self.x + at[1])))
            gradient = basis @ (self.weights * (p - self.targets)) + mask * self._pull * (at - TAUGHT)
            curvature = (basis * (self.weights * p * (1 - p))) @ basis.T + np.diag(
                np.where(mask, 1e-12 + self._pull, 1)
            )
            step, size = np.linalg.solve(curvature, gradient), 1.0
            while size > 1e-6 and self._loss(at - size * step) > self._loss(at):
                size /= 2
            at = at - size * step
            if np.abs(size * step).max() < 1e-8:
                break
        return Line(float(at[0]), float(at[1]))

    def _loss(self, at: npt.NDArray[np.float64]) -> float:
        z = at[0] * self.x + at[1]
        return float(self.weights @ (np.logaddexp(0, z) - self.targets * z) + self._pull @ (at - TAUGHT) ** 2 / 2)

    @property
    def _pull(self) -> npt.NDArray[np.float64]:
        return self.trust / np.square([SLOPE_SPREAD, SHIFT_SPREAD])


def limits_for(measures: Sequence[Measures]) -> dict[str, float]:
    """The manifest's `image_limits`: a picture is judged if it is hardly worse than those that were learned from.

    Photos of a lamp that was off, or of a white wall, do not make such pictures fit to be judged.
    """

    def least(values: Sequence[float], floor: float) -> float:
        return max(float(np.quantile(values, RARE)) * SLACK, floor)

    def most(shares: Sequence[float], ceiling: float) -> float:
        return min(1 - (1 - float(np.quantile(shares, 1 - RARE))) * SLACK, ceiling)

    return {
        "dark_below": least([one.brightness for one in measures], DARKEST),
        "saturated_share_above": most([one.saturated_share for one in measures], BRIGHTEST),
        "contrast_below": least([one.contrast for one in measures], FLATTEST),
        "focus_below": least([one.focus for one in measures], SOFTEST),
        "lit_difference_below": LIT_DIFFERENCE,
        "veil_above": most([one.veil for one in measures], HAZIEST),
    }
