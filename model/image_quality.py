"""Judges the picture before the duct: is this fit to be classified at all?

All measures are taken from green, which carries most of the luma, at the size of the model's input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.manifest import ImageLimits
from model.tensors import Picture
from model.types import Reason

SATURATED_LEVEL = 250  # of 255: what sensors clip to after JPEG has blurred it


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """`brightness`: mean, 0 to 255. `saturated_share`: of the pixels, 0 to 1.

    `sharpness`: mean change of slope from pixel to pixel, in shares of the brightness: light that falls off, near
    an LED, has none, fog has little of it, and what noise adds is the same in each picture of a camera.
    """

    brightness: float
    saturated_share: float
    sharpness: float


def measure(picture: Picture) -> Measures:
    green = picture[..., 1].astype(np.int16)
    brightness = float(_mean(green))
    return Measures(
        brightness=brightness,
        saturated_share=float(np.count_nonzero(green >= SATURATED_LEVEL) / green.size),
        sharpness=_mean_bend(green) / max(brightness, 1.0),
    )


def unfit(measures: Measures, limits: ImageLimits) -> tuple[Reason, ...]:
    """Why this picture must not be judged by itself: empty if it may be."""
    found = (
        (Reason.DARK, measures.brightness < limits.dark_below),
        (Reason.SATURATED, measures.saturated_share > limits.saturated_share_above),
        (Reason.BLURRED, measures.sharpness < limits.sharpness_below),
    )
    return tuple(reason for reason, is_so in found if is_so)


def unlit(lit: Picture, dark: Picture, limits: ImageLimits) -> bool:
    """The LED adds less than it should: dead in daylight, or the lens covered. Both pictures at the same exposure."""
    return float(_mean(lit[..., 1])) - float(_mean(dark[..., 1])) < limits.lit_difference_below


def _mean(values: npt.NDArray[np.generic]) -> np.float64:
    mean: np.float64 = values.mean()
    return mean


def _mean_bend(green: npt.NDArray[np.int16]) -> float:
    across = green[:, 2:] + green[:, :-2]
    across -= green[:, 1:-1] << 1
    down = green[2:] + green[:-2]
    down -= green[1:-1] << 1
    return float(np.abs(across, out=across).mean() + np.abs(down, out=down).mean())
