from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.terminal import Colours
from firmware.thumbnail import MAX_COLUMNS, columns, side_by_side

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (128, 128, 128)


def picture(*rows: tuple[int, int, int], width: int = 8, each: int = 1) -> NDArray[np.uint8]:
    """One colour a row, each row so many pixels high."""
    return np.repeat(np.array(rows, np.uint8)[:, np.newaxis], width, axis=1).repeat(each, axis=0)


def test_one_character_shows_two_pixels_one_above_the_other() -> None:
    assert side_by_side([picture(RED, BLUE)], 80, Colours.TRUE) == ["\x1b[38;2;255;0;0;48;2;0;0;255m▀" * 8 + "\x1b[0m"]


def test_a_large_picture_shrinks_to_the_mean_of_what_a_cell_covers() -> None:
    black, white = (0, 0, 0), (255, 255, 255)
    stripes = picture(*[black, white] * 60, width=160)

    lines = side_by_side([stripes], 80, Colours.TRUE)

    assert len(lines) == round(120 * MAX_COLUMNS / 160) // 2
    assert all(line.count("▀") == MAX_COLUMNS for line in lines)
    levels = [int(level) for level in re.findall(r"[34]8;2;(\d+)", "".join(lines))]
    assert 80 < min(levels) <= max(levels) < 175


def test_two_pictures_stand_beside_each_other_and_share_the_width() -> None:
    pair = [picture(RED, BLUE, width=64, each=24), picture(GREY, GREY, width=64, each=24)]

    lines = side_by_side(pair, 50, Colours.TRUE)

    assert columns(2, 50) == 24
    assert all(line.count("▀") == 48 and "m▀\x1b[0m  \x1b[38" in line for line in lines)


@pytest.mark.parametrize(
    ("pixel", "index"),
    [
        ((0, 0, 0), 232),
        ((128, 128, 128), 244),
        ((255, 255, 255), 255),
        ((255, 0, 0), 196),
        ((0, 0, 255), 21),
        ((95, 135, 175), 67),
    ],
)
def test_a_terminal_with_256_colours_gets_the_nearest_of_them(pixel: tuple[int, int, int], index: int) -> None:
    [line] = side_by_side([picture(pixel, pixel)], 80, Colours.INDEXED)

    assert line.startswith(f"\x1b[38;5;{index};48;5;{index}m▀")


@pytest.mark.parametrize(
    ("pictures", "width", "shown"),
    [(1, 80, Colours.NONE), (0, 80, Colours.TRUE), (2, 12, Colours.TRUE)],
    ids=["no colours", "no pictures", "no room"],
)
def test_there_is_no_picture_where_it_cannot_be_shown(pictures: int, width: int, shown: Colours) -> None:
    assert side_by_side([picture(RED, BLUE)] * pictures, width, shown) == []
