"""Symbols in about as many bits as they tell: range asymmetric numeral systems (Duda 2013, arXiv:1311.2540).

`LANES` coders of 64-bit states side by side, each of which puts out and takes in 32 bits at a time: numpy does a step
of all of them at once. By tables of fixed shares, one of them chosen for each symbol.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ota.delta.form import SYMBOLS, TABLE_BITS, Bytes, bad

LANES: Final = 64
LOWEST: Final = np.uint64(1 << 31)  # of a state between two symbols
WORD: Final = np.uint64(32)
BITS: Final = np.uint64(TABLE_BITS)
SLOTS: Final = 1 << TABLE_BITS

LARGEST_CODE: Final = 79  # of a weight of 2^22

Tables = npt.NDArray[np.uint16]
"""(k, SYMBOLS) of shares that add up to SLOTS in each."""


def encoded(symbols: Bytes, which: Bytes, tables: Tables) -> bytes:
    """`symbols` (n,), each by the table `which` (n,) of `tables` (k, SYMBOLS); each must have a share there."""
    shares, starts = _laid_out(tables)
    padding = -len(symbols) % LANES
    at = which.astype(np.intp) * SYMBOLS + symbols
    states = np.full(LANES, LOWEST)
    words: list[npt.NDArray[np.uint32]] = []
    steps = np.pad(at, (0, padding), constant_values=-1).reshape(-1, LANES)
    for step in steps[::-1]:
        real = step >= 0
        share, start = shares[step[real]], starts[step[real]]
        state = states[real]
        full = state >= (share << (np.uint64(31) - BITS + WORD))
        words.append(state[full].astype(np.uint32))
        state[full] >>= WORD
        states[real] = ((state // share) << BITS) + state % share + start
    told = np.concatenate(words[::-1]) if words else np.zeros(0, np.uint32)
    return states.astype("<u8").tobytes() + told.astype("<u4").tobytes()


def decoded(content: bytes, which: Bytes, tables: Tables) -> Bytes:
    """The symbols, as many as `which` (n,) has, each of which must be the number of a table.

    Raises `BadBundle` if `content` does not come out even.
    """
    if len(content) < 8 * LANES or len(content) % 4:
        raise bad("has symbols that are cut short")
    shares, starts = _laid_out(tables)
    by_slot = np.repeat(np.tile(np.arange(SYMBOLS, dtype=np.uint8), len(tables)), tables.ravel())
    states = np.frombuffer(content, "<u8", LANES).astype(np.uint64)
    words = np.frombuffer(content, "<u4", offset=8 * LANES).astype(np.uint64)
    found = np.empty(len(which), np.uint8)
    place = 0
    for begin in range(0, len(which), LANES):
        table = which[begin : begin + LANES].astype(np.intp)
        state = states[: len(table)]
        slot = state & np.uint64(SLOTS - 1)
        symbol = by_slot[table * SLOTS + slot.astype(np.intp)]
        found[begin : begin + LANES] = symbol
        at = table * SYMBOLS + symbol
        state = shares[at] * (state >> BITS) + slot - starts[at]
        empty = np.flatnonzero(state < LOWEST)
        taken = words[place : place + len(empty)]
        if len(taken) != len(empty):
            raise bad("has symbols that are cut short")
        state[empty] = (state[empty] << WORD) | taken
        place += len(empty)
        states[: len(table)] = state
    if place != len(words) or (states != LOWEST).any():
        raise bad("has symbols that do not come out even")
    return found


def shares_of(codes: Bytes) -> Tables:
    """From tables as a delta has them. 0 is a symbol that does not occur, else c stands for a weight of
    (4 + c % 4) * 2^(c // 4), within an eighth of what it should be. Raises `BadBundle` for a table of nothing."""
    if codes.size and codes.max() > LARGEST_CODE:
        raise bad("has a table of nonsense")
    weights = np.where(codes > 0, (4 + codes.astype(np.int64) % 4) << (codes.astype(np.int64) // 4), 0)
    totals = weights.sum(axis=1, keepdims=True)
    if not totals.all():
        raise bad("has an empty table")
    shares = np.where(weights > 0, np.maximum(1, weights * SLOTS // totals), 0)
    largest = shares.argmax(axis=1)
    shares[np.arange(len(shares)), largest] += SLOTS - shares.sum(axis=1)
    if (shares < 0).any():
        raise bad("has a table of nonsense")
    return shares.astype(np.uint16)


def code_of(counts: npt.NDArray[np.float64]) -> Bytes:
    """(SYMBOLS,): the table for symbols that occur so often."""
    scaled = counts / counts.sum() * (1 << 20)
    exponent = np.floor(np.log2(np.maximum(scaled / 4, 1)))
    mantissa = np.rint(scaled / 2**exponent)  # 4 to 8, or less for the rarest
    codes = 4 * exponent + np.clip(mantissa - 4, 0, 4)
    return np.where(counts > 0, np.clip(codes, 1, LARGEST_CODE), 0).astype(np.uint8)


def _laid_out(tables: Tables) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Shares and where they start, each (k * SYMBOLS,)."""
    shares = tables.astype(np.uint64)
    starts = np.cumsum(shares, axis=1, dtype=np.uint64) - shares
    return shares.ravel(), starts.ravel()
