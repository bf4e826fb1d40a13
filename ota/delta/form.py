"""The parts of a delta as bytes (see `ota.delta`): read with every length bounded before anything is unpacked."""

from __future__ import annotations

import hashlib
import lzma
import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ota.errors import BadBundle

MAGIC: Final = b"DWD1"
HEAD: Final = struct.Struct("<4sB8sII")
SECTION: Final = struct.Struct("<BII")
METHODS: Final = ("whole", "aligned", "blocks", "files", "tensors")
FILTERS: Final = ((3, 0, 0), (0, 0, 0), (0, 0, 2), (0, 2, 2))  # literal context and position bits, position bits
DICTIONARY_BYTES: Final = 1024 * 1024
RANS: Final = 128
MAX_OPERATIONS: Final = 16_384  # each a few 10 us on a board; a network of 100 layers that was laid out anew has 1,100
MAX_ROWS: Final = 1_000_000  # channels of all layers, and four rows for each stretch of words
MAX_TABLES: Final = 64
TABLE_BITS: Final = 14
SYMBOLS: Final = 256
REMEDY: Final = "Fetch the whole bundle instead"

Bytes = npt.NDArray[np.uint8]


class Kind(IntEnum):
    COPY = 0
    NEW = 1
    ADD = 2
    FLOATS = 3
    PRODUCTS = 4
    BYTES = 5
    WORDS = 6


KINDS: Final = frozenset(Kind)


class Operation(NamedTuple):
    """All places are from the start of the base or the target."""

    kind: Kind
    to: int
    origin: int = 0
    outer: int = 1
    channels: int = 1
    inner: int = 1
    scales: int = 0
    base_scales: int = 0

    @property
    def numbers(self) -> int:
        return self.outer * self.channels * self.inner

    @property
    def rows(self) -> int:
        return 0 if self.kind <= Kind.ADD else self.channels if self.kind == Kind.BYTES else 4

    @property
    def row_length(self) -> int:
        return self.outer * self.inner if self.kind == Kind.BYTES else self.numbers

    @property
    def written(self) -> int:
        """Bytes of the target."""
        return self.numbers if self.kind in (Kind.COPY, Kind.NEW, Kind.ADD, Kind.BYTES) else 4 * self.numbers

    def moved(self, origin: int, to: int) -> Operation:
        """The same, where base and target begin so much earlier."""
        return self._replace(
            to=self.to + to,
            origin=self.origin + (to if self.kind == Kind.PRODUCTS else origin),
            scales=self.scales and self.scales + to,
            base_scales=self.base_scales and self.base_scales + origin,
        )


class Delta(NamedTuple):
    """`classes` (rows,), `tables` (k, SYMBOLS) as `ota.delta.rans` codes them, `symbols` packed by `coding`."""

    base_length: int
    target_length: int
    operations: tuple[Operation, ...]
    text: bytes
    classes: Bytes
    tables: Bytes
    coding: int
    symbol_count: int
    symbols: bytes


def bad(problem: str) -> BadBundle:
    return BadBundle(f"the delta {problem}", remedy=REMEDY)


def name_of(base: bytes) -> bytes:
    return hashlib.sha256(base).digest()[:8]


def write(method: str, base: bytes, delta: Delta) -> bytes:
    columns = np.array([_relative(one) for one in delta.operations], np.int32).T
    parts = (columns.astype("<i4").tobytes(), delta.text, delta.classes.tobytes(), delta.tables.tobytes())
    found = [*(packed_best(one) for one in parts), (delta.coding, delta.symbols)]
    lengths = [*(len(one) for one in parts), delta.symbol_count]
    head = HEAD.pack(MAGIC, METHODS.index(method), name_of(base), delta.base_length, delta.target_length)
    sections = [
        SECTION.pack(coding, length, len(content)) for (coding, content), length in zip(found, lengths, strict=True)
    ]
    return b"".join([head, *sections, *(content for _, content in found)])


def read(base: bytes, delta: bytes, limit_bytes: int) -> Delta:
    """Raises `BadBundle` for one that is not for this base, makes more than `limit_bytes`, or is damaged."""
    try:
        magic, _, name, base_length, target_length = HEAD.unpack_from(delta)
        heads = [SECTION.unpack_from(delta, HEAD.size + number * SECTION.size) for number in range(5)]
    except struct.error as error:
        raise bad("is cut short") from error
    if magic != MAGIC:
        raise bad("is of another kind, or none")
    if base_length != len(base) or name != name_of(base):
        raise bad("is for another bundle than the one here")
    if target_length > limit_bytes:
        raise bad(f"would make {target_length} bytes, of which {limit_bytes} are allowed")
    place = HEAD.size + 5 * SECTION.size
    if place + sum(size for _, _, size in heads) != len(delta):
        raise bad("is cut short, or longer than it says")
    parts = []
    for _, _, size in heads:
        parts.append(delta[place : place + size])
        place += size
    most = (32 * MAX_OPERATIONS, 2 * target_length, MAX_ROWS, SYMBOLS * MAX_TABLES)
    columns, text, classes, tables = (
        unpacked(coding, content, length, allowed)
        for (coding, length, _), content, allowed in zip(heads[:4], parts, most, strict=False)
    )
    if len(columns) % 32 or len(tables) % SYMBOLS:
        raise bad("has half an operation or table")
    found = Delta(
        base_length,
        target_length,
        tuple(_operations(columns, base_length, target_length)),
        text,
        np.frombuffer(classes, np.uint8),
        np.frombuffer(tables, np.uint8).reshape(-1, SYMBOLS),
        coding=heads[4][0],
        symbol_count=heads[4][1],
        symbols=parts[4],
    )
    _check_sums(found)
    return found


