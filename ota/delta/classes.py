"""Which rows of a delta are alike, so that one table serves them: weights that moved as much, for instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ota.delta.form import MAX_TABLES, RANS, SYMBOLS, Bytes, packed_best
from ota.delta.rans import SLOTS, code_of, encoded, shares_of

ROUNDS: Final = 4  # of choosing tables for rows and making tables of rows: after that hardly any row moves
TABLE_BYTES: Final = 0.7  # that a table takes for each symbol it knows, packed
NEVER_BITS: Final = 40.0  # as if a symbol took so many that a table does not know


class Coded(NamedTuple):
    """As `ota.delta.form.Delta` has them."""

    classes: Bytes
    tables: Bytes
    coding: int
    symbol_count: int
    symbols: bytes


def coded(rows: Sequence[Bytes], signed: npt.NDArray[np.bool_]) -> Coded:
    """By tables or by LZMA, whichever takes less. `signed` (rows,): whether its bytes are about 0, or from 0 up."""
    filled = np.array([bool(row.any()) for row in rows], bool)
    used = [row for row, kept in zip(rows, filled, strict=True) if kept]
    classes = filled.astype(np.uint8)
    none = np.zeros((0, SYMBOLS), np.uint8)
    if not used:
        return Coded(classes, none, 0, 0, b"")
    symbols = np.concatenate(used)
    coding, packed = packed_best(symbols.tobytes())
    by_lzma = Coded(classes, none, coding, len(symbols), packed)
    counts = np.stack([np.bincount(row, minlength=SYMBOLS) for row in used]).astype(np.float64)
    of_row, tables = _clustered(counts, signed[filled])
    which = np.repeat(of_row.astype(np.uint8), [len(row) for row in used])
    classes = classes.copy()
    classes[filled] = of_row + 1
    by_tables = Coded(classes, tables, RANS, len(symbols), encoded(symbols, which, shares_of(tables)))
    return min(by_tables, by_lzma, key=_size)


def _size(one: Coded) -> int:
    return len(one.symbols) + len(packed_best(one.classes.tobytes())[1]) + len(packed_best(one.tables.tobytes())[1])


def _clustered(counts: npt.NDArray[np.float64], signed: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], Bytes]:
    """For each row its table, and the tables, as codes."""
    of_row = _first_guess(counts, signed)
    for _ in range(ROUNDS):
        bits = counts @ _bits_of(_sums(counts, of_row)).T
        of_row = np.unique(bits.argmin(axis=1), return_inverse=True)[1]
    of_row = _fewer(counts, of_row)
    return of_row, np.stack([code_of(one) for one in _sums(counts, of_row)])


def _first_guess(counts: npt.NDArray[np.float64], signed: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """By how far from 0 the bytes of a row are in the mean, in steps of half an octave."""
    size = np.where(
        signed[:, np.newaxis], np.minimum(np.arange(SYMBOLS), SYMBOLS - np.arange(SYMBOLS)), np.arange(SYMBOLS)
    )
    mean = (counts * size).sum(axis=1) / counts.sum(axis=1)
    octave = np.clip(np.rint(2 * np.log2(mean + 1e-3)), -12, 16).astype(np.intp)
    found: npt.NDArray[np.intp] = np.unique(2 * octave + signed, return_inverse=True)[1]
    return np.minimum(found, MAX_TABLES - 1)


def _sums(counts: npt.NDArray[np.float64], of_row: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """(tables, SYMBOLS)"""
    sums = np.zeros((int(of_row.max()) + 1, SYMBOLS))
    np.add.at(sums, of_row, counts)
    return sums


def _bits_of(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shares = shares_of(np.stack([code_of(one) for one in sums])).astype(np.float64)
    return np.where(shares > 0, -np.log2(np.maximum(shares, 1) / SLOTS), NEVER_BITS)


def _fewer(counts: npt.NDArray[np.float64], of_row: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Without the tables that take more than they spare, from the one for the fewest symbols on."""
    sums = _sums(counts, of_row)
    for number in np.argsort(sums.sum(axis=1), kind="stable"):
        others = [one for one in np.unique(of_row) if one != number]
        if not others:
            break
        rows = of_row == number
        # as if the other table knew all, which it then will
        merged = [_cost(sums[one] + sums[number]) - _cost(sums[one]) for one in others]
        best = int(np.argmin(merged))
        if merged[best] < _cost(sums[number]):
            of_row = np.where(rows, others[best], of_row)
            sums[others[best]] += sums[number]
    return np.unique(of_row, return_inverse=True)[1]


def _cost(sums: npt.NDArray[np.float64]) -> float:
    """Bytes of a table, and of all that is coded by it."""
    known = sums[sums > 0]
    return float(-(known * np.log2(known / known.sum())).sum() / 8 + TABLE_BYTES * len(known))
