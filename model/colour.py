"""Pictures of red, green and blue from words of four bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.shrink import Words

Picture = npt.NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""


def rgb_of_rgbx(words: Words) -> Picture:
    picture = np.empty((*words.shape, 3), np.uint8)
    pixels = words.view(np.uint8).reshape(*words.shape, 4)
    for channel in range(3):  # six times as fast as one copy of [..., :3]
        picture[..., channel] = pixels[..., channel]
    return picture


class Bt601:
    """RGB of Y U Y V words: BT.601, limited range (ITU-R BT.601-7, 2.5), in integers of 1/256.

    Works in buffers of its own: arrays of this size, made and freed each time, cost more than the arithmetic.
    """

    def __init__(self, height: int, width: int) -> None:
        self._luma, self._u, self._v, self._sum = (np.empty((height, width), np.int32) for _ in range(4))

    def __call__(self, words: Words) -> Picture:
        w, luma, u, v, other = words.view(np.int32), self._luma, self._u, self._v, self._sum
        np.right_shift(w, 8, out=u)
        np.right_shift(w, 16, out=other)
        np.right_shift(w, 24, out=v)
        np.bitwise_and(w, 0xFF, out=luma)
        for plane in (u, other, v):
            np.bitwise_and(plane, 0xFF, out=plane)
        np.add(luma, other, out=luma)
        np.multiply(luma, 149, out=luma)  # 298 / 256 of the mean of two
        picture = np.empty((*words.shape, 3), np.uint8)
        self._put(np.multiply(v, 409, out=other), 409, picture[..., 0])
        self._put(np.multiply(u, 516, out=other), 516, picture[..., 2])
        green = np.multiply(u, -100, out=u)
        self._put(np.subtract(green, np.multiply(v, 208, out=v), out=green), -308, picture[..., 1])
        return picture

    def _put(self, colour: npt.NDArray[np.int32], weight: int, channel: npt.NDArray[np.uint8]) -> None:
        """Add the luma, take off the zero of luma (16) and colour (128), round, clip."""
        np.add(colour, self._luma, out=colour)
        np.add(colour, 128 - 2 * 16 * 149 - 128 * weight, out=colour)
        np.right_shift(colour, 8, out=colour)
        channel[...] = np.clip(colour, 0, 255, out=colour)
