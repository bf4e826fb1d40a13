"""Judges the picture before the duct: is this fit to be classified at all?

All measures are taken from green, which carries most of the luma, at the size of the model's input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.colour import Picture
from model.manifest import ImageLimits
from model.types import Reason

VERSION = 1  # grows where a measure changes so much that limits made for the old one are wrong
SATURATED_LEVEL = 250  # of 255, mean of 2 by 2: what sensors clip to, after JPEG has rippled it
DARKEST = 0.01  # of the picture, in parts of 4 by 4: a screw's shadow is no view down the duct
Levels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What a picture looks like, whatever it shows.

    `brightness`: mean, 0 to 255. `saturated_share`: of the pixels, 0 to 1.
    `contrast`: how much the slope of the light changes over 4 pixels (root mean square), in shares of the brightness:
    next to nothing in fog or behind a cover, whose light only falls off gently. `focus`: the same over 2 pixels in
    shares of that over 4: a blurred picture has lost more of its small details than of its large ones.
    The share of noise, which more gain makes look like detail, is taken off both: it is known from the next finer step.
    `veil`: the light below which the darkest hundredth lies, in shares of the mean, 0 to 1; light is the square of the
    level. Far down a duct it is dark, unless light is thrown back from before the lens (the dark channel: He, Sun and
    Tang 2009).
    """

    brightness: float
    saturated_share: float
    contrast: float
    focus: float
    veil: float


def measure(picture: Picture) -> Measures:
    fine = picture[..., 1].astype(np.float32)
    half = halved(fine)
    quarter = halved(half)
    noisy = 2 * _mean_square(_across(fine[::4]))  # as much down as across, and a quarter of the rows shows it
    middle, coarse = _bend(half), _bend(quarter)
    # averaging four pixels leaves a quarter of white noise's power
    small, large = max(middle - noisy / 4, 0.0) ** 0.5, max(coarse - middle / 4, 0.0) ** 0.5
    brightness = float(quarter.mean())
    return Measures(
        brightness=brightness,
        saturated_share=float(np.count_nonzero(half >= SATURATED_LEVEL) / half.size),
        contrast=large / max(brightness, 1.0),
        focus=small / max(large, 1e-3),
        veil=(_quantile(quarter, DARKEST) / max(brightness, 1.0)) ** 2,
    )


def unfit(measures: Measures, limits: ImageLimits) -> tuple[Reason, ...]:
    """Why this picture must not be judged by itself: empty if it may be.

    A veil is told of only where there is light for one, and takes the contrast with it: then it is not called blurred.
    """
    dark = measures.brightness < limits.dark_below
    saturated = measures.saturated_share > limits.saturated_share_above
    fogged = measures.veil > limits.veil_above and not dark and not saturated
    blurred = measures.contrast < limits.contrast_below or measures.focus < limits.focus_below
    found = (
        (Reason.DARK, dark),
        (Reason.SATURATED, saturated),
        (Reason.FOGGED, fogged),
        (Reason.BLURRED, blurred and not fogged),
    )
    return tuple(reason for reason, is_so in found if is_so)


def unlit(lit: Picture, dark: Picture, limits: ImageLimits) -> bool:
    """The LED adds less than it should: dead in daylight, or the lens covered. Both pictures at the same exposure."""
    return float(lit[..., 1].mean()) - float(dark[..., 1].mean()) < limits.lit_difference_below


def _quantile(levels: Levels, share: float) -> float:
    rank = int(levels.size * share)
    return float(np.partition(levels, rank, axis=None)[rank])


def halved(levels: Levels) -> Levels:
    """Means of two by two; what is left over at the edge is dropped."""
    height, width = levels.shape[0] // 2 * 2, levels.shape[1] // 2 * 2
    rows = levels[0:height:2] + levels[1:height:2]
    means = rows[:, 0:width:2] + rows[:, 1:width:2]
    means *= np.float32(0.25)
    return means


def _bend(levels: Levels) -> float:
    """Mean square of the change of slope, across and down together."""
    slope_down = levels[1:] - levels[:-1]
    return _mean_square(_across(levels)) + _mean_square(slope_down[1:] - slope_down[:-1])


def _across(levels: Levels) -> Levels:
    slope = levels[:, 1:] - levels[:, :-1]
    return slope[:, 1:] - slope[:, :-1]


def _mean_square(levels: Levels) -> float:
    # not numpy.dot: its BLAS would start threads, which the real-time set-up knows nothing of
    return float(np.einsum("ij,ij->", levels, levels)) / levels.size
