"""What a repository says: the signed metadata of each role, and questions to it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from tuf.api.metadata import TOP_LEVEL_ROLE_NAMES, Key, Metadata, Root, Snapshot, Targets, Timestamp

from ota.publish.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP

State = Mapping[str, Metadata[Any]]
"""Metadata by role; empty before there is a repository."""
NAME_FIELD = "x-ductwatch-name"
"""In a key, beside what TUF knows of: whose it is, in words."""


class Signers(NamedTuple):
    """Who may sign a role, by keyid, and how many must."""

    keys: Mapping[str, Key]
    threshold: int


def root(state: State) -> Root:
    return cast(Root, state[ROOT].signed)


def targets(state: State, role: str = TARGETS) -> Targets:
    return cast(Targets, state[role].signed)


def snapshot(state: State) -> Snapshot:
    return cast(Snapshot, state[SNAPSHOT].signed)


def timestamp(state: State) -> Timestamp:
    return cast(Timestamp, state[TIMESTAMP].signed)


def channels(state: State) -> tuple[str, ...]:
    """In the order in which they were made; none before there is a repository."""
    if TARGETS not in state:
        return ()
    delegations = targets(state).delegations
    return tuple(delegations.roles or ()) if delegations else ()


def delegator(state: State, role: str) -> Root | Targets:
    """Whose metadata says which keys sign `role`."""
    return root(state) if role in TOP_LEVEL_ROLE_NAMES else targets(state)


def signers(state: State, role: str) -> Signers:
    """Nobody where the role is not known yet."""
    if role not in TOP_LEVEL_ROLE_NAMES and role not in channels(state):
        return Signers({}, 0)
    if role in TOP_LEVEL_ROLE_NAMES and ROOT not in state:
        return Signers({}, 0)
    said = delegator(state, role)
    known = said.get_delegated_role(role)
    return Signers({keyid: said.get_key(keyid) for keyid in known.keyids}, known.threshold)


def keys(state: State) -> Iterator[tuple[str, Key]]:
    """Each role with each of its keys."""
    for role in (ROOT, TARGETS, *channels(state), SNAPSHOT, TIMESTAMP):
        for key in signers(state, role).keys.values():
            yield role, key


def titled(key: Key) -> str:
    """As a keyholder knows it: its name, and the begin of its keyid."""
    return f"{key.unrecognized_fields.get(NAME_FIELD, 'unnamed')} ({key.keyid[:8]})"
