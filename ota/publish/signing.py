"""Who must sign a draft, whether they have, and what is then to be written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from securesystemslib.signer import HSMSigner, Key, Signature
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

from ota.publish import keys
from ota.publish.drafts import Draft
from ota.publish.errors import Refused, Unsigned
from ota.publish.keyring import Keyring
from ota.publish.roles import ONLINE, ROOT, SNAPSHOT, TARGETS, TIMESTAMP, max_bytes
from ota.publish.state import Signers, State, channels, delegator, signers, snapshot, titled

MOST_CHANNELS = 8  # boards follow no more delegations


class Lacking(NamedTuple):
    """A role that too few have signed, or can sign: who has, who else might, and how many must."""

    role: str
    have: tuple[Key, ...]
    others: tuple[Key, ...]
    threshold: int

    def __str__(self) -> str:
        have = f"signed by {_list(self.have)}; " if self.have else ""
        return f"{self.role}: {have}needs {self.threshold - len(self.have)} more of {_list(self.others)}"


def quorums(before: State, after: State, role: str) -> list[Signers]:
    """All of these must be met: a new root is signed by the keys that it has, and by those that it had before."""
    new = signers(after, role)
    old = signers(before, role) if role == ROOT else Signers({}, 0)
    return [new, old] if old.threshold and old != new else [new]


def invited(before: State, after: State, role: str) -> dict[str, Key]:
    """Whose signature is of use. Also of the keys before, where they change: boards read the new and the old root for a
    moment, and are to find what both of them accept."""
    return {**signers(before, role).keys, **signers(after, role).keys}


def changed(before: State, draft: Draft, now: datetime) -> tuple[str, ...]:
    """The roles that get a new version, in the order in which they are signed and written.

    A snapshot does so when half its time is over, and when it would expire before the timestamp that lists it.
    """
    offline = sorted(draft.metadata, key=lambda role: (role != ROOT, role != TARGETS))
    needed = max(draft.lifetime(SNAPSHOT) / 2, draft.lifetime(TIMESTAMP))
    stale = SNAPSHOT not in before or before[SNAPSHOT].signed.expires - now < needed
    resigned = [role for role in draft.metadata if role != ROOT]
    rekeyed = signers(before, SNAPSHOT) != signers({**before, **draft.metadata}, SNAPSHOT)
    return (*offline, *((SNAPSHOT,) if stale or resigned or rekeyed else ()), TIMESTAMP)


def unreachable(before: State, draft: Draft, roles: tuple[str, ...], ring: Keyring) -> list[Lacking]:
    """The roles that cannot be signed with the keys at hand."""
    after = {**before, **draft.metadata}
    return [
        Lacking(
            role,
            (),
            tuple(key for keyid, key in quorum.keys.items() if not ring.at_hand(keyid)),
            quorum.threshold - sum(map(ring.at_hand, quorum.keys)),
        )
        for role in roles
        for quorum in quorums(before, after, role)
        if sum(map(ring.at_hand, quorum.keys)) < quorum.threshold
    ]


def sign(before: State, draft: Draft, ring: Keyring) -> None:
    """Sign each role of the draft with all keys at hand that are of use. Raises `Refused`."""
    after = {**before, **draft.metadata}
    for role, metadata in draft.metadata.items():
        _sign(metadata, invited(before, after, role), ring)


def add_signature(metadata: Metadata[Any], key: Key, ring: Keyring) -> Signature:
    """Sign with the private half of `key`. Raises `Refused`, in words also where a security module has none."""
    signer = ring.signer(key)
    try:
        return metadata.sign(signer, append=True)
    except UnsignedMetadataError as error:  # around whatever the signer raised
        scheme = HSMSigner.SCHEME if isinstance(signer, HSMSigner) else ""
        raise keys.refusal(titled(key), scheme, error.__cause__ or error) from error


def sealed(before: State, draft: Draft, ring: Keyring, now: datetime) -> dict[str, bytes]:
    """All files of the next state by their path in the repository, in the order in which they are to be written.

    A timestamp comes after all that follows from it, and a new root after that: what is signed by the keys before,
    too, is then good for boards that read meanwhile.

    Raises `Unsigned` below a threshold, and `Refused` for what boards would not accept.
    """
    roles = changed(before, draft, now)
    check_timely(before, draft, now)
    check_signed(before, draft)
    after: dict[str, Metadata[Any]] = {**before, **draft.metadata}
    for role, make in ((SNAPSHOT, _snapshot), (TIMESTAMP, _timestamp)):
        if role in roles:
            after[role] = make(before, after, now + draft.lifetime(role))
            _sign(after[role], invited(before, after, role), ring)
    check_whole(after)
    files = {f"targets/{hashed}": content for path, content in draft.files.items() for hashed in _hashed(after, path)}
    written = {role: after[role].to_bytes() for role in sorted(roles, key=lambda role: role == ROOT)}
    for role, content in written.items():
        if len(content) > max_bytes(role):
            raise Refused(
                f"{role} would have {len(content)} bytes, and boards read at most {max_bytes(role)}",
                remedy="Withdraw models that no board needs: ductwatch ota revoke MODEL --from CHANNEL",
            )
    return files | {f"metadata/{name_of(after, role)}": content for role, content in written.items()}


def name_of(state: State, role: str) -> str:
    """Of a role's file. The timestamp's is always the same: it says which versions the others have."""
    return "timestamp.json" if role == TIMESTAMP else f"{state[role].signed.version}.{role}.json"


def check_timely(before: State, draft: Draft, now: datetime) -> None:
    """Raises `Refused` if the draft does not follow what is published, or is over before it begins."""
    for role, metadata in draft.metadata.items():
        version = metadata.signed.version
        if version != _version(before, role):
            raise Refused(
                f"version {version} of {role} was prepared, and the next one is {_version(before, role)}",
                remedy="It was merged already, or something else was published since: then prepare it again",
            )
        if metadata.signed.expires <= now:
            raise Refused(f"{role} expired on {metadata.signed.expires:%Y-%m-%d}", remedy="Prepare it again")


def check_signed(before: State, draft: Draft) -> None:
    """Raises `Unsigned`, naming who must sign, if any role of the draft is below its threshold."""
    lacking = list(missing(before, draft))
    if lacking:
        raise Unsigned(
            "; ".join(map(str, lacking)), remedy="Have it signed: ductwatch ota sign CEREMONY --key THEIR_KEY"
        )


def missing(before: State, draft: Draft) -> Iterator[Lacking]:
    """Each role, and of a new root each quorum, that too few have signed."""
    after = {**before, **draft.metadata}
    for role, metadata in draft.metadata.items():
        for state in (after, before)[: len(quorums(before, after, role))]:
            result = delegator(state, role).get_verification_result(role, metadata.signed_bytes, metadata.signatures)
            if not result:
                yield Lacking(role, tuple(result.signed.values()), tuple(result.unsigned.values()), result.threshold)


def check_whole(state: State) -> None:
    """Raises `Refused` if a role is not signed as the state itself demands, or the versions do not fit together."""
    roles = (ROOT, TARGETS, *channels(state), *ONLINE)
    if len(channels(state)) > MOST_CHANNELS:
        raise Refused(f"there are more than {MOST_CHANNELS} channels", remedy="Boards follow no more of them")
    for role in roles:
        try:
            delegator(state, role).verify_delegate(role, state[role].signed_bytes, state[role].signatures)
        except UnsignedMetadataError as error:
            raise Refused(f"{error}", remedy="Renew that role, too, in the same step") from error
    for role in (TARGETS, *channels(state)):
        if snapshot(state).meta[f"{role}.json"].version != state[role].signed.version:
            raise Refused(f"the snapshot has another version of {role}", remedy="Restore the folder from its server")


def _sign(metadata: Metadata[Any], signers: dict[str, Key], ring: Keyring) -> None:
    for keyid, key in signers.items():
        if keyid not in metadata.signatures and ring.at_hand(keyid):
            add_signature(metadata, key, ring)


def _snapshot(before: State, after: State, expires: datetime) -> Metadata[Any]:
    listed = {
        f"{role}.json": _described(after[role])
        if SNAPSHOT not in before or after[role] is not before.get(role)
        else snapshot(before).meta[f"{role}.json"]
        for role in (TARGETS, *channels(after))
    }
    return Metadata(Snapshot(version=_version(before, SNAPSHOT), expires=expires, meta=listed))


def _timestamp(before: State, after: State, expires: datetime) -> Metadata[Any]:
    described = _described(after[SNAPSHOT])
    return Metadata(Timestamp(version=_version(before, TIMESTAMP), expires=expires, snapshot_meta=described))


def _version(before: State, role: str) -> int:
    return before[role].signed.version + 1 if role in before else 1


def _described(metadata: Metadata[Any]) -> MetaFile:
    return MetaFile.from_data(metadata.signed.version, metadata.to_bytes(), ["sha256"])


def _hashed(state: State, path: str) -> list[str]:
    channel = path.partition("/")[0]
    paths: list[str] = state[channel].signed.targets[path].get_prefixed_paths()
    return paths


def _list(keys: tuple[Key, ...]) -> str:
    return ", ".join(titled(key) for key in keys) or "nobody"
