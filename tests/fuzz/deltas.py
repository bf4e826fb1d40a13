"""Any bytes as a delta, and any operations as one: refused, or it makes bytes within the limit."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np

from ota.delta.apply import apply
from ota.delta.form import HEAD, MAGIC, RANS, SECTION, SYMBOLS, name_of, packed
from ota.delta.make import make
from ota.delta.rans import encoded, shares_of
from ota.errors import BadBundle
from tests.ota.networks import bundle, layers, taught

MAX_BYTES = 6_000
LIMIT_BYTES = 60_000
WORDS = ("DWD1",)
BEFORE = layers(0, count=2, channels=16, inner=32)
BASE = bundle(BEFORE)
AFTER = {"taught": taught(BEFORE, 1, step=0.001), "moved": taught(BEFORE, 1, step=0.001)[::-1]}
BUILT = b"\xff"
"""Begins what is not a delta yet, but its parts: whether symbols are by tables and how many they are, the lengths of
all parts, and they themselves, of which those that are not by tables are still to be packed."""
LENGTHS = struct.Struct("<B6H")


def seeds() -> Iterable[bytes]:
    for network in AFTER.values():
        yield make(BASE, bundle(network))
    yield make(BASE, BASE)
    columns = np.array([[0, 0, 0, 1, 1, 90, 0, 0], [5, 90, 0, 1, 4, 8, -90, 0]], "<i4").T.tobytes()
    table = bytes([8] * SYMBOLS)
    symbols = np.arange(16, dtype=np.uint8)
    by_table = encoded(symbols, np.zeros(16, np.uint8), shares_of(np.frombuffer(table, np.uint8)[np.newaxis]))
    for coding, content in ((0, symbols.tobytes()), (1, by_table)):
        parts = (columns, b"", bytes([0, 1, 1, 0]), table, content)
        yield BUILT + LENGTHS.pack(coding, len(symbols), *map(len, parts)) + b"".join(parts)


def check(data: bytes) -> None:
    try:
        made = apply(BASE, _built(data[1:]) if data[:1] == BUILT else data, limit_bytes=LIMIT_BYTES)
    except BadBundle as refused:
        assert refused.problem.startswith("the delta ")
        return
    assert len(made) <= LIMIT_BYTES


def _built(data: bytes) -> bytes:
    """With a head and sections that fit, so that chance gets as far as the operations."""
    by_tables, count, *lengths = LENGTHS.unpack(data[: LENGTHS.size].ljust(LENGTHS.size, b"\0"))
    parts, place = [], LENGTHS.size
    for length in lengths:
        parts.append(data[place : place + length])
        place += length
    contents = [*(packed(0, part) for part in parts[:4]), parts[4] if by_tables else packed(0, parts[4])]
    codings = [0, 0, 0, 0, RANS if by_tables else 0]
    counts = [*map(len, parts[:4]), count]
    head = HEAD.pack(MAGIC, 0, name_of(BASE), len(BASE), LIMIT_BYTES)
    sections = [SECTION.pack(*one) for one in zip(codings, counts, map(len, contents), strict=True)]
    return b"".join([head, *sections, *contents])
