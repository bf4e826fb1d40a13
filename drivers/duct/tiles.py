"""Tiles of noise that repeat without a seam, with their coarser levels, looked up at any point of a wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

SIDE = 1024  # texels; a power of two, so that wrapping is a mask
CRYSTAL = 32  # texels a zinc crystal is wide
LEVELS = 9  # down to 4 texels a side
VARIANTS = 3  # of each tile; kept once made: 7 MB a variant


@dataclass(frozen=True, slots=True)
class Tile:
    """Values 0..1 kept as bytes: level after level, each half the side of the one before."""

    texels: NDArray[np.uint8]
    starts: I32

    def at(self, x: F32, y: F32, level: I32) -> F32:
        """Values at x, y (in texels of the finest level, any number) at a level of detail (0 is the finest)."""
        shift = np.clip(level, 0, LEVELS - 1)
        column = (np.floor(x).astype(np.int32) & (SIDE - 1)) >> shift
        row = (np.floor(y).astype(np.int32) & (SIDE - 1)) >> shift
        index = self.starts[shift] + row * (SIDE >> shift) + column
        values: F32 = self.texels[index] * np.float32(1 / 255)
        return values

    def between(self, x: F32, y: F32) -> F32:
        """Values at x, y by straight lines between the finest level's texels: where a texel is larger than a ray."""
        left, top = np.floor(x - np.float32(0.5)), np.floor(y - np.float32(0.5))
        right_share, low_share = x - np.float32(0.5) - left, y - np.float32(0.5) - top
        column, row = left.astype(np.int32) & (SIDE - 1), top.astype(np.int32) & (SIDE - 1)
        right, low = (column + 1) & (SIDE - 1), ((row + 1) & (SIDE - 1)) * SIDE
        row *= SIDE
        upper = self.texels[row + column] * (1 - right_share) + self.texels[row + right] * right_share
        lower = self.texels[low + column] * (1 - right_share) + self.texels[low + right] * right_share
        values: F32 = (upper + (lower - upper) * low_share) * np.float32(1 / 255)
        return values


@dataclass(frozen=True, slots=True)
class Tiles:
    """What surfaces and deposits are woven from."""

    cloud: Tile  # soft patches of all sizes
    grain: Tile  # fine, even roughness
    spangle: Tile  # crystals of about `CRYSTAL` texels, each with its own brightness
    fibres: Tile  # thin bent threads


@lru_cache(maxsize=VARIANTS)
def tiles(variant: int) -> Tiles:
    rng = np.random.default_rng([variant, 77])
    cloud = _coloured_noise(rng, slope=1.7, low=1, high=300)
    return Tiles(
        cloud=_tile(cloud),
        grain=_tile(_coloured_noise(rng, slope=0.4, low=24, high=400)),
        spangle=_tile(_spangle(rng, cloud)),
        fibres=_tile(_fibres(rng)),
    )


def hashed(seed: int, *parts: I32) -> NDArray[np.uint32]:
    """Even 32 random bits for each combination of whole numbers (mixing after Wellons' lowbias32)."""
    value = np.full(np.broadcast_shapes(*(p.shape for p in parts)), seed * 2654435761 & 0xFFFFFFFF, np.uint32)
    for part in parts:
        value = value ^ (part.astype(np.uint32) * np.uint32(0x9E3779B9))
        value ^= value >> np.uint32(16)
        value *= np.uint32(0x7FEB352D)
        value ^= value >> np.uint32(15)
        value *= np.uint32(0x846CA68B)
        value ^= value >> np.uint32(16)
    return value


def dice(bits: NDArray[np.uint32], turn: int) -> F32:
    """A number 0..1 out of hashed bits; four turns (0 to 3) give four that hang together little."""
    return ((bits >> np.uint32(8 * turn)) & np.uint32(255)) * np.float32(1 / 255)


def _tile(values: F32) -> Tile:
    levels: list[NDArray[np.uint8]] = []
    starts: list[int] = []
    total = 0
    for _ in range(LEVELS):
        levels.append((values * 255 + 0.5).astype(np.uint8).ravel())
        starts.append(total)
        total += values.size
        half = values.shape[0] // 2
        values = values.reshape(half, 2, half, 2).mean(axis=(1, 3), dtype=np.float32)
    return Tile(np.concatenate(levels), np.asarray(starts, np.int32))


