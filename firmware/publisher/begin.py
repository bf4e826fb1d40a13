"""`ductwatch ota init` and `ductwatch ota key`: keys and a repository where there are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from securesystemslib.signer import SSlibKey

from firmware.publisher.desk import DONE, KEYS, NOT_DONE, Desk
from firmware.publisher.passphrases import ONLINE_PASSPHRASE, PASSPHRASE
from ota.publish import drafts, keyring, keys
from ota.publish.errors import Refused
from ota.publish.files import Folder
from ota.publish.keyring import Keyring
from ota.publish.roles import ALL, LIFETIMES, ONLINE, QUORUMS, Quorum
from ota.storage import Disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Of one role: its quorum, keys that are there (files or URIs), and files that are to be made."""

    quorum: Quorum
    there: Sequence[str]
    made: Sequence[Path]

    @property
    def is_signable(self) -> bool:
        """Whether enough private keys are at hand, or will be."""
        private = [where for where in self.there if keys.is_uri(where) or keys.is_private(Path(where))]
        return len(private) + len(self.made) >= self.quorum.threshold

    def __str__(self) -> str:
        there = f" {', '.join(self.there)}" if self.there else ""
        made = f" new: {', '.join(path.name for path in self.made)}" if self.made else ""
        return f"{self.quorum.threshold} of {self.quorum.keys} keys must sign:{there}{made}"


def make_key(desk: Desk) -> int:
    """A keyholder's own key. Only its public half leaves their hands."""
    file: Path = desk.arguments.file
    beside = file.with_name(file.name + ".pub") if file.suffix != ".pem" else file.with_suffix(".pub")
    files: Sequence[Path] = desk.arguments.passphrase_files
    passphrase = desk.secrets.new(str(file), files[0] if files else None, PASSPHRASE)
    key = keys.make(file, passphrase)
    desk.disk.replace(beside, keys.public_pem(key))
    desk.tell(
        {"private": str(file), "public": str(beside), "keyid": key.keyid},
        f"{file} is your key {key.keyid[:8]}: keep it, and a copy elsewhere. Nobody else needs it.",
        f"{beside} is its public half: give that to whoever publishes.",
    )
    return DONE


def init(desk: Desk) -> int:
    """Keys that are there already, from a command that was interrupted, are taken as they are."""
    with desk.repository() as folder:
        if folder.is_begun():
            raise Refused(f"{folder.path} is a repository already", remedy="Name a new folder, or use this one")
        if not folder.is_free():
            raise Refused(f"{folder.path} is not empty", remedy="All in it would be published: name a new folder")
        chosen = _chosen(desk, folder)
        lines = [f"  {role:<9} valid {LIFETIMES[role].days} days, {each}" for role, each in chosen.items()]
        if not desk.agreed([f"A new repository in {folder.path}:", *lines]):
            return NOT_DONE
        with _undone_if_in_vain(folder) as undo:
            places, known = _keys(desk, chosen, undo)
            undo.callback(_put_back, folder.own / KEYS, desk.disk.read(folder.own / KEYS, keyring.MAX_BYTES), desk.disk)
            keyring.save(folder.own / KEYS, places, desk.disk)
            draft = drafts.begun({role: (chosen[role].quorum.threshold, known[role]) for role in chosen}, desk.now)
            if desk.arguments.ceremony is not None:
                return desk.lay_out(desk.place(folder), {}, draft)
            return desk.sign_and_write(folder, {}, draft, Keyring(places, desk.secrets))


@contextmanager
def _undone_if_in_vain(folder: Folder) -> Iterator[ExitStack]:
    """What is put on the stack happens if an error or Ctrl-C comes before the repository is decided."""
    with ExitStack() as undo:
        made = False
        try:
            yield undo
            made = True
        finally:
            if made or folder.is_interrupted() or folder.is_begun():
                undo.pop_all()


