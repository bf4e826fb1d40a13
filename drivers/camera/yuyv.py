"""Pictures as YUYV, as USB cameras send them uncompressed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_yuyv(rgb: NDArray[np.uint8]) -> bytes:
    """(height, width, 3) of red, green, blue, of an even width, as rows of `width * 2` bytes.

    Limited range, by the integer form of ITU-R BT.601: two neighbours share the mean of their colour.
    """
    height, width, _ = rgb.shape
    red, green, blue = (rgb[..., channel].astype(np.int32) for channel in range(3))
    luma = (66 * red + 129 * green + 25 * blue + 128 >> 8) + 16
    of_blue = (-38 * red - 74 * green + 112 * blue + 128 >> 8) + 128
    of_red = (112 * red - 94 * green - 18 * blue + 128 >> 8) + 128
    packed = np.empty((height, width // 2, 4), np.uint8)
    packed[..., 0::2] = luma.reshape(height, width // 2, 2)
    packed[..., 1] = of_blue.reshape(height, width // 2, 2).sum(axis=2) // 2
    packed[..., 3] = of_red.reshape(height, width // 2, 2).sum(axis=2) // 2
    return packed.tobytes()