def packed_best(content: bytes) -> tuple[int, bytes]:
    """By the filter that makes the fewest bytes, and which it was."""
    tried = [(coding, packed(coding, content)) for coding in range(len(FILTERS))]
    return min(tried, key=lambda one: len(one[1]))


def packed(coding: int, content: bytes) -> bytes:
    return lzma.compress(content, lzma.FORMAT_RAW, filters=_filter(coding)) if content else b""


def unpacked(coding: int, content: bytes, length: int, most: int) -> bytes:
    """Exactly `length` bytes. Raises `BadBundle`."""
    if length > most:
        raise bad(f"has a part of {length} bytes, of which {most} are allowed")
    if not length and not content:
        return b""
    if coding >= len(FILTERS):
        raise bad(f"has a part of an unknown coding {coding}")
    try:
        found = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filter(coding)).decompress(content, length)
    except lzma.LZMAError as error:
        raise bad(f"cannot be unpacked ({error})") from error
    if len(found) != length:
        raise bad("is cut short")
    return found


def _filter(coding: int) -> list[dict[str, Any]]:
    lc, lp, pb = FILTERS[coding]
    preset = 9 | lzma.PRESET_EXTREME
    return [{"id": lzma.FILTER_LZMA1, "preset": preset, "lc": lc, "lp": lp, "pb": pb, "dict_size": DICTIONARY_BYTES}]


def _relative(one: Operation) -> Sequence[int]:
    scales, base_scales = one.scales - one.to, one.base_scales - one.scales
    if not one.scales:
        scales, base_scales = 0, 0
    return one.kind, one.to, one.origin - one.to, one.outer, one.channels, one.inner, scales, base_scales


def _operations(columns: bytes, base_length: int, target_length: int) -> list[Operation]:
    """Each within the base and the target. Raises `BadBundle`."""
    rows = np.frombuffer(columns, "<i4").reshape(8, -1).T.astype(np.int64).tolist()
    found = []
    for kind, to, origin, outer, channels, inner, scales, base_scales in rows:
        if kind not in KINDS or min(outer, channels, inner) < 1:
            raise bad("has an unknown operation")
        place = to + scales if scales else 0
        one = Operation(Kind(kind), to, to + origin, outer, channels, inner, place, place + base_scales if place else 0)
        if not _is_within(one, base_length, target_length):
            raise bad("has an operation that leads elsewhere")
        found.append(one)
    return found


def _is_within(one: Operation, base_length: int, target_length: int) -> bool:
    kind, of_base = one.kind, one.written
    if one.numbers > target_length or one.to < 0 or one.to + one.written > target_length:
        return False
    if kind == Kind.NEW:
        return True
    if kind == Kind.PRODUCTS:
        return 0 <= one.origin <= target_length - 4 and 0 <= one.scales <= target_length - 4 * one.numbers
    if kind in (Kind.BYTES, Kind.WORDS) and one.scales:
        scales = 4 * one.channels
        if not (0 <= one.scales <= target_length - scales and 0 <= one.base_scales <= base_length - scales):
            return False
    return 0 <= one.origin <= base_length - of_base


def _check_sums(delta: Delta) -> None:
    """That the parts fit each other, and no more is done than a few times the target's length."""
    if sum(one.written for one in delta.operations) > 4 * delta.target_length:
        raise bad("writes the same again and again")
    if sum(one.rows for one in delta.operations) != delta.classes.size:
        raise bad("has not as many classes as rows")
    if sum(one.numbers for one in delta.operations if one.kind in (Kind.NEW, Kind.ADD)) != len(delta.text):
        raise bad("has more or less text than its operations take")
    if int(row_lengths(delta)[delta.classes != 0].sum()) != delta.symbol_count:
        raise bad("has more or fewer symbols than its rows")
    if delta.symbol_count > delta.target_length:
        raise bad("has more symbols than bytes to make")
    if delta.classes.size and delta.coding == RANS and delta.classes.max() > len(delta.tables):
        raise bad("has a row of no table")


def row_lengths(delta: Delta) -> npt.NDArray[np.int64]:
    """(rows,)"""
    rows = [one.rows for one in delta.operations]
    return np.repeat(np.array([one.row_length for one in delta.operations], np.int64), rows)
