"""The repository's folder: read and verified; and replaced so that whoever reads meanwhile sees the old or the new one.

All new files are first written beside it, in the publisher's folder, with a list of them as the last. From then on the
change happens, whatever interrupts it: the next command goes on with it. The timestamp, which all else follows from,
is replaced when all else is there.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, TargetFile

from ota.bundle import MAX_BUNDLE_BYTES
from ota.publish.errors import Refused, Unfinished
from ota.publish.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, max_bytes
from ota.publish.signing import check_whole
from ota.publish.state import State, channels, root, snapshot, targets, timestamp
from ota.storage import Disk

RESTORE = "Restore the folder from its server or a copy, then try again"
LOCK, STAGING, STAGED, ROOT_FOR_BOARDS = "lock", "staging", "staged.json", "root.json"
"""In the publisher's folder."""
MAX_LIST_BYTES = 1_000_000
REMEDIES: Final = {
    errno.ENOSPC: "Make room on that disk",
    errno.EDQUOT: "Make room: what you may store there is used up",
    errno.EACCES: "Look whose it is, and who may write there",
    errno.EPERM: "Look whose it is, and who may write there",
    errno.EROFS: "Mount that disk for writing",
    errno.EIO: "That disk fails, or was pulled out: look at it",
}
"""By what the system says."""


class Decided(NamedTuple):
    """A change that happens from now on, whatever comes: its files, the command that wished it, and what it changes."""

    files: Sequence[str]
    command: str
    changes: Sequence[str]


def remedy(error: OSError) -> str:
    """What a publisher does about a file that cannot be read or written."""
    return REMEDIES.get(error.errno or 0, "Look whether its disk and its folder are there")


def problem(error: OSError) -> str:
    """Which file, and what the system says of it."""
    return f"{error.filename or 'the disk'}: {error.strerror or error}"


