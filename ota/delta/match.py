"""Where bytes of one stretch are found again in another: copies, and what is new between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ota.delta.form import Kind, Operation

SEED: Final = 16  # bytes that must be the same for a copy to begin
GRID: Final = 4  # of the base, each so many bytes: flatbuffers lie on it; what is longer is found on any grid
LEAST_COPY: Final = 24  # an operation takes about as many bytes


Places = Mapping[bytes, int]


def places_of(base: bytes) -> Places:
    """The first place of each seed on the grid."""
    return {base[at : at + SEED]: at for at in range((len(base) - SEED) // GRID * GRID, -1, -GRID)}


def blocks(base: bytes, places: Places, target: bytes, start: int, stop: int) -> Iterator[Operation]:
    """Operations that make `target[start:stop]`: the first copies that are found, as long as they get.

    `places` are those of `base`.
    """
    place = new = start
    while place <= stop - SEED:
        origin = places.get(target[place : place + SEED])
        if origin is None:
            place += 1
            continue
        before = _common_back(base, origin, target, place, place - new)
        length = before + _common(base, origin, target, place, stop)
        begin = place - before
        if length < LEAST_COPY:
            place += 1
            continue
        if begin > new:
            yield Operation(Kind.NEW, new, inner=begin - new)
        yield Operation(Kind.COPY, begin, origin - before, inner=length)
        place = new = begin + length
    if new < stop:
        yield Operation(Kind.NEW, new, inner=stop - new)


def _common(base: bytes, origin: int, target: bytes, place: int, stop: int) -> int:
    most = min(len(base) - origin, stop - place)
    length = 0
    step = 1 << 16
    while length < most and step:
        size = min(step, most - length)
        here, there = place + length, origin + length
        if target[here : here + size] == base[there : there + size]:
            length += size
        else:
            step = size // 2
    return length


def _common_back(base: bytes, origin: int, target: bytes, place: int, most: int) -> int:
    length = 0
    while length < min(most, origin) and base[origin - length - 1] == target[place - length - 1]:
        length += 1
    return length
