"""What spoils pictures in a duct, each at five strengths, so that one can see how a model fails.

After ImageNet-C (Hendrycks and Dietterich 2019, arXiv:1903.12261; kinds and strengths of its `corruptions.py`), written
anew in numpy. ImageNet-C is for 224 x 224: here lengths grow with the picture's shorter side, and noise stays that of
single pixels, as a sensor's is. Not from there: `darker`, since ImageNet-C only adds light, and a LED ages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.camera.jpeg import encode_jpeg
from model.training.data.pictures import Rgb
from model.training.evaluation.frames import decode

Levels = npt.NDArray[np.float32]  # (height, width, 3), 0..1

STRENGTHS = (1, 2, 3, 4, 5)
IMAGENET_PX = 224  # side of the pictures that ImageNet-C gives lengths for
FFT_MULTIPLE = 32  # of rows and columns: a side with a large prime in it takes three times as long
OCTAVES = 7  # of the fog's density: from the whole picture down to 1/64 of it


@dataclass(frozen=True, slots=True)
class Corruption:
    """`apply` with one of the five `parameters`. It may leave 0..1, and draws from the generator alone."""

    name: str
    apply: Callable[[Levels, Any, np.random.Generator], Levels]
    parameters: tuple[Any, Any, Any, Any, Any]


def corrupt(rgb: Rgb, corruption: Corruption, strength: int, seed: int) -> Rgb:
    """A new picture of the same size. The same arguments give the same picture; `strength` is 1 to 5.

    `rgb` has 16 to 1024 pixels a side, as the board's decoder for pictures of a network's size.
    """
    rng = np.random.default_rng([seed, CORRUPTIONS.index(corruption)])  # no strength: a stronger fog is the same fog
    levels = corruption.apply(rgb.astype(np.float32) / np.float32(255), corruption.parameters[strength - 1], rng)
    spoilt: Rgb = np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)
    return spoilt


def _gaussian_noise(levels: Levels, sigma: float, rng: np.random.Generator) -> Levels:
    """Of the sensor's electronics."""
    return levels + np.float32(sigma) * rng.standard_normal(levels.shape, np.float32)


def _shot_noise(levels: Levels, photons: float, rng: np.random.Generator) -> Levels:
    """Of light itself, `photons` for white."""
    return (rng.poisson(levels * photons) / photons).astype(np.float32)


def _defocus(levels: Levels, radius_px: float, _rng: np.random.Generator) -> Levels:
    """A point becomes a disc, whose edge is a pixel soft."""
    radius = radius_px * _scale(levels)
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return _convolved(levels, np.clip(radius + 0.5 - np.hypot(x, y), 0, 1))


