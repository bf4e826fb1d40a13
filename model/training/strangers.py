"""Pictures of no duct at all, to learn silence from: what has never been seen is neither clean nor dirty.

Outlier exposure (Hendrycks, Mazeika and Dietterich 2019, arXiv:1812.04606) with pictures that are drawn, not
collected: dead leaves, shapes laid over each other until nothing shows through, which have edges and sizes as
photographs have (Lee, Mumford and Huang 2001), each leaf with cloudy colours of its own. Half of them are as grey as
metal and dust, and half are lit from one place, as a lamp at the camera does: it is not by these that a duct is known.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MOST_LEAVES = 119  # few are as frequent as many: none is a flat thing before the lens
SMALLEST, LARGEST = 0.03, 0.7  # half a leaf's length, of the side; small ones are more frequent, by the cube
STEEPNESS = (0.5, 2.0)  # of a texture's spectrum over the frequency: from sand to clouds
GREY = 0.5  # share of them that have no colour to speak of
LIT = 0.5  # share of them that are lit from one place


def strangers(count: int, side: int, seed: int) -> npt.NDArray[np.uint8]:
    """(count, side, side, 3). The same arguments give the same pictures."""
    return np.stack([_stranger(side, np.random.default_rng([seed, number, 13])) for number in range(count)])


def hidden(rgb: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.uint8]:
    """Ducts behind a veil so thick that nobody could say: (n, side, side, 3) to the same."""
    rng = np.random.default_rng([seed, 17])
    count, side = rgb.shape[:2]
    left = rng.uniform(0.0, 0.12, (count, 1, 1, 1))
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    glow = np.exp(-(x**2 + y**2) * 3)[np.newaxis, :, :, np.newaxis]
    veil = rng.uniform(0.02, 0.9, (count, 1, 1, 1)) * (1 - rng.uniform(0, 0.6, (count, 1, 1, 1)) * (1 - glow))
    noise = rng.standard_normal(rgb.shape, np.float32) * rng.uniform(0, 0.03, (count, 1, 1, 1))
    seen = veil * rng.uniform(0.9, 1.1, (count, 1, 1, 3)) + rgb / np.float32(255) * left + noise
    done: npt.NDArray[np.uint8] = (np.clip(seen, 0, 1) * 255).astype(np.uint8)
    return done


def _stranger(side: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    picture = _texture(side, rng)
    palette = rng.uniform(0, 1, (6, 3))
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / np.float32(side)
    texture = _texture(side, rng)
    for _ in range(int((MOST_LEAVES + 2) ** rng.random()) - 1):
        inside = _leaf(x, y, rng)
        colour = palette[rng.integers(len(palette))] * rng.uniform(0.4, 1.2) + rng.normal(0, 0.05, 3)
        shift = rng.integers(side)
        leaf = np.roll(texture, int(shift), axis=0)[inside] - 0.5
        picture[inside] = colour + leaf * rng.uniform(0, 0.6)
    picture = (picture - 0.5) * rng.uniform(0.4, 1.2) + rng.uniform(0.25, 0.75)
    if rng.random() < GREY:
        grey = picture.mean(axis=2, keepdims=True)
        picture = grey + (picture - grey) * rng.uniform(0, 0.2)
    if rng.random() < LIT:
        off = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1))[..., np.newaxis]
        picture *= rng.uniform(0.9, 1.5) * np.exp(-(off**2) * rng.uniform(0, 3))
    picture += rng.standard_normal(picture.shape) * rng.uniform(0, 0.04)
    done: npt.NDArray[np.uint8] = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return done


def _leaf(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """An ellipse, a rectangle or a stripe, turned."""
    half = (SMALLEST**-2 + rng.random() * (LARGEST**-2 - SMALLEST**-2)) ** -0.5
    turn, flat = rng.uniform(0, np.pi), rng.uniform(0.15, 1)
    u, v = x - rng.uniform(0, 1), y - rng.uniform(0, 1)
    u, v = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
    kind = rng.integers(3)
    if kind == 0:
        inside = (u / half) ** 2 + (v / (half * flat)) ** 2 < 1
    elif kind == 1:
        inside = (np.abs(u) < half) & (np.abs(v) < half * flat)
    else:
        inside = np.abs(v) < half * flat * 0.3
    return np.asarray(inside, bool)


def _texture(side: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(side, side, 3), about 0 to 1: noise whose spectrum falls with the frequency, in colours that go together."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, np.newaxis], np.fft.rfftfreq(side))
    fall = np.maximum(frequency, 1 / side) ** -rng.uniform(*STEEPNESS)
    spectrum = np.fft.rfft2(rng.standard_normal((3, side, side))) * fall
    noise = np.fft.irfft2(spectrum, (side, side)).transpose(1, 2, 0)
    noise /= noise.std() + 1e-9
    grey = noise.mean(axis=2, keepdims=True)
    noise = grey + (noise - grey) * rng.uniform(0, 1)
    return np.asarray(rng.uniform(0.2, 0.8, 3) + noise * rng.uniform(0.05, 0.25))
