"""How values go over time: waves, drift, noise and curves, from a key and a moment alone.

Only sums, products and a hash: the last bits of sine, logarithm and the like differ between machines.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence

IRWIN_HALL_DEVIATION = 0.5773502691896257  # of a sum of four uniform numbers: the root of 4/12


def chance(key: str) -> float:
    """A number from 0 up to 1 that looks random, the same for the same key."""
    return int.from_bytes(_digest(key)[:4]) / 2**32


def noise(key: str) -> float:
    """A number with mean 0 and standard deviation 1, about normal, within ±3.5, the same for the same key."""
    digest = _digest(key)
    total = sum(int.from_bytes(digest[start : start + 4]) for start in (0, 4, 8, 12)) / 2**32
    return (total - 2) / IRWIN_HALL_DEVIATION


def number(key: str) -> int:
    """A whole number of 32 bits that looks random, for the seed of something else."""
    return int.from_bytes(_digest(key)[:4])


def drift(key: str, time_s: float, every_s: float) -> float:
    """Noise that takes a new value every `every_s` seconds and moves smoothly from one to the next."""
    step = int(time_s // every_s)
    part = time_s / every_s - step
    eased = part * part * (3 - 2 * part)
    return noise(f"{key}/{step}") * (1 - eased) + noise(f"{key}/{step + 1}") * eased


def wave(turns: float) -> float:
    """Nearly a sine, made of parabolas: 0 at 0, 1 at a quarter turn, -1 at three quarters."""
    part = turns % 1.0
    return 16 * part * (0.5 - part) if part < 0.5 else -16 * (part - 0.5) * (1 - part)


def along(curve: Sequence[tuple[float, float]], x: float) -> float:
    """The curve through the given points, straight in between and level beyond both ends."""
    if x <= curve[0][0]:
        return curve[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(curve):
        if x < x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return curve[-1][1]


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
