"""What the base lets one expect of the target: what is not as expected is all that a delta must tell of it.

Both sides compute it, and to the last bit alike: floats are only multiplied, divided and rounded, as IEEE 754 has it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ota.delta.form import Bytes, Kind, Operation

Words = npt.NDArray[np.uint32]

MOST_RATIO: Final = 1e6  # so that a scaled int32 stays far below 2^53
INT8, INT32, UINT32, FLOAT32 = (np.dtype(name) for name in ("i1", "<i4", "<u4", "<f4"))


def told(one: Operation, base: Bytes, target: Bytes) -> Bytes:
    """(rows, row_length): by what `target` is not as expected."""
    if one.kind == Kind.BYTES:
        actual = target[one.to : one.to + one.numbers].reshape(one.outer, one.channels, one.inner)
        by_channel = (actual - _expected_bytes(one, base, target)).transpose(1, 0, 2)
        return np.ascontiguousarray(by_channel).reshape(one.channels, -1)
    difference = _at(target, one.to, one.numbers, UINT32).astype(np.uint32) - _expected_words(one, base, target)
    signed = difference.view(np.int32)
    return np.ascontiguousarray(((signed << 1) ^ (signed >> 31)).astype(INT32).view(np.uint8).reshape(-1, 4).T)


def tell(one: Operation, rows: Bytes, base: Bytes, target: Bytes) -> None:
    """Write into `target` what `told` was told of."""
    if one.kind == Kind.BYTES:
        added = rows.reshape(one.channels, one.outer, one.inner).transpose(1, 0, 2)
        target[one.to : one.to + one.numbers] = (_expected_bytes(one, base, target) + added).ravel()
        return
    zigzag = np.ascontiguousarray(rows.T).view("<u4").ravel().astype(np.uint32)
    difference = (zigzag >> np.uint32(1)) ^ (np.uint32(0) - (zigzag & np.uint32(1)))
    target[one.to : one.to + 4 * one.numbers] = (
        (_expected_words(one, base, target) + difference).astype("<u4").view(np.uint8)
    )


def _expected_bytes(one: Operation, base: Bytes, target: Bytes) -> Bytes:
    """(outer, channels, inner) of int8."""
    return np.clip(_scaled(one, INT8, base, target), -128, 127).astype(np.int8).view(np.uint8)


def _expected_words(one: Operation, base: Bytes, target: Bytes) -> Words:
    if one.kind == Kind.FLOATS:
        return _at(base, one.origin, one.numbers, UINT32).astype(np.uint32)
    if one.kind == Kind.WORDS:
        scaled = np.clip(_scaled(one, INT32, base, target), -(2**31), 2**31 - 1)
        return scaled.astype(np.int32).view(np.uint32).ravel()
    with np.errstate(all="ignore"):
        product = _at(target, one.origin, 1, FLOAT32) * _at(target, one.scales, one.numbers, FLOAT32)
    words: Words = product.astype(np.float32).view(np.uint32)
    return words


def _scaled(one: Operation, kind: np.dtype[Any], base: Bytes, target: Bytes) -> npt.NDArray[np.float64]:
    """(outer, channels, inner): the numbers of the base as its scales and those of the target make them."""
    numbers = _at(base, one.origin, one.numbers, kind).reshape(one.outer, one.channels, one.inner)
    scaled: npt.NDArray[np.float64] = np.rint(numbers * _ratio(one, base, target).reshape(1, -1, 1))
    return scaled


def _ratio(one: Operation, base: Bytes, target: Bytes) -> npt.NDArray[np.float64]:
    """(channels,): 1 where there are no scales, or none that make sense."""
    if not one.scales:
        return np.ones(one.channels)
    with np.errstate(all="ignore"):
        before = _at(base, one.base_scales, one.channels, FLOAT32).astype(np.float64)
        ratio: npt.NDArray[np.float64] = before / _at(target, one.scales, one.channels, FLOAT32).astype(np.float64)
    return np.where(np.isfinite(ratio) & (ratio > 0) & (ratio < MOST_RATIO), ratio, 1.0)


def _at(content: Bytes, place: int, count: int, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    return content[place : place + kind.itemsize * count].copy().view(kind)
