"""A delta in as few bytes as we know how to: several ways are tried, and the smallest is kept. Publisher's side."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ota.delta.classes import coded
from ota.delta.form import MAX_OPERATIONS, MAX_ROWS, Bytes, Delta, Kind, Operation, packed_best, write
from ota.delta.match import blocks, places_of
from ota.delta.networks import network_of
from ota.delta.predict import told

TAR_BLOCK: Final = 512
LONGEST_ZEROS: Final = 65_536  # that are added; a longer stretch that is the same is copied
OPERATION_BYTES: Final = 10  # about, packed

Plan = Sequence[Operation]
PlanOf = Callable[[bytes, bytes], Plan]


def make(base: bytes, target: bytes) -> bytes:
    """`ota.delta.apply.apply` makes `target` from `base` and it. The same arguments give the same bytes.

    Both are tars of bundles; anything else is taken for bytes. Takes seconds and some 100 MB for a few MB.
    """
    pairs = _pairs(base, target)
    plans: dict[str, Plan] = {"whole": [Operation(Kind.NEW, 0, inner=len(target))] if target else []}
    if pairs:
        plans["files"] = _of_files(base, target, pairs, _of_bytes)
        plans["tensors"] = _of_files(base, target, pairs, _of_network)
    else:
        plans["blocks"] = list(blocks(base, places_of(base), target, 0, len(target)))
    if len(base) == len(target):
        plans["aligned"] = list(aligned(base, target))
    fitting = {method: plan for method, plan in plans.items() if _fits(plan)}
    return min((_written(method, base, target, plan) for method, plan in fitting.items()), key=len)


def _fits(plan: Plan) -> bool:
    return len(plan) <= MAX_OPERATIONS and sum(one.rows for one in plan) <= MAX_ROWS


class _Pair(NamedTuple):
    """A member of the target's tar, from its head to the end of its last block, and where the base has its data."""

    start: int
    data: int
    stop: int
    origin: int | None
    length: int  # in the base