def _motion(levels: Levels, radius_and_sigma_px: tuple[float, float], rng: np.random.Generator) -> Levels:
    """A point becomes a streak that fades, in a direction of at most 45 degrees from the horizontal."""
    length, sigma = (2 * radius_and_sigma_px[0] * _scale(levels), radius_and_sigma_px[1] * _scale(levels))
    angle = rng.uniform(-np.pi / 4, np.pi / 4)
    reach = int(np.ceil(length)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    along = np.arange(0, length, 0.25)
    y, x = reach + along * np.sin(angle), reach + along * np.cos(angle)
    np.add.at(kernel, (np.rint(y).astype(np.intp), np.rint(x).astype(np.intp)), np.exp(-(along**2) / (2 * sigma**2)))
    return _convolved(levels, kernel)


def _fog(levels: Levels, density_and_decay: tuple[float, float], rng: np.random.Generator) -> Levels:
    """White clouds before the scene, which lose `decay` squared of their height from each size to half of it."""
    density, decay = density_and_decay
    height, width, _ = levels.shape
    clouds = np.zeros((height, width))
    for octave in range(OCTAVES):
        clouds += _stretched(rng.uniform(-1, 1, (2**octave + 1, 2**octave + 1)), height, width) / decay ** (2 * octave)
    clouds = (clouds - clouds.min()) / np.ptp(clouds)
    brightest = float(levels.max())
    foggy: Levels = ((levels + density * clouds[..., np.newaxis]) * brightest / (brightest + density)).astype(
        np.float32
    )
    return foggy


def _brighter(levels: Levels, added: float, _rng: np.random.Generator) -> Levels:
    """The value of hue, saturation, value goes up: the largest of three colours, and the others in proportion."""
    value = levels.max(axis=2, keepdims=True)
    raised = np.minimum(value + np.float32(added), np.float32(1))
    brighter: Levels = np.where(value > 0, levels * (raised / np.maximum(value, np.float32(1e-6))), raised)
    return brighter


def _darker(levels: Levels, left: float, _rng: np.random.Generator) -> Levels:
    """`left` is the share of the light that is left."""
    return levels * np.float32(left)


def _contrast(levels: Levels, left: float, _rng: np.random.Generator) -> Levels:
    mean = levels.mean(axis=(0, 1), keepdims=True)
    flatter: Levels = (levels - mean) * np.float32(left) + mean
    return flatter


def _jpeg(levels: Levels, quality: int, _rng: np.random.Generator) -> Levels:
    """As cameras encode, with half the colours across."""
    rgb = np.rint(levels * 255).astype(np.uint8)
    return decode(encode_jpeg(rgb, quality=quality)).astype(np.float32) / np.float32(255)


CORRUPTIONS = (
    Corruption("gaussian noise", _gaussian_noise, (0.08, 0.12, 0.18, 0.26, 0.38)),
    Corruption("shot noise", _shot_noise, (60, 25, 12, 5, 3)),
    Corruption("defocus", _defocus, (3, 4, 6, 8, 10)),
    Corruption("motion", _motion, ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))),
    Corruption("fog", _fog, ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4))),
    Corruption("brighter", _brighter, (0.1, 0.2, 0.3, 0.4, 0.5)),
    Corruption("darker", _darker, (0.7, 0.5, 0.35, 0.2, 0.1)),
    Corruption("contrast", _contrast, (0.4, 0.3, 0.2, 0.1, 0.05)),
    Corruption("jpeg", _jpeg, (25, 18, 15, 10, 7)),
)


def _scale(levels: Levels) -> float:
    height, width, _ = levels.shape
    return float(min(height, width)) / IMAGENET_PX


def _convolved(levels: Levels, kernel: npt.NDArray[np.float64]) -> Levels:
    """By Fourier transform; beyond the edge the picture is mirrored. `kernel` is square with an odd side."""
    height, width, _ = levels.shape
    reach = kernel.shape[0] // 2
    wide = np.pad(levels, ((reach, reach), (reach, reach), (0, 0)), "symmetric")
    rows, columns = (-(-side // FFT_MULTIPLE) * FFT_MULTIPLE for side in wide.shape[:2])
    spectrum = np.fft.rfft2((kernel / kernel.sum()).astype(np.float32), (rows, columns))[..., np.newaxis]
    blurred = np.fft.irfft2(np.fft.rfft2(wide, (rows, columns), axes=(0, 1)) * spectrum, (rows, columns), axes=(0, 1))
    return blurred[2 * reach : 2 * reach + height, 2 * reach : 2 * reach + width].astype(np.float32)


def _stretched(grid: npt.NDArray[np.float64], height: int, width: int) -> npt.NDArray[np.float64]:
    """The grid's corners over the picture's, with a smooth step from each node to the next: no creases."""
    rows, columns = (np.linspace(0, side - 1, size) for side, size in zip(grid.shape, (height, width), strict=True))
    top, left = (np.minimum(at.astype(np.intp), side - 2) for at, side in zip((rows, columns), grid.shape, strict=True))
    down, right = _smooth(rows - top)[:, np.newaxis], _smooth(columns - left)
    tall = grid[top] * (1 - down) + grid[top + 1] * down
    stretched: npt.NDArray[np.float64] = tall[:, left] * (1 - right) + tall[:, left + 1] * right
    return stretched


def _smooth(step: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return step * step * (3 - 2 * step)
