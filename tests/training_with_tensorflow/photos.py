"""Photos that a network can learn to tell apart in a minute: drawn, never stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.model.training.data.photos import Rgb, photo, save

EACH = 56  # of each class: as few as a training takes, and some more


def duct(number: int, *, dirty: bool) -> Rgb:
    """Soft blobs, all of them unlike; with a dozen small dark specks if dirty."""
    rgb = photo(number + 10_000 * dirty, 160, 120)
    if dirty:
        random = np.random.default_rng(number)
        for y, x in random.integers(0, (115, 155), (12, 2)):
            rgb[y : y + 5, x : x + 5] //= 2
    return rgb


def ducts(root: Path) -> Path:
    for number in range(EACH):
        for name, dirty in (("clean", False), ("dirty", True)):
            save(root / name / f"{number:03}.jpg", duct(number, dirty=dirty), quality=92)
    return root
