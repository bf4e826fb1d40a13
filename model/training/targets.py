"""What the network is fed and what it is to answer, in numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CLEAN_G_M2 = (
    0.6  # obviously clean below: the limit for supply ducts of the high class, EN 15780:2011 (secondary source)
)
DIRTY_G_M2 = 3.0  # obviously dirty above: the same of the medium class


def target(coverage_g_m2: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How dirty, 0 to 1: a straight line over the logarithm of the coverage, from clean to dirty beyond doubt."""
    low, high = np.log(CLEAN_G_M2), np.log(DIRTY_G_M2)
    dirty = (np.log(np.maximum(coverage_g_m2, 1e-3)) - low) / (high - low)
    soft: npt.NDArray[np.float32] = np.clip(dirty, 0.01, 0.99).astype(np.float32)
    return soft


def as_input(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """What the board's quantised input stands for: (u8 - 128 + 1) * 2 / 255."""
    real: npt.NDArray[np.float32] = (rgb.astype(np.float32) - 127) * np.float32(2 / 255)
    return np.minimum(real, 1, out=real)
