from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.shrink import Shrink, Words

sizes = st.integers(1, 300)


def noise(rows: int, columns: int) -> Words:
    return np.random.default_rng([rows, columns]).integers(0, 1 << 32, (rows, columns), dtype=np.uint32)


def levels(words: Words) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.ascontiguousarray(words).view(np.uint8)


@settings(deadline=None, max_examples=60)
@given(sizes, sizes, st.integers(1, 64), st.integers(1, 64), st.integers(0, (1 << 32) - 1))
def test_one_colour_stays_that_colour(rows: int, columns: int, to_rows: int, to_columns: int, colour: int) -> None:
    words = np.full((rows, columns), colour, np.uint32)

    shrunk = Shrink(rows, columns, to_rows, to_columns)(words)

    assert shrunk.shape == (to_rows, to_columns)
    assert (shrunk == colour).all()


@settings(deadline=None, max_examples=60)
@given(sizes, sizes, st.integers(1, 64), st.integers(1, 64))
def test_no_byte_leaks_into_its_neighbour(rows: int, columns: int, to_rows: int, to_columns: int) -> None:
    words = noise(rows, columns)

    shrunk = Shrink(rows, columns, to_rows, to_columns)(words)

    for byte in range(4):
        alone = words & np.uint32(0xFF << 8 * byte)
        assert (Shrink(rows, columns, to_rows, to_columns)(alone) == shrunk & np.uint32(0xFF << 8 * byte)).all()


def test_the_same_size_is_the_same_picture() -> None:
    words = noise(48, 64)

    assert (Shrink(48, 64, 48, 64)(words) == words).all()


def test_half_the_size_is_the_mean_of_two_by_two() -> None:
    words = noise(96, 128)
    four = levels(words).reshape(48, 2, 64, 2, 4).astype(float)

    shrunk = levels(Shrink(96, 128, 48, 64)(words)).reshape(48, 64, 4)

    assert np.abs(shrunk - four.mean(axis=(1, 3))).max() <= 1
    assert abs((shrunk - four.mean(axis=(1, 3))).mean()) < 0.05
