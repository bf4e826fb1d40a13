"""The least that a board still believes: versions of roles, counters of releases, and the time.

TUF refuses what is older than the metadata it has; a board that lost its metadata would believe anything unexpired.
Floors are what is left then. They are kept in two copies, `floors.a` and `floors.b`, each beginning with the SHA-256 of
the rest. One is written after the other, each by `Disk.replace`, and nothing is acted on before both are: a power cut
at any point, or the loss of either copy at any time, lowers no floor that somebody was told of. With both lost, the
metadata's own copies still hold; with those lost as well, the board is as it was shipped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ota.errors import Untrusted
from ota.storage import Disk

COPIES: Final = ("floors.a", "floors.b")
MAX_BYTES: Final = 64_000  # three channels take 2 kB
MAX_NAMES: Final = 64  # of roles, and of models: none is ever forgotten, so there must be an end
NEVER: Final = datetime.min.replace(tzinfo=UTC)
REMEDY: Final = "The repository, or what stands between, shows an old state: if a real one, publish it anew on top"


class Authority(NamedTuple):
    """Who may sign for a role, as its delegator says."""

    keyids: frozenset[str]
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The least version or counter, and the keyids that proved it, by role."""

    least: int
    proofs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    roles: Mapping[str, Floor] = field(default_factory=dict)
    counters: Mapping[str, Floor] = field(default_factory=dict)
    time: datetime = NEVER
    generation: int = 0


def stands(floor: Floor, authorities: Mapping[str, Authority]) -> bool:
    """Whether the keys that proved it may still prove it: a floor lives as long as its proof.

    So, when keys were stolen and a version was driven up beyond use, exchanging the keys is what helps (TUF 5.3.11).
    """
    return all(
        role in authorities and len(authorities[role].keyids.intersection(signers)) >= authorities[role].threshold
        for role, signers in floor.proofs.items()
    )


def raised(
    floors: Mapping[str, Floor], name: str, seen: Floor, authorities: Mapping[str, Authority], *, what: str
) -> Mapping[str, Floor]:
    """The floors with `seen` for `name`. Raises `Untrusted` where it is below one that stands."""
    known = floors.get(name)
    if known is not None and seen.least < known.least and stands(known, authorities):
        raise Untrusted(f"{what} {seen.least} is older than {known.least}, which this board has seen", remedy=REMEDY)
    if known is None and len(floors) == MAX_NAMES:
        raise Untrusted(f"{what}: more than {MAX_NAMES} names to remember", remedy="Reduce the repository's roles")
    return {**floors, name: seen}


def read_floors(disk: Disk, folder: Path) -> Floors:
    """The newest whole copy; with none, floors that hold nothing."""
    whole = [floors for copy in COPIES if (floors := _read(disk, folder / copy)) is not None]
    return max(whole, key=lambda floors: floors.generation, default=Floors())


def write_floors(disk: Disk, folder: Path, floors: Floors) -> None:
    """As the next generation, if they are others than what is there; also makes a lost copy anew. Raises OSError."""
    there = read_floors(disk, folder)
    changed = replace(floors, generation=there.generation) != there
    content = encoded(replace(floors, generation=there.generation + changed))
    for copy in COPIES:
        if _bytes(disk, folder / copy) != content:
            disk.replace(folder / copy, content)


def encoded(floors: Floors) -> bytes:
    body = msgspec.json.encode(floors, order="deterministic")
    if len(body) > MAX_BYTES:
        raise Untrusted("the metadata has more keys than a board remembers", remedy="Reduce the repository's keys")
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def decoded(content: bytes) -> Floors | None:
    """None where the copy is torn. Fields of a later firmware are passed over."""
    digest, _, body = content.partition(b"\n")
    if digest != hashlib.sha256(body).hexdigest().encode():
        return None
    try:
        return msgspec.json.decode(body, type=Floors)
    except msgspec.DecodeError:
        return None


def _read(disk: Disk, path: Path) -> Floors | None:
    content = _bytes(disk, path)
    return None if content is None else decoded(content)


def _bytes(disk: Disk, path: Path) -> bytes | None:
    try:
        return disk.read(path, 2 * MAX_BYTES)
    except OSError:  # a bad sector: as good as lost
        return None
