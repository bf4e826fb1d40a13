"""Shrinks pictures by means of two, four bytes at a time: what numpy can do in a fraction of a millisecond.

Rows go by quarters (the middle two of each four) and halves, columns by halves, down to less than twice the size;
then each new row (column) is the old one nearest to its centre, or the mean of the two that it lies between.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]
"""Four bytes of colour a word, shape (rows, columns): R G B x, or Y U Y V."""

_LOW_SEVEN_BITS: Final = np.uint32(0x7F7F7F7F)


class Shrink:
    """Resizes words of one geometry by means of two. The answer is a buffer of its own, valid until the next call."""

    def __init__(self, from_rows: int, from_columns: int, rows: int, columns: int) -> None:
        quarters, left = _quarterings(from_rows, rows)
        row_halvings, left = _halvings(left, rows)
        column_halvings, left_columns = _halvings(from_columns, columns)
        self._steps: list[_Means] = []
        self._shape = (from_rows, from_columns)
        for pairs in quarters + row_halvings:  # rows first: they lie together in memory
            self._append(0, pairs)
        for pairs in [*column_halvings, _nearest(left_columns, columns)]:
            self._append(1, pairs)
        self._append(0, _nearest(left, rows))

    def __call__(self, words: Words) -> Words:
        for step in self._steps:
            words = step(words)
        return words

    def _append(self, axis: int, pairs: _Pairs) -> None:
        count = len(pairs.low)
        if count == self._shape[axis] and np.array_equal(pairs.low, pairs.high):
            return  # each row is its own
        self._shape = (count, self._shape[1]) if axis == 0 else (self._shape[0], count)
        self._steps.append(_Means(axis, pairs, self._shape))


class _Pairs(NamedTuple):
    """Which two rows (columns) each new one is the mean of."""

    low: npt.NDArray[np.intp]
    high: npt.NDArray[np.intp]


def _quarterings(size: int, target: int) -> tuple[list[_Pairs], int]:
    """The middle two of each four rows, while at least `target` are left: a third of the time of two halvings."""
    steps = []
    while size >= 4 * target:
        size //= 4
        second = 4 * np.arange(size) + 1
        steps.append(_Pairs(second, second + 1))
    return steps, size


def _halvings(size: int, target: int) -> tuple[list[_Pairs], int]:
    steps = []
    while size > 2 * target:
        size //= 2
        first = 2 * np.arange(size)
        steps.append(_Pairs(first, first + 1))
    return steps, size


def _nearest(size: int, target: int) -> _Pairs:
    centre = (np.arange(target) + 0.5) * (size / target) - 0.5
    last = size - 1
    low, high = np.floor(centre + 0.25), np.floor(centre + 0.75)
    return _Pairs(low.clip(0, last).astype(np.intp), high.clip(0, last).astype(np.intp))


class _Means:
    """One step: the bytewise mean of two rows, or of two columns, without unpacking the bytes.

    Rows are rounded down and columns up, so that the mean of a picture stays where it was.
    """

    def __init__(self, axis: int, pairs: _Pairs, shape: tuple[int, int]) -> None:
        self._low = _Part(axis, pairs.low, shape)
        self._high = _Part(axis, pairs.high, shape)
        self._mean = np.empty(shape, np.uint32)
        self._common = np.empty(shape, np.uint32)
        self._common_bits: np.ufunc = np.bitwise_and if axis == 0 else np.bitwise_or
        self._combine: np.ufunc = np.add if axis == 0 else np.subtract

    def __call__(self, words: Words) -> Words:
        low, high = self._low.of(words), self._high.of(words)
        half = np.bitwise_xor(low, high, out=self._mean)
        np.right_shift(half, 1, out=half)
        np.bitwise_and(half, _LOW_SEVEN_BITS, out=half)
        common = self._common_bits(low, high, out=self._common)
        self._combine(common, half, out=half)  # (a & b) + (a ^ b) / 2, or (a | b) - (a ^ b) / 2, in each byte
        return half


class _Part:
    """Some rows or columns of a picture: a view where they are evenly spaced, else gathered into a buffer."""

    def __init__(self, axis: int, indices: npt.NDArray[np.intp], shape: tuple[int, int]) -> None:
        self._axis = axis
        self._indices = indices
        self._buffer = np.empty(shape, np.uint32)
        self._view: tuple[slice, ...] | None = None
        spacing = np.diff(indices)
        if len(spacing) and spacing[0] > 0 and (spacing == spacing[0]).all():
            evenly = slice(int(indices[0]), int(indices[-1]) + 1, int(spacing[0]))
            self._view = (evenly,) if axis == 0 else (slice(None), evenly)

    def of(self, words: Words) -> Words:
        if self._view is not None:
            return words[self._view]
        return np.take(words, self._indices, axis=self._axis, out=self._buffer, mode="clip")
