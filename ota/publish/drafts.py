"""What a repository is to say next, not yet signed. Pure: the state before, a wish and the time give a draft.

Versions grow by one, and every date comes from `now`. Snapshot and timestamp follow from the rest: `signing.sealed`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tuf.api.metadata import DelegatedRole, Delegations, Key, Metadata, Role, Root, Targets

from ota.publish.errors import AlreadySo, Refused
from ota.publish.offers import offered, written
from ota.publish.roles import LIFETIMES, ONLINE, ROOT, TARGETS, TIMESTAMP
from ota.publish.state import NAME_FIELD, State, channels, delegator, keys, signers, targets, titled
from ota.types import Release

LEAST_KEYID = 6  # hexadecimal digits by which a key may be named: 24 bit tell apart a few dozen keys
RAISE = (
    "Raise release_counter in the bundle (`ductwatch model train --release-counter`). If these very bytes are wanted, "
    "older ones too, add --again to this command for the next free counter, or --release-counter N for a higher one"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Metadata by role that people are to sign, and new files by target path; `fresh_for`: of the timestamp."""

    metadata: State
    files: Mapping[str, bytes] = field(default_factory=dict)
    fresh_for: timedelta = LIFETIMES[TIMESTAMP]

    def lifetime(self, role: str) -> timedelta:
        """Of what is signed now."""
        return self.fresh_for if role == TIMESTAMP else LIFETIMES[role]


def begun(chosen: Mapping[str, tuple[int, Sequence[Key]]], now: datetime) -> Draft:
    """A new repository; `chosen` has threshold and keys by role: the four of TUF, and each channel."""
    roles = {
        role: Role([key.keyid for key in keys], threshold)
        for role, (threshold, keys) in chosen.items()
        if role in (ROOT, TARGETS, *ONLINE)
    }
    names = [role for role in chosen if role not in roles]
    first = Root(
        expires=now + LIFETIMES[ROOT],
        keys=_keys(chosen[role][1] for role in roles),
        roles=roles,
        consistent_snapshot=True,
    )
    delegations = Delegations(
        keys=_keys(chosen[name][1] for name in names),
        roles={
            name: DelegatedRole(
                name, [key.keyid for key in chosen[name][1]], chosen[name][0], terminating=True, paths=[f"{name}/*"]
            )
            for name in names
        },
    )
    top = Targets(expires=now + LIFETIMES[TARGETS], delegations=delegations)
    empty = {name: Metadata(Targets(expires=now + LIFETIMES[name])) for name in names}
    return Draft(metadata={ROOT: Metadata(first), TARGETS: Metadata(top), **empty})


def released(
    state: State, channel: str, release: Release, tar: bytes, deltas: Mapping[str, bytes], now: datetime
) -> Draft:
    """`channel` offers `release` in place of what it offered of that model; `deltas` by base, as it has them."""
    check_counter(state, channel, release)
    drafted = _next(state, channel, now)
    _take_out(drafted.signed, release.model)
    drafted.signed.targets.update(written(release))
    files = {delta.target.path: deltas[delta.base] for delta in release.deltas}
    return Draft(metadata={channel: drafted}, files={release.target.path: tar, **files})


def check_counter(state: State, channel: str, release: Release) -> None:
    """Boards take only what has a higher counter than what they have. Raises `Refused`, or `AlreadySo`."""
    there = offered(targets(state, known_channel(state, channel))).get(release.model)
    if there is None or release.counter > there.counter:
        return
    if there.target.sha256 == release.target.sha256:
        raise AlreadySo(f"{channel} offers {in_short(release)} already", remedy="There is nothing to do")
    raise Refused(
        f"{channel} offers {in_short(there)}, and boards that have it do not take {in_short(release)}", remedy=RAISE
    )


def check_new(state: State, channel: str, release: Release, where: str = "") -> None:
    """A new release has a higher counter than any channel offers: one may be promoted to where the other is.

    Raises `Refused`, or `AlreadySo`. `where` names the repository in a command.
    """
    check_counter(state, channel, release)
    for name in channels(state):
        there = offered(targets(state, name)).get(release.model)
        if there is not None and there.target.sha256 == release.target.sha256:
            raise Refused(
                f"{name} offers this very bundle",
                remedy=f"Promote it: ductwatch ota promote {release.model} --from {name} --to {channel}{where}",
            )
        if there is not None and there.counter >= release.counter:
            raise Refused(
                f"{name} offers {in_short(there)}, and boards that ever had it do not take {in_short(release)}",
                remedy=RAISE,
            )


