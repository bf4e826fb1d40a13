"""A bundle's tar from another one and a delta."""

from __future__ import annotations

import numpy as np

from ota.delta.form import RANS, Bytes, Delta, Kind, read, row_lengths, unpacked
from ota.delta.predict import tell
from ota.delta.rans import decoded, shares_of


def apply(base: bytes, delta: bytes, *, limit_bytes: int) -> bytes:
    """At most `limit_bytes`, which whoever calls must compare with the signed hash: a delta that is damaged within its
    symbols gives other bytes. Raises `BadBundle` where it makes no sense.

    Takes about six times the target's length in memory, and time in proportion to it.
    """
    found = read(base, delta, limit_bytes)
    of_base = np.frombuffer(base, np.uint8)
    target = np.zeros(found.target_length, np.uint8)
    symbols = _symbols(found)
    lengths = row_lengths(found)
    taken, row, used = 0, 0, 0
    for one in found.operations:
        here = slice(one.to, one.to + one.written)
        if one.kind == Kind.COPY:
            target[here] = of_base[one.origin : one.origin + one.numbers]
        elif one.kind in (Kind.NEW, Kind.ADD):
            target[here] = np.frombuffer(found.text, np.uint8, one.numbers, taken)
            taken += one.numbers
            if one.kind == Kind.ADD:
                target[here] += of_base[one.origin : one.origin + one.numbers]
        else:
            rows = np.zeros((one.rows, one.row_length), np.uint8)
            filled = np.flatnonzero(found.classes[row : row + one.rows])
            count = int(lengths[row : row + one.rows][filled].sum())
            rows[filled] = symbols[used : used + count].reshape(len(filled), one.row_length)
            row, used = row + one.rows, used + count
            tell(one, rows, of_base, target)
    return target.tobytes()


def _symbols(delta: Delta) -> Bytes:
    lengths = row_lengths(delta)
    filled = delta.classes != 0
    if delta.coding != RANS:
        content = unpacked(delta.coding, delta.symbols, delta.symbol_count, delta.target_length)
        return np.frombuffer(content, np.uint8)
    return decoded(delta.symbols, np.repeat(delta.classes[filled] - 1, lengths[filled]), shares_of(delta.tables))
