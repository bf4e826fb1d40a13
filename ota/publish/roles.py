"""Which roles there are, who signs them by default, and for how long what they sign is valid."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

ROOT: Final = "root"
TARGETS: Final = "targets"
SNAPSHOT: Final = "snapshot"
TIMESTAMP: Final = "timestamp"
CHANNELS: Final = ("stable", "canary", "lab")
ONLINE: Final = (SNAPSHOT, TIMESTAMP)
"""Their keys are where a clock signs by itself; all others are with people."""
ALL: Final = (ROOT, TARGETS, *CHANNELS, *ONLINE)


class Quorum(NamedTuple):
    """So many of so many keys must sign."""

    threshold: int
    keys: int


QUORUMS: Final = {ROOT: Quorum(2, 3), TARGETS: Quorum(2, 3), **{role: Quorum(1, 1) for role in (*CHANNELS, *ONLINE)}}
MOST_KEYS: Final = 9  # a root of 2 * 9 keys for itself and targets stays far below MAX_BYTES

LIFETIMES: Final = {
    ROOT: timedelta(days=730),
    TARGETS: timedelta(days=365),
    **{channel: timedelta(days=90) for channel in CHANNELS},
    SNAPSHOT: timedelta(days=14),
    TIMESTAMP: timedelta(days=2),  # a frozen mirror is noticed, and an outage of the signer outlasted, for so long
}

MAX_BYTES: Final = {ROOT: 20_000, TIMESTAMP: 4_000, SNAPSHOT: 20_000}
MAX_TARGETS_BYTES: Final = 200_000  # of targets and of each channel
"""Boards read no more than that."""


def max_bytes(role: str) -> int:
    """The longest file of the role that a board reads."""
    return MAX_BYTES.get(role, MAX_TARGETS_BYTES)
