from __future__ import annotations

import numpy as np
import pytest

from drivers.duct.tiles import LEVELS, SIDE, Tile, dice, hashed, tiles

X, Y = (values.ravel() for values in np.random.default_rng(1).uniform(0, SIDE, (2, 500)).astype(np.float32))
FINEST = np.zeros(500, np.int32)


@pytest.mark.parametrize("name", ["cloud", "grain", "spangle", "fibres"])
def test_a_tile_repeats_in_both_directions(name: str) -> None:
    tile: Tile = getattr(tiles(0), name)

    assert np.array_equal(tile.at(X, Y, FINEST), tile.at(np.floor(X) - SIDE, np.floor(Y) + 3 * SIDE, FINEST))


@pytest.mark.parametrize("name", ["cloud", "grain", "spangle", "fibres"])
def test_from_far_away_a_tile_is_its_own_mean(name: str) -> None:
    tile: Tile = getattr(tiles(0), name)

    far = tile.at(X, Y, np.full(500, LEVELS + 3, np.int32))

    assert far.std() < tile.at(X, Y, FINEST).std()
    assert far.mean() == pytest.approx(tile.texels[: SIDE * SIDE].mean() / 255, abs=0.03)


def test_between_texels_there_are_no_steps() -> None:
    x = np.linspace(10, 20, 400, dtype=np.float32)

    values = tiles(0).spangle.between(x, np.full_like(x, 33.3))

    assert np.abs(np.diff(values)).max() < 0.03


def test_dice_are_even_and_the_same_for_the_same_place() -> None:
    place = np.arange(20000, dtype=np.int32) - 10000
    bits = hashed(3, place, place[::-1])

    assert np.array_equal(bits, hashed(3, place, place[::-1]))
    for turn in range(4):
        assert np.histogram(dice(bits, turn), bins=8)[0].min() > 2200