def _put_back(path: Path, content: bytes | None, disk: Disk) -> None:
    if content is None:
        disk.remove(path)
    else:
        disk.replace(path, content)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _chosen(desk: Desk, folder: Folder) -> dict[str, Chosen]:
    arguments = desk.arguments
    place: Path = (arguments.keys or folder.path.with_name(f"{folder.path.name}.keys")).absolute()
    if folder.holds(place):
        raise Refused(f"{place} is inside of {folder.path}", remedy="Keys would be published: name another folder")
    for where in (where for _, where in arguments.role_keys if not keys.is_uri(where)):
        if folder.holds(Path(where)):
            raise Refused(f"{where} is inside of {folder.path}", remedy="It would be published: move it elsewhere")
    quorums = {**QUORUMS, **{role: Quorum(threshold, count) for role, threshold, count in arguments.signers}}
    named: dict[str, list[str]] = {role: [] for role in ALL}
    for role, where in arguments.role_keys:
        named.setdefault(role, []).append(where)
    for role in (*quorums, *named):
        if role not in ALL:
            raise Refused(f"there is no role {role}", remedy=f"There are {', '.join(ALL)}")
    chosen = {role: _of_role(role, quorums[role], named[role], place) for role in ALL}
    for role, each in chosen.items():
        if not each.is_signable and (arguments.ceremony is None or role in ONLINE):
            raise Refused(
                f"too few private keys of {role} are here to sign it",
                remedy="Add --ceremony FOLDER, for their keepers to sign; keys of snapshot and timestamp must be here",
            )
    return chosen


def _of_role(role: str, quorum: Quorum, there: Sequence[str], place: Path) -> Chosen:
    if len(there) > quorum.keys:
        raise Refused(
            f"{role} has {len(there)} keys, and {quorum.keys} were to be",
            remedy=f"Say how many must sign: --signers {role}={quorum.threshold}/{len(there)}",
        )
    names = [role] if quorum.keys == 1 else [f"{role}-{number}" for number in range(1, quorum.keys + 1)]
    files = [place / f"{name}.pem" for name in names[len(there) :]]
    found = [str(path) for path in files if path.exists()]
    return Chosen(quorum=quorum, there=[*there, *found], made=[path for path in files if not path.exists()])


def _keys(
    desk: Desk, chosen: Mapping[str, Chosen], undo: ExitStack
) -> tuple[dict[str, str], dict[str, list[SSlibKey]]]:
    """Where each private key is, by keyid, and the public ones by role. What is made goes when `undo` is called."""
    files: Sequence[Path] = desk.arguments.passphrase_files
    wanted = {role in ONLINE for role, each in chosen.items() if each.made}
    phrases = {
        online: desk.secrets.new(
            f"the keys of {' and '.join(ONLINE)}" if online else "all other keys",
            desk.arguments.online_passphrase_file if online else (files[0] if files else None),
            ONLINE_PASSPHRASE if online else PASSPHRASE,
        )
        for online in sorted(wanted)
    }
    for phrase in phrases.values():
        keys.check_passphrase(phrase)
    places: dict[str, str] = {}
    known: dict[str, list[SSlibKey]] = {role: [] for role in chosen}
    for role, where in [(role, where) for role, each in chosen.items() for where in each.there]:
        place, key = keys.public(where, desk.secrets)
        if any(key.keyid == other.keyid for others in known.values() for other in others):
            raise Refused(f"{where} has a role already", remedy="Each role has keys of its own: name another")
        keys.named(key, keys.name_of(where))
        known[role].append(key)
        places |= {key.keyid: place} if place else {}
    for role, path in [(role, path) for role, each in chosen.items() for path in each.made]:
        if not path.parent.exists():
            undo.callback(_remove_if_empty, path.parent)
        undo.callback(path.unlink, missing_ok=True)
        key = keys.make(path, phrases[role in ONLINE])
        keys.named(key, keys.name_of(str(path)))
        known[role].append(key)
        places[key.keyid] = str(path)
    return places, known
