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


def test_behind_the_veil_hardly_anything_is_left() -> None:
    checks = np.indices((SIDE, SIDE)).sum(axis=0) // 8 % 2 * 255
    ducts = np.repeat(checks.astype(np.uint8)[np.newaxis, :, :, np.newaxis], 3, axis=3).repeat(20, axis=0)

    veiled = hidden(ducts, seed=1).astype(float)

    seen = [np.abs(np.diff(one.mean(axis=2), axis=1)).max() for one in veiled]
    assert max(seen) < 100 < 255
