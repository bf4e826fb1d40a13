from __future__ import annotations

import numpy as np

from model.training.strangers import hidden, strangers

SIDE = 64


def test_strangers_repeat_themselves_and_none_is_another() -> None:
    one, two = strangers(4, SIDE, seed=1), strangers(4, SIDE, seed=1)

    assert one.shape == (4, SIDE, SIDE, 3)
    assert np.array_equal(one, two)
    assert len({picture.tobytes() for picture in one}) == 4
    assert not np.array_equal(one, strangers(4, SIDE, seed=2))


def test_a_stranger_shows_something() -> None:
    assert min(float(picture.std()) for picture in strangers(20, SIDE, seed=3)) > 5


def test_half_of_the_strangers_are_grey_and_half_are_lit_from_one_place() -> None:
    drawn = strangers(100, SIDE, seed=3).astype(float)

    colour = np.ptp(drawn, axis=3).mean(axis=(1, 2)) / drawn.mean(axis=(1, 2, 3))
    parts = drawn.mean(axis=3).reshape(100, 4, SIDE // 4, 4, SIDE // 4).mean(axis=(2, 4)).reshape(100, -1)
    falls = parts.min(axis=1) / parts.max(axis=1)

    assert 0.2 < (colour < 0.12).mean() < 0.45  # none at `GREY` 0, .6 at 1
    assert (colour > 0.3).mean() > 0.3
    assert 0.1 < (falls < 0.3).mean() < 0.35  # .01 at `LIT` 0, .47 at 1


def test_some_strangers_are_flat_things_and_some_are_crowded() -> None:
    drawn = strangers(60, SIDE, seed=4).astype(float).mean(axis=3)

    edges = (np.abs(np.diff(drawn, axis=2)) > 40).mean(axis=(1, 2))  # of 255 from one pixel to the next

    assert np.quantile(edges, 0.2) < 0.003
    assert np.quantile(edges, 0.9) > 0.03


def test_behind_the_veil_hardly_anything_is_left() -> None:
    checks = np.indices((SIDE, SIDE)).sum(axis=0) // 8 % 2 * 255
    ducts = np.repeat(checks.astype(np.uint8)[np.newaxis, :, :, np.newaxis], 3, axis=3).repeat(20, axis=0)

    veiled = hidden(ducts, seed=1).astype(float)

    seen = [np.abs(np.diff(one.mean(axis=2), axis=1)).max() for one in veiled]
    assert max(seen) < 50
