"""Where releases come from: files below `metadata/` and `targets/`, on a web server or in a folder (a USB stick)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from ota.errors import Untrusted
from ota.types import Target

Watch = Callable[[], float]
"""Called before each wait: for how many seconds it may be at most. It raises what ends the reading."""


class Elsewhere(Exception):
    """The repository cannot go on from the byte that was asked for: ask from the first one on."""


class Answer(NamedTuple):
    """What a repository sends, from byte `first` on: the one that was asked for, or 0.

    `read` takes the most bytes to return: at least one, or none at the end. It raises `Unreachable`.
    """

    first: int
    read: Callable[[int], bytes]


class Repository(Protocol):
    """Used by one thread at a time."""

    metered: bool  # whether limits of a link, in rate and bytes a day, apply

    def read(self, name: str, limit: int) -> bytes | None:
        """A small file whole, as `metadata/timestamp.json`, with the quoting of an address; None where there is none.

        Of a file with more than `limit` bytes `limit` + 1 are given, by which it is told. Raises `Unreachable`.
        """

    def open(self, name: str, first: int, length: int, watch: Watch) -> AbstractContextManager[Answer]:
        """A large file from a byte on, as `targets/stable/...`; `length` is what the whole file must have.

        Raises `NotThere` or else `Unreachable`, `Elsewhere` and whatever `watch` raises.
        """


def stored_at(target: Target) -> str:
    """Where a repository with consistent snapshots has it. Raises `Untrusted` if it leads elsewhere."""
    parts = target.path.split("/")
    named = re.fullmatch("[0-9a-f]{64}", target.sha256) and not any(
        part in ("", ".", "..") or "\\" in part for part in parts
    )
    if not named or target.length < 1:
        said = f"the target {target.path!r} has no plain name, no SHA-256 or no length"
        raise Untrusted(said, remedy="Tell whoever publishes models")
    return "/".join(["targets", *parts[:-1], f"{target.sha256}.{parts[-1]}"])
