"""The roles whose metadata verifies, from root on, and how far a board believes them. Opens nothing, knows no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import TOP_LEVEL_ROLE_NAMES, Metadata, Role, Root, Signed, Snapshot, Targets, Timestamp

from ota.clock_floor import expired
from ota.errors import Untrusted
from ota.floors import Authority, Floor, Floors, raised

ROOT: Final = Root.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """A role whose metadata is signed by enough of the keys that its delegator names: `signers` are those that did."""

    name: str
    signed: Signed
    signers: tuple[str, ...]
    authority: Authority

    @property
    def targets(self) -> frozenset[str]:
        """Paths that it vouches for by itself."""
        return frozenset(self.signed.targets) if isinstance(self.signed, Targets) else frozenset()


class Judgement(NamedTuple):
    """Roles believed, the floors with them, and what was wrong with the next one."""

    believed: list[Proved]
    floors: Floors
    problem: Untrusted | None


def chain(files: Mapping[str, bytes], paths: Iterable[str]) -> Iterator[Proved]:
    """Of metadata by role name, what verifies now, in the order of TUF's workflow; what does not is passed over.

    `files` are what ngclient has just walked, looking for the targets `paths`, and maybe older ones of roles that it
    did not come by: those fail, by their keys or by their version, or are none that `paths` lead to. The root is taken
    as it is: ngclient has walked to it.
    """
    if (root := _proved(files, ROOT, _signed(files, ROOT), None)) is None:
        return
    yield root
    if (timestamp := _proved(files, Timestamp.type, root.signed, None)) is None:
        return
    yield timestamp
    if (snapshot := _proved(files, Snapshot.type, root.signed, _listed(timestamp.signed, Snapshot.type))) is None:
        return
    yield snapshot
    if (targets := _proved(files, Targets.type, root.signed, _listed(snapshot.signed, Targets.type))) is None:
        return
    yield targets
    waiting = set(files) - TOP_LEVEL_ROLE_NAMES
    delegators = [targets]
    while delegators:
        delegator = delegators.pop(0)
        for name in sorted(waiting.intersection(_led_to(delegator.signed, paths))):
            if (role := _proved(files, name, delegator.signed, _listed(snapshot.signed, name))) is not None:
                waiting.remove(name)
                delegators.append(role)
                yield role


def _led_to(signed: Signed, paths: Iterable[str]) -> Iterator[str]:
    """The roles that `signed` lets vouch for one of `paths`."""
    if isinstance(signed, Targets) and signed.delegations is not None:
        for path in paths:
            yield from (name for name, _ in signed.delegations.get_roles_for_target(path))


def _listed(signed: Signed, name: str) -> int:
    """The version that a timestamp or a snapshot lists for a role; 0, which no role has, where it lists none."""
    if isinstance(signed, Timestamp):
        return signed.snapshot_meta.version
    meta = signed.meta.get(f"{name}.json") if isinstance(signed, Snapshot) else None
    return 0 if meta is None else meta.version


def _signed(files: Mapping[str, bytes], name: str) -> Signed | None:
    try:
        return Metadata.from_bytes(files[name]).signed
    except (KeyError, RepositoryError):
        return None


def _proved(files: Mapping[str, bytes], name: str, delegator: Signed | None, version: int | None) -> Proved | None:
    """The metadata of `name`, if `delegator` lets its signers sign, and its version is as listed (None: any)."""
    if not isinstance(delegator, Root | Targets):
        return None
    try:
        metadata: Metadata[Any] = Metadata.from_bytes(files[name])
        role = delegator.get_delegated_role(name)
        result = delegator.get_verification_result(name, metadata.signed_bytes, metadata.signatures)
    except (KeyError, ValueError, RepositoryError):
        return None
    if not result or version not in (None, metadata.signed.version):
        return None
    authority = Authority(frozenset(role.keyids), role.threshold)
    return Proved(name=name, signed=metadata.signed, signers=tuple(sorted(result.signed)), authority=authority)


def authorities(roles: Iterable[Proved]) -> dict[str, Authority]:
    """Who may sign for what, as far as `roles` say: also for roles that were not asked for."""
    known: dict[str, Authority] = {}
    for role in roles:
        known |= {name: Authority(frozenset(each.keyids), each.threshold) for name, each in _delegates(role.signed)}
        known[role.name] = role.authority
    return known


def judged(roles: Iterable[Proved], floors: Floors, *, now: datetime, wall: datetime) -> Judgement:
    """Believe one role after the other, up to the first that is below its floor or expired at `now`.

    An expired root is still believed, for what it revokes; nothing after it is (TUF 5.3.8, 5.3.10).
    """
    believed: list[Proved] = []
    for role in roles:
        seen = Floor(least=role.signed.version, proofs=_proofs(role, believed))
        try:
            known = authorities([*believed, role])
            versions = raised(floors.roles, role.name, seen, known, what=f"{role.name}: version")
            for each in (believed[0], role) if believed else ():
                _check_fresh(each, now, wall)
        except Untrusted as problem:
            return Judgement(believed, floors, problem)
        floors = replace(floors, roles=versions)
        believed.append(role)
    return Judgement(believed, floors, None)


def _delegates(signed: Signed) -> Iterable[tuple[str, Role]]:
    if isinstance(signed, Root):
        return signed.roles.items()
    if isinstance(signed, Targets) and signed.delegations is not None:
        return (signed.delegations.roles or {}).items()
    return ()


def _proofs(role: Proved, before: Iterable[Proved]) -> dict[str, tuple[str, ...]]:
    """By whose keys its version stands: its own, and of those that list it (TUF 5.3.11). A root's stands for ever."""
    if role.name == ROOT:
        return {}
    lister = {Timestamp.type: None, Snapshot.type: Timestamp.type}.get(role.name, Snapshot.type)
    return {each.name: each.signers for each in before if each.name == lister} | {role.name: role.signers}


def _check_fresh(role: Proved, now: datetime, wall: datetime) -> None:
    if role.signed.is_expired(now):
        raise expired(f"{role.name} expired on {role.signed.expires:%Y-%m-%d %H:%M} UTC", now=now, wall=wall)
