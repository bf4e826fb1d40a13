"""A folder in which a draft goes round among keyholders: what is to be signed, what it replaces, and who has signed.

`metadata/ROLE.json` is to be signed, `before/` what is published, `targets/` the new files, `summary.txt` for people.
Each signature is a file of its own, `signatures/ROLE.KEYID.json`, so that copies of the folder can be put together.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key, Signature
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata

from ota.bundle import MAX_BUNDLE_BYTES
from ota.publish.drafts import Draft
from ota.publish.errors import Refused
from ota.publish.files import read_metadata
from ota.publish.keyring import Keyring
from ota.publish.roles import ONLINE, ROOT, TARGETS
from ota.publish.signing import add_signature, check_whole, invited
from ota.publish.state import State, keys, titled
from ota.storage import HALF, Disk

AGAIN = "Get the folder again from whoever prepared it"
SUMMARY = "summary.txt"
MOST_FILES = 64  # roles, signatures, or targets
MAX_SIGNATURE_BYTES = 4_000  # of RSA with 4096 bits in hexadecimal: 1 kB


def write(folder: Path, before: State, draft: Draft, summary: str, disk: Disk) -> None:
    """Make the folder, whole or not at all. Raises `Refused` if there is something at its place."""
    if folder.exists():
        raise Refused(f"{folder} is there already", remedy="Name a new folder for the ceremony")
    half = folder.with_name(folder.name + HALF)
    if half.exists():
        shutil.rmtree(half)
    for sub in ("metadata", "before", "targets", "signatures"):
        disk.make_folder(half / sub)
    for role, metadata in draft.metadata.items():
        disk.write(half / "metadata" / f"{role}.json", metadata.to_bytes())
    for role, metadata in before.items():
        disk.write(half / "before" / f"{role}.json", metadata.to_bytes())
    for path, content in draft.files.items():
        disk.make_folder((half / "targets" / path).parent)
        disk.write(half / "targets" / path, content)
    disk.write(half / SUMMARY, summary.encode())
    disk.rename(half, folder)


def read(folders: Sequence[Path], disk: Disk) -> tuple[State, Draft]:
    """The state before, and the draft with all valid signatures that lie in any of the copies. Raises `Refused`.

    A signature that is damaged or by somebody who has no say is refused, too: it would be missed later.
    """
    first, *copies = folders
    for folder in folders:
        if not (folder / SUMMARY).is_file():
            raise Refused(f"{folder} is no ceremony", remedy="Name the folder that --ceremony has made")
    before = _state(first / "before", disk)
    if before:
        check_whole(before)
    metadata = _state(first / "metadata", disk)
    if not metadata or set(metadata) & set(ONLINE):
        raise Refused(f"{first} holds nothing that people sign", remedy=AGAIN)
    for copy in copies:
        other = _state(copy / "metadata", disk)
        if {role: each.signed_bytes for role, each in other.items()} != {
            role: each.signed_bytes for role, each in metadata.items()
        }:
            raise Refused(f"{copy} is of another ceremony than {first}", remedy="Merge only copies of one folder")
    draft = Draft(metadata=metadata, files=_files(first / "targets", metadata))
    for folder in folders:
        for role, signature in _signatures(folder / "signatures", disk):
            _accept(before, draft, role, signature)
    return before, draft


def sign(
    folder: Path, before: State, draft: Draft, keyids: Iterable[str], ring: Keyring, disk: Disk
) -> list[tuple[str, Key]]:
    """Sign with these keys every role that they have a say in, and lay it down. Each role with the key that signed it
    now, without what was signed before."""
    after = {**before, **draft.metadata}
    signed = []
    for keyid in keyids:
        for role in roles_of(before, draft, keyid):
            metadata = draft.metadata[role]
            if keyid in metadata.signatures:
                continue
            key = invited(before, after, role)[keyid]
            signature = add_signature(metadata, key, ring)
            content = json.dumps(signature.to_dict(), sort_keys=True).encode()
            disk.replace(folder / "signatures" / f"{role}.{keyid}.json", content)
            signed.append((role, key))
    return signed


def roles_of(before: State, draft: Draft, keyid: str) -> list[str]:
    """The roles of the draft that the key may sign."""
    after = {**before, **draft.metadata}
    return [role for role in draft.metadata if keyid in invited(before, after, role)]


def known(before: State, draft: Draft, keyid: str) -> Iterator[str]:
    """What else the key signs, in words."""
    for state in (before, draft.metadata):
        if ROOT in state and TARGETS in state:
            yield from (f"{titled(key)} signs {role}" for role, key in keys(state) if key.keyid == keyid)


def _state(folder: Path, disk: Disk) -> State:
    return {role: read_metadata(folder / f"{role}.json", role, disk) for role in _stems(folder, disk)}


def _stems(folder: Path, disk: Disk) -> Iterable[str]:
    names = [name for name in disk.names(folder) if name.endswith(".json")]
    if len(names) > MOST_FILES:
        raise Refused(f"{folder} has more than {MOST_FILES} files", remedy=AGAIN)
    stems = [name.removesuffix(".json") for name in names]
    return sorted(stems, key=lambda role: role != ROOT)


def _files(folder: Path, metadata: State) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(paths) > MOST_FILES:
        raise Refused(f"{folder} has more than {MOST_FILES} files", remedy=AGAIN)
    found = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            entry = metadata[name.partition("/")[0]].signed.targets[name]
            with path.open("rb") as file:
                found[name] = file.read(2 * MAX_BUNDLE_BYTES)
            entry.verify_length_and_hashes(found[name])
        except (KeyError, AttributeError, RepositoryError) as error:
            raise Refused(f"{path} is not what the metadata describes", remedy=AGAIN) from error
    return found


def _signatures(folder: Path, disk: Disk) -> Iterator[tuple[str, Signature]]:
    for stem in _stems(folder, disk):
        content = disk.read(folder / f"{stem}.json", MAX_SIGNATURE_BYTES) or b""
        try:
            yield stem.partition(".")[0], Signature.from_dict(json.loads(content))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(f"{folder / stem}.json is no signature", remedy="Have it signed again") from error


def _accept(before: State, draft: Draft, role: str, signature: Signature) -> None:
    after = {**before, **draft.metadata}
    metadata: Metadata[Any] | None = draft.metadata.get(role)
    key = invited(before, after, role).get(signature.keyid) if metadata else None
    if metadata is None or key is None:
        raise Refused(f"{role} is not signed by a key {signature.keyid[:8]}", remedy="Remove that signature")
    try:
        key.verify_signature(signature, metadata.signed_bytes)
    except UnverifiedSignatureError as error:
        raise Refused(f"the signature of {titled(key)} on {role} is false", remedy="Have it signed again") from error
    metadata.signatures[signature.keyid] = signature
