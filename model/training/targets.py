"""What the network is fed and what it is to answer, in numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CLEAN_G_M2 = (
    0.6  # obviously clean below: the limit for supply ducts of the high class, EN 15780:2011 (secondary source)
)
DIRTY_G_M2 = 3.0  # obviously dirty above: the same of the medium class
UNSURE = 0.25  # the target at the limit of clean, and as far from 1 at that of dirty
LEAST_G_M2 = 0.05  # below, a picture shows nothing of it: less than a duct has after cleaning (0.075, NADCA ACR)


def target(coverage_g_m2: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How dirty, 0 to 1: the logistic of a straight line over the logarithm of the coverage.

    `UNSURE` at the limit of clean, as much short of 1 at that of dirty, and never flat between: what a network answers
    before the logistic follows the degree, from next to nothing to the thickest.
    """
    low, high = np.log(CLEAN_G_M2), np.log(DIRTY_G_M2)
    steepness = 2 * np.log((1 - UNSURE) / UNSURE) / (high - low)
    degree = np.log(np.maximum(coverage_g_m2, LEAST_G_M2)) - (low + high) / 2
    soft: npt.NDArray[np.float32] = (1 / (1 + np.exp(-steepness * degree))).astype(np.float32)
    return soft


def is_obvious(coverage_g_m2: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Whether everybody would say the same, clean or dirty."""
    return (coverage_g_m2 < CLEAN_G_M2) | (coverage_g_m2 > DIRTY_G_M2)


def as_input(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """What the board's quantised input stands for: (u8 - 128 + 1) * 2 / 255."""
    real: npt.NDArray[np.float32] = (rgb.astype(np.float32) - 127) * np.float32(2 / 255)
    return np.minimum(real, 1, out=real)
