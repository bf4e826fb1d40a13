"""From what a network answers to how sure one may be: a straight line under the logistic curve, and image limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.image_quality import Measures

STEPS = 100  # of Newton's method, which needs about eight
STEEPEST = 20.0
RARE = 0.01  # this share of good pictures may be beyond a limit before there is slack
SLACK = 0.7  # a picture may have so much of the least that good pictures have
LIT_DIFFERENCE = 10.0  # photos come without their dark twin: found on rendered ducts


class Line(NamedTuple):
    """The calibrated logit is slope * logit + shift."""

    slope: float
    shift: float


def fit_line(logits: npt.NDArray[np.float32], dirty: npt.NDArray[np.bool_]) -> Line:
    """Platt's scaling, with his targets that keep it finite where the classes part cleanly.

    Platt 1999, "Probabilistic Outputs for Support Vector Machines", by Newton's method with step halving as in Lin, Lin
    and Weng 2007. `logits` and `dirty` are (n,). The slope is 0 or more, at most STEEPEST: no order is turned round.
    """
    x = logits.astype(float)
    many, few = int(dirty.sum()), int((~dirty).sum())
    targets = np.where(dirty, (many + 1) / (many + 2), 1 / (few + 2))

    def loss(slope: float, shift: float) -> float:
        z = slope * x + shift
        return float(np.sum(np.logaddexp(0, z) - targets * z))

    slope, shift = 0.0, float(np.log((many + 1) / (few + 1)))
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-(slope * x + shift)))
        error, weight = p - targets, p * (1 - p) + 1e-12
        gradient = np.array([error @ x, error.sum()])
        curvature = np.array([[weight @ (x * x), weight @ x], [weight @ x, weight.sum()]]) + np.eye(2) * 1e-9
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > 1e-6 and loss(slope - size * step[0], shift - size * step[1]) > loss(slope, shift):
            size /= 2
        slope, shift = slope - size * float(step[0]), shift - size * float(step[1])
        if np.abs(size * step).max() < 1e-8:
            break
    if not 0 <= slope <= STEEPEST:
        slope = min(max(slope, 0.0), STEEPEST)
    return Line(slope, shift)


def limits_for(measures: Sequence[Measures]) -> dict[str, float]:
    """The manifest's `image_limits`: a picture is judged if it is hardly worse than those that were learned from."""

    def least(values: Sequence[float]) -> float:
        return float(np.quantile(values, RARE)) * SLACK

    saturated = float(np.quantile([one.saturated_share for one in measures], 1 - RARE))
    return {
        "dark_below": least([one.brightness for one in measures]),
        "saturated_share_above": 1 - (1 - saturated) * SLACK,
        "contrast_below": least([one.contrast for one in measures]),
        "focus_below": least([one.focus for one in measures]),
        "lit_difference_below": LIT_DIFFERENCE,
    }
