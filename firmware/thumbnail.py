"""Small pictures in a terminal: two pixels a character, the upper half block above its background. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from firmware.terminal import Colours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_COLUMNS = 44  # of one picture: enough to see dirt, and two beside each other fit on 100 columns
GAP = "  "
RESET = "\x1b[0m"
GREY_LEVELS = 24  # of the 256-colour palette, from 232 on; its cube of 6x6x6 starts at 16


def columns(pictures: int, width: int) -> int:
    """How wide each of so many pictures can be, beside each other on `width` columns."""
    return min(MAX_COLUMNS, (width - len(GAP) * (pictures - 1)) // max(1, pictures))


def side_by_side(pictures: Sequence[NDArray[np.uint8]], width: int, shown: Colours) -> list[str]:
    """Lines that show pictures beside each other on `width` columns.

    A picture is (height, width, 3) of RGB, at least 2 pixels high. Pictures of different shapes are cut to the lowest.
    No lines where there are no colours or no room.
    """
    wide = columns(len(pictures), width)
    if shown is Colours.NONE or not pictures or wide < 8:
        return []
    drawn = [_draw(_shrink(picture, wide), shown) for picture in pictures]
    return [GAP.join(row) for row in zip(*drawn, strict=False)]


def _shrink(picture: NDArray[np.uint8], wide: int) -> list[list[list[int]]]:
    """Rows of pixels, an even number of rows, `wide` pixels each: the mean of each block, so that nothing aliases."""
    import numpy as np

    height, width, _ = picture.shape
    wide = min(wide, width)
    high = max(2, round(height * wide / width) // 2 * 2)
    left = np.arange(wide) * width // wide
    top = np.arange(high) * height // high
    sums = np.add.reduceat(np.add.reduceat(picture, top, axis=0, dtype=np.int64), left, axis=1)
    areas = np.diff(top, append=height)[:, None, None] * np.diff(left, append=width)[None, :, None]
    rows: list[list[list[int]]] = (sums // areas).tolist()
    return rows


def _draw(rows: list[list[list[int]]], shown: Colours) -> list[str]:
    colour = _true if shown is Colours.TRUE else _indexed
    return [
        "".join(f"\x1b[38;{colour(up)};48;{colour(down)}m▀" for up, down in zip(upper, lower, strict=True)) + RESET
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


def _true(pixel: Sequence[int]) -> str:
    return f"2;{pixel[0]};{pixel[1]};{pixel[2]}"


def _indexed(pixel: Sequence[int]) -> str:
    """The nearest grey, or the nearest of the cube for a pixel with a clear colour (xterm's 256-colour palette)."""
    if max(pixel) - min(pixel) < 24:
        level = round((sum(pixel) / 3 - 8) / 10)
        return f"5;{232 + min(GREY_LEVELS - 1, max(0, level))}"
    red, green, blue = (0 if value < 48 else 1 if value < 115 else (value - 35) // 40 for value in pixel)
    return f"5;{16 + 36 * red + 6 * green + blue}"