def _pairs(base: bytes, target: bytes) -> list[_Pair]:
    """Empty where one of them is no tar."""
    try:
        old = {member.name: member for member in _members(base)}
        found, start = [], 0
        for member in _members(target):
            stop = member.offset_data + -(-member.size // TAR_BLOCK) * TAR_BLOCK
            before = old.get(member.name)
            origin, length = (before.offset_data, before.size) if before else (None, 0)
            found.append(_Pair(start, member.offset_data, min(stop, len(target)), origin, length))
            start = stop
    except tarfile.TarError:
        return []
    return found


def _members(tar: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as opened:
        return [member for member in opened if member.isreg()]


def _of_files(base: bytes, target: bytes, pairs: Sequence[_Pair], plan_of: PlanOf) -> list[Operation]:
    """File by file, each from the one of the same name."""
    found: list[Operation] = []
    for pair in pairs:
        if pair.origin is None:
            found.append(Operation(Kind.NEW, pair.start, inner=pair.stop - pair.start))
            continue
        begin, end = pair.origin - (pair.data - pair.start), pair.origin + -(-pair.length // TAR_BLOCK) * TAR_BLOCK
        found += _placed(_of_bytes, base, begin, pair.origin, target, pair.start, pair.data)
        found += _placed(plan_of, base, pair.origin, end, target, pair.data, pair.stop)
    end = pairs[-1].stop
    found += _placed(_of_bytes, base, len(base) - (len(target) - end), len(base), target, end, len(target))
    return _joined(found)


def _placed(
    plan_of: PlanOf, base: bytes, begin: int, end: int, target: bytes, start: int, stop: int
) -> Iterator[Operation]:
    begin = max(0, begin)
    for one in plan_of(base[begin:end], target[start:stop]):
        yield one.moved(begin, start)


def _of_bytes(old: bytes, new: bytes) -> Plan:
    """Added place by place, or copied from wherever it is the same."""
    plans: list[Plan] = []
    if len(old) == len(new):
        plans.append(list(aligned(old, new)))
    if not plans or any(one.kind != Kind.COPY for one in plans[0]):
        plans.append(list(blocks(old, places_of(old), new, 0, len(new))))
    return min(plans, key=lambda plan: _guess(old, new, plan))


def _of_network(old: bytes, new: bytes) -> Plan:
    """Number by number where both are networks, and have layers of the same names and shapes."""
    before, after = network_of(old), network_of(new)
    if before is None or after is None or old == new:
        return _of_bytes(old, new)
    known = after.operations_from(before)
    return [*_between(old, new, known), *(one for one in known if one.kind != Kind.COPY)]


def _between(old: bytes, new: bytes, known: Plan) -> Iterator[Operation]:
    """All but what `known` will write."""
    if len(old) == len(new) and all(one.origin == one.to for one in known if one.kind != Kind.PRODUCTS):
        yield from aligned(old, new, known)
        return
    places, place = places_of(old), 0
    for one in sorted(known, key=lambda one: one.to):
        yield from blocks(old, places, new, place, one.to)
        if one.kind == Kind.COPY:
            yield one
        place = one.to + one.written
    yield from blocks(old, places, new, place, len(new))


def aligned(old: bytes, new: bytes, known: Plan = ()) -> Iterator[Operation]:
    """`new` from as many bytes of `old`, place by place. What `known` will write may be anything."""
    differs = np.frombuffer(old, np.uint8) != np.frombuffer(new, np.uint8)
    for one in known:
        differs[one.to : one.to + one.written] = False
    places = np.flatnonzero(differs)
    ends = np.flatnonzero(np.diff(places) > LONGEST_ZEROS)
    starts = places[np.concatenate([[0], ends + 1])].tolist() if len(places) else []
    stops = (places[np.concatenate([ends, [-1]])] + 1).tolist() if len(places) else []
    place = 0
    for start, stop in zip([*starts, len(new)], [*stops, len(new)], strict=True):
        if start > place:
            yield Operation(Kind.COPY, place, place, inner=start - place)
        if stop > start:
            yield Operation(Kind.ADD, start, start, inner=stop - start)
        place = stop


def _joined(plan: Plan) -> list[Operation]:
    """Copies that follow each other are one."""
    found: list[Operation] = []
    for one in plan:
        last = found[-1] if found else None
        follows = last and last.to + last.numbers == one.to and last.origin + last.numbers == one.origin
        if last and follows and last.kind == one.kind == Kind.COPY:
            found[-1] = last._replace(inner=last.numbers + one.numbers)
        else:
            found.append(one)
    return found


def _guess(old: bytes, new: bytes, plan: Plan) -> int:
    """About how many bytes a delta of bytes alone would take."""
    text = _text(np.frombuffer(old, np.uint8), np.frombuffer(new, np.uint8), plan)
    return len(packed_best(text)[1]) + OPERATION_BYTES * len(plan)


def _text(base: Bytes, target: Bytes, plan: Plan) -> bytes:
    later = np.zeros(len(target), bool)
    for one in plan:
        later[one.to : one.to + one.written] |= one.rows > 0
    parts = []
    for one in plan:
        here = slice(one.to, one.to + one.numbers)
        if one.kind == Kind.NEW:
            parts.append(target[here].tobytes())
        elif one.kind == Kind.ADD:
            difference = target[here] - base[one.origin : one.origin + one.numbers]
            parts.append(np.where(later[here], 0, difference).astype(np.uint8).tobytes())
    return b"".join(parts)


def _written(method: str, base: bytes, target: bytes, plan: Plan) -> bytes:
    old, new = np.frombuffer(base, np.uint8), np.frombuffer(target, np.uint8)
    rows = [row for one in plan if one.rows for row in told(one, old, new)]
    signed: npt.NDArray[np.bool_] = np.repeat([one.kind == Kind.BYTES for one in plan], [one.rows for one in plan])
    found = coded(rows, signed)
    return write(
        method,
        base,
        Delta(len(base), len(target), tuple(plan), _text(old, new, plan), *found),
    )