class Folder:
    """A repository at `path`, and beside it the publisher's own folder, which is not to be published.

    `command` is kept with each change that is decided, to tell whether it is given again.
    """

    def __init__(self, path: Path, disk: Disk, command: str = "") -> None:
        self.path = path
        self.command = command
        self.own = path.with_name(f"{path.name}.publisher")
        self.disk = disk

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes it meanwhile. Raises `Refused` if somebody does.

        The publisher's folder is made for it, and is gone afterwards if nothing else came into it.
        """
        self.disk.make_folder(self.own)
        handle = os.open(self.own / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock(handle)
            try:
                yield
            finally:
                self._tidy()
        finally:
            os.close(handle)

    def _lock(self, handle: int) -> None:
        busy = Refused(f"another command works on {self.path}", remedy="Wait until it is done")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(handle), (self.own / LOCK).stat()):
                raise busy  # the other one has just removed the file that is locked here
        except (BlockingIOError, FileNotFoundError) as error:
            raise busy from error

    def _tidy(self) -> None:
        if set(self.disk.names(self.own)) <= {LOCK, STAGING} and not self.disk.names(self._staging):
            with suppress(OSError):
                (self.own / LOCK).unlink()
                if self._staging.exists():
                    self._staging.rmdir()
                self.own.rmdir()

    def is_free(self) -> bool:
        """Whether nothing is there that would be published with it."""
        return not self.disk.names(self.path)

    def holds(self, place: Path) -> bool:
        """Whether `place` would be published with it."""
        return place.resolve().is_relative_to(self.path.resolve())

    def is_begun(self) -> bool:
        return (self.path / "metadata" / "timestamp.json").exists()

    def is_interrupted(self) -> bool:
        """Whether a change was decided and is not wholly there."""
        return self.disk.size(self._staging / STAGED) is not None

    def load(self) -> State:
        """What is published, verified from its root down; expired or not. Raises `Refused`."""
        if not self.is_begun():
            metadata = self.path / "metadata"
            if any(map(_is_root, self.disk.names(metadata))):
                raise Refused(
                    f"{metadata / 'timestamp.json'} is missing", remedy="Copy it back from the repository's server"
                )
            raise Refused(
                f"{self.path} is no repository",
                remedy="Name it by --repository, or make a new one: ductwatch ota init DIR",
            )
        state: dict[str, Metadata[Any]] = {ROOT: self._read(f"{self._newest_root()}.root.json", ROOT)}
        try:
            state[TIMESTAMP] = self._read("timestamp.json", TIMESTAMP)
            state[SNAPSHOT] = self._read(f"{timestamp(state).snapshot_meta.version}.snapshot.json", SNAPSHOT)
            state[TARGETS] = self._read(f"{snapshot(state).meta['targets.json'].version}.targets.json", TARGETS)
            for role in channels(state):
                state[role] = self._read(f"{snapshot(state).meta[f'{role}.json'].version}.{role}.json", role)
            check_whole(state)
        except (KeyError, AttributeError) as error:
            raise Refused(f"{self.path}: its files do not fit together ({error})", remedy=RESTORE) from error
        return state

    def target(self, path: str, sha256: str) -> bytes:
        """A published file. Raises `Refused` if it is not there, or other than was signed."""
        folder, _, name = path.rpartition("/")
        file = self.path / "targets" / folder / f"{sha256}.{name}"
        try:
            content = self.disk.read(file, 2 * MAX_BUNDLE_BYTES)
        except OSError as error:
            raise Refused(f"{file}: cannot be read ({error.strerror})", remedy=RESTORE) from error
        if content is None:
            raise Refused(f"{file} is missing", remedy=RESTORE)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Refused(f"{file} is damaged", remedy=RESTORE)
        return content

    def problems(self, state: State) -> list[str]:
        """Files that `state` names, and that are missing, or other than it says: boards would refuse them."""
        metadata, targets_ = self.path / "metadata", self.path / "targets"
        listed: dict[Path, MetaFile | TargetFile] = {
            metadata / f"{each.version}.{name}": each
            for name, each in {"snapshot.json": timestamp(state).snapshot_meta, **snapshot(state).meta}.items()
        }
        listed |= {
            targets_ / place: file
            for role in (TARGETS, *channels(state))
            for file in targets(state, role).targets.values()
            for place in file.get_prefixed_paths()
        }
        roots = (metadata / f"{version}.root.json" for version in range(2, root(state).version))
        lost = [f"{path} is missing: boards that have an older root need it" for path in roots if not path.exists()]
        return lost + [f"{path} {wrong}" for path, file in listed.items() if (wrong := self._wrong(path, file))]

    def _wrong(self, path: Path, file: MetaFile | TargetFile) -> str:
        try:
            length = self.disk.size(path)
            if length is None:
                return "is missing"
            if file.length is not None and length != file.length:
                return f"has {length} bytes, and {file.length} were signed"
            for algorithm, wanted in (file.hashes or {}).items():
                found = hashlib.new(algorithm)
                for piece in self.disk.pieces(path):
                    found.update(piece)
                if found.hexdigest() != wanted:
                    return f"is damaged: its {algorithm} is another than was signed"
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        return ""

    def replace(self, files: Mapping[str, bytes], changes: Sequence[str]) -> None:
        """Write `files`, by their path in the repository, in this order. Raises OSError, or `Unfinished`."""
        with self._decisive():
            try:
                self._decide(files, Decided(list(files), self.command, changes))
            except OSError:
                if not self.is_interrupted():
                    self._forget()  # half a change would take the room that is lacking, perhaps
                raise
        self.resume()

    def resume(self) -> Decided | None:
        """Finish what `replace` has decided, and forget what it has not. What was finished; raises `Unfinished`."""
        with self._decisive():
            decided = self._decided()
            if decided is not None:
                self._carry_out(decided)
            self._forget()
            return decided

    @contextmanager
    def _decisive(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self.is_interrupted():
                raise
            again = "The change is decided: giving the command again, once that is done, finishes it"
            raise Unfinished(problem(error), remedy=f"{remedy(error)}. {again}") from error

    def _decide(self, files: Mapping[str, bytes], decided: Decided) -> None:
        self.disk.make_folder(self._staging)
        for number, content in enumerate(files.values()):
            self.disk.write(self._staging / str(number), content)
            self.disk.sync(self._staging / str(number))
        self.disk.replace(self._staging / STAGED, json.dumps(decided._asdict()).encode())

    def _decided(self) -> Decided | None:
        content = self.disk.read(self._staging / STAGED, MAX_LIST_BYTES)
        if content is None:
            return None
        try:
            return Decided(**json.loads(content))
        except (ValueError, TypeError) as error:
            again = "Remove it, and give the command again: what is published is as it was before that change"
            raise Refused(f"{self._staging / STAGED} is damaged", remedy=again) from error

    def _carry_out(self, decided: Decided) -> None:
        names = decided.files
        for number, name in enumerate(names):
            content = (self._staging / str(number)).read_bytes()
            self.disk.make_folder((self.path / name).parent)
            self.disk.replace(self.path / name, content)
            if _is_root(Path(name).name):
                self.disk.replace(self.own / ROOT_FOR_BOARDS, content)
        for folder in {above for name in names for above in (self.path / name).parents if self._is_ours(above)}:
            self.disk.sync(folder)  # it may be new, and its own name not last yet
        self.disk.remove(self._staging / STAGED)
        self.disk.sync(self._staging)

    def _forget(self) -> None:
        for name in self.disk.names(self._staging):
            self.disk.remove(self._staging / name)

    def _is_ours(self, folder: Path) -> bool:
        return folder.is_relative_to(self.path.parent)

    @property
    def _staging(self) -> Path:
        return self.own / STAGING

    def _newest_root(self) -> int:
        names = self.disk.names(self.path / "metadata")
        return max((int(name.partition(".")[0]) for name in names if _is_root(name)), default=1)

    def _read(self, name: str, role: str) -> Metadata[Any]:
        return read_metadata(self.path / "metadata" / name, role, self.disk)


def read_metadata(path: Path, role: str, disk: Disk) -> Metadata[Any]:
    """Raises `Refused`: no such file, not readable, too large, or of another kind of role."""
    try:
        content = disk.read(path, max_bytes(role))
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror})", remedy=RESTORE) from error
    if content is None:
        raise Refused(f"{path} is missing", remedy=RESTORE)
    if len(content) > max_bytes(role):
        raise Refused(f"{path} has more than {max_bytes(role)} bytes", remedy=RESTORE)
    try:
        metadata: Metadata[Any] = Metadata.from_bytes(content)
    except RepositoryError as error:
        raise Refused(f"{path} is damaged ({error})", remedy=RESTORE) from error
    if metadata.signed.type != (role if role in (ROOT, SNAPSHOT, TIMESTAMP) else TARGETS):
        raise Refused(f"{path} is no metadata of {role}", remedy=RESTORE)
    return metadata


def _is_root(name: str) -> bool:
    version, _, rest = name.partition(".")
    return rest == "root.json" and version.isdecimal()
