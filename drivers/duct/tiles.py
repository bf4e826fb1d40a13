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


@dataclass(frozen=True, slots=True)
class Tiles:
    """What surfaces and deposits are woven from."""

    cloud: Tile  # soft patches of all sizes
    grain: Tile  # fine, even roughness
    spangle: Tile  # crystals of about 24 texels, each with its own brightness
    fibres: Tile  # thin bent threads


@lru_cache(maxsize=VARIANTS)
def tiles(variant: int) -> Tiles:
    rng = np.random.default_rng([variant, 77])
    return Tiles(
        cloud=_tile(_even(_coloured_noise(rng, slope=1.7, low=1, high=300))),
        grain=_tile(_even(_coloured_noise(rng, slope=0.4, low=24, high=400))),
        spangle=_tile(_spangle(rng)),
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
    """Noise whose amplitude falls as frequency^-slope between `low` and `high` cycles a tile."""
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE), dtype=np.float32))
    frequency = np.hypot(np.fft.fftfreq(SIDE, 1 / SIDE)[:, None], np.fft.rfftfreq(SIDE, 1 / SIDE)[None, :])
    shape = np.maximum(frequency, low) ** -slope * (frequency >= low) * np.exp(-((frequency / high) ** 2))
    return np.fft.irfft2(spectrum * shape, (SIDE, SIDE)).astype(np.float32)


def _even(values: F32) -> F32:
    """Scaled to 0..1 with mean one half: three standard deviations either way fit in."""
    even: F32 = np.clip(0.5 + values / (6 * values.std()), 0, 1).astype(np.float32)
    return even


def _spangle(rng: np.random.Generator) -> F32:
    """Zinc crystals: cells of the nearest nucleus, each with a brightness of its own and feathers within."""
    cell = 32
    count = SIDE // cell
    offset = rng.uniform(0, 1, (2, count, count)).astype(np.float32)
    bright = rng.beta(1.2, 2.4, (count, count)).astype(np.float32)
    angle = rng.uniform(0, np.pi, (count, count)).astype(np.float32)
    wave = rng.uniform(0.5, 1.3, (count, count)).astype(np.float32)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    row, column = (np.arange(SIDE) // cell)[:, None], (np.arange(SIDE) // cell)[None, :]
    best = np.full((SIDE, SIDE), np.inf, np.float32)
    second = best.copy()
    look = np.zeros((SIDE, SIDE), np.float32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            r, c = (row + down) % count, (column + right) % count
            dx = x - (column + right + offset[0][r, c]) * cell
            dy = y - (row + down + offset[1][r, c]) * cell
            away = dx * dx + dy * dy
            nearer = away < best
            second = np.where(nearer, best, np.minimum(second, away))
            feather = np.cos((dx * np.cos(angle[r, c]) + dy * np.sin(angle[r, c])) * wave[r, c])
            look = np.where(nearer, bright[r, c] * (1 + 0.25 * feather), look)
            best = np.minimum(best, away)
    border = np.clip((np.sqrt(second) - np.sqrt(best)) / 3, 0, 1)
    return np.clip(look * (0.75 + 0.25 * border), 0, 1).astype(np.float32)


def _fibres(rng: np.random.Generator, count: int = 260) -> F32:
    """Threads of 30 to 160 texels that bend as they go."""
    canvas = np.zeros((SIDE, SIDE), np.float32)
    for length in rng.integers(30, 160, count):
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.035, 2 * length) + rng.normal(0, 0.012))
        x = rng.uniform(0, SIDE) + np.cumsum(np.cos(heading)) / 2
        y = rng.uniform(0, SIDE) + np.cumsum(np.sin(heading)) / 2
        _draw(canvas, x, y, float(rng.uniform(0.4, 1.0)))
    return canvas


def _draw(canvas: F32, x: NDArray[np.float64], y: NDArray[np.float64], strength: float) -> None:
    neighbours: Sequence[tuple[int, int, float]] = ((0, 0, 1.0), (1, 0, 0.45), (0, 1, 0.45))
    for right, down, share in neighbours:
        row, column = (y.astype(int) + down) % SIDE, (x.astype(int) + right) % SIDE
        canvas[row, column] = np.maximum(canvas[row, column], strength * share)