def highest(state: State, model: str) -> int:
    """The highest counter that any channel offers of a model; 0 where none does."""
    found = (offered(targets(state, name)).get(model) for name in channels(state))
    return max((release.counter for release in found if release), default=0)


def known_channel(state: State, channel: str) -> str:
    """The channel. Raises `Refused` if there is none of that name."""
    if channel not in channels(state):
        raise Refused(f"there is no channel {channel}", remedy=f"There are {', '.join(channels(state))}")
    return channel


def withdrawn(state: State, channel: str, model: str, now: datetime) -> Draft:
    """`channel` offers nothing of `model` any more. Boards that have it keep it."""
    drafted = _next(state, known_channel(state, channel), now)
    if model not in offered(drafted.signed):
        offers = ", ".join(sorted(offered(drafted.signed))) or "nothing"
        raise Refused(f"{channel} offers no {model}", remedy=f"It offers {offers}")
    _take_out(drafted.signed, model)
    return Draft(metadata={channel: drafted})


def renewed(state: State, roles: Iterable[str], now: datetime, *, fresh_for: timedelta = LIFETIMES[TIMESTAMP]) -> Draft:
    """The same once more, valid for longer."""
    metadata = {role: _next(state, role, now) for role in roles if role not in ONLINE}
    return Draft(metadata=metadata, fresh_for=fresh_for)


def key_of(state: State, role: str, name: str) -> Key:
    """The key of `role` that has this name, or whose keyid begins so. Raises `Refused` for none, and for several."""
    quorum = signers(state, role)
    found = [
        key
        for keyid, key in quorum.keys.items()
        if name in _names(key) or (len(name) >= LEAST_KEYID and keyid.startswith(name))
    ]
    if len(found) != 1:
        raise Refused(f"{name} is no key of {role}", remedy=f"Its keys: {_list(quorum.keys.values())}")
    return found[0]


def rekeyed(state: State, role: str, old: Key, new: Key | None, now: datetime, where: str = "") -> Draft:
    """`role` is signed by `new` in place of `old`, or, without `new`, by one key less.

    What the role itself says is signed anew too. Raises `Refused` if `new` signs something already, or if the
    threshold could not be reached any more.
    """
    quorum = signers(state, role)
    for where, key in keys(state):
        if new is not None and key.keyid == new.keyid:
            raise Refused(f"{titled(key)} signs {where} already", remedy="Each key has one role: make another")
    if new is None and len(quorum.keys) == quorum.threshold:
        raise Refused(
            f"{role} needs {quorum.threshold} of {len(quorum.keys)} keys: without {titled(old)} nobody could sign it",
            remedy=f"Put another in its place: ductwatch ota rotate-key {role} {old.keyid[:8]} NEW{where}",
        )
    above = ROOT if isinstance(delegator(state, role), Root) else TARGETS
    drafted = {name: _next(state, name, now) for name in {above: 0, role: 0} if name not in ONLINE}
    says = drafted[above].signed
    if new is not None:
        says.add_key(new, role)
        keyids = says.get_delegated_role(role).keyids
        keyids.insert(keyids.index(old.keyid), keyids.pop())
    says.revoke_key(old.keyid, role)
    return Draft(metadata=drafted)


def in_short(release: Release) -> str:
    return f"{release.model} {release.version} (release {release.counter})"


def _names(key: Key) -> set[str]:
    """A key of a security module is also named without its token: hsm:2 for hsm:2?label=ductwatch."""
    full = str(key.unrecognized_fields.get(NAME_FIELD, ""))
    return {full, full.partition("?")[0]} - {""}


def _next(state: State, role: str, now: datetime) -> Metadata[Any]:
    signed = copy.deepcopy(state[role].signed)
    signed.version += 1
    signed.expires = now + LIFETIMES[role]
    return Metadata(signed)


def _take_out(signed: Targets, model: str) -> None:
    there = offered(signed).get(model)
    for path in written(there) if there else ():
        del signed.targets[path]


def _keys(many: Iterable[Iterable[Key]]) -> dict[str, Key]:
    return {key.keyid: key for keys in many for key in keys}


def _list(keys: Iterable[Key]) -> str:
    return ", ".join(titled(key) for key in keys) or "none"