def _coloured_noise(rng: np.random.Generator, *, slope: float, low: float, high: float) -> F32:
    """Noise whose amplitude falls as frequency^-slope between `low` and `high` cycles a tile; 0..1, mean one half."""
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE), dtype=np.float32))
    across = np.fft.rfftfreq(SIDE, 1 / SIDE)
    for row, down in zip(spectrum, np.fft.fftfreq(SIDE, 1 / SIDE), strict=True):
        frequency = np.hypot(across, down)
        row *= np.maximum(frequency, low) ** -slope * (frequency >= low) * np.exp(-((frequency / high) ** 2))
    values = np.fft.irfft2(spectrum, (SIDE, SIDE)).astype(np.float32)
    values *= np.float32(1 / (6 * values.std()))  # three standard deviations either way fit in
    values += np.float32(0.5)
    return np.clip(values, 0, 1, out=values)


def _spangle(rng: np.random.Generator, warp: F32) -> F32:
    """Zinc crystals: cells of the nearest nucleus, ragged, each with a brightness and feathers of its own."""
    count = SIDE // CRYSTAL
    nucleus = rng.uniform(0, 1, (2, count, count)).astype(np.float32)
    bright = rng.beta(1.3, 2.2, (count, count)).astype(np.float32)
    angle = rng.uniform(0, np.pi, (count, count)).astype(np.float32)
    wave = rng.uniform(0.9, 2.2, (count, count)).astype(np.float32)
    column = np.arange(SIDE) // CRYSTAL
    canvas = np.empty((SIDE, SIDE), np.float32)
    for row in range(count):  # a band of crystals at a time, to need little memory
        rows = slice(row * CRYSTAL, (row + 1) * CRYSTAL)
        bend = (warp[rows] - 0.5) * np.float32(0.9 * CRYSTAL)
        y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + bend
        x = np.arange(SIDE, dtype=np.float32)[None, :] + np.roll(bend, SIDE // 2, axis=1)
        best = np.full(bend.shape, np.inf, np.float32)
        second, look = best.copy(), np.zeros_like(best)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                r, c = (row + down) % count, (column + right) % count
                dx = x - (column + right + nucleus[0][r, c]) * np.float32(CRYSTAL)
                dy = y - (row + down + nucleus[1][r, c]) * np.float32(CRYSTAL)
                away = dx * dx + dy * dy
                feather = np.cos((dx * np.cos(angle[r, c]) + dy * np.sin(angle[r, c])) * wave[r, c])
                second = np.where(away < best, best, np.minimum(second, away))
                look = np.where(away < best, bright[r, c] * (1 + 0.09 * feather), look)
                best = np.minimum(best, away)
        canvas[rows] = look * (0.8 + 0.2 * np.clip((np.sqrt(second) - np.sqrt(best)) / 4, 0, 1))
    return np.clip(canvas, 0, 1, out=canvas)


def _fibres(rng: np.random.Generator, count: int = 420) -> F32:
    """Threads of 20 to 180 texels that bend as they go."""
    canvas = np.zeros((SIDE, SIDE), np.float32)
    for length in rng.integers(20, 180, count):
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.06, 2 * length) + rng.normal(0, 0.01))
        x = rng.uniform(0, SIDE) + np.cumsum(np.cos(heading)) / 2
        y = rng.uniform(0, SIDE) + np.cumsum(np.sin(heading)) / 2
        _draw(canvas, x, y, float(rng.uniform(0.2, 1.0) ** 1.5))
    return canvas


def _draw(canvas: F32, x: NDArray[np.float64], y: NDArray[np.float64], strength: float) -> None:
    neighbours: Sequence[tuple[int, int, float]] = ((0, 0, 1.0), (1, 0, 0.45), (0, 1, 0.45))
    for right, down, share in neighbours:
        row, column = (y.astype(int) + down) % SIDE, (x.astype(int) + right) % SIDE
        canvas[row, column] = np.maximum(canvas[row, column], strength * share)
