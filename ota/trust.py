"""What a repository offers, believed only as far as TUF proves it. The one door of `tuf.ngclient`.

Synchronous: it waits for the network and for the disk, so call it by `asyncio.to_thread`, one call at a time in one
process. Each call is one visit to the repository, whole in itself: nothing is remembered but what is on the disk.
"""

from __future__ import annotations

import http
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar, cast
from urllib.parse import unquote

from tuf.api import exceptions
from tuf.api.metadata import Root, TargetFile
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from ota.chain import Proved, authorities, chain, judged
from ota.clock_floor import effective_now, expired
from ota.clock_floor import raised as raised_time
from ota.errors import NoRoom, OtaError, Unreachable, Untrusted
from ota.floors import Floor, Floors, raised, read_floors, write_floors
from ota.offer import offered
from ota.repository import Repository
from ota.storage import Disk
from ota.types import Release

T = TypeVar("T")
LookUp = Callable[[str], TargetFile | None]
Files = Mapping[str, bytes]  # by name below `metadata/`, as ngclient lays them out

METADATA: Final = "metadata/"
ROOT_HISTORY: Final = "root_history/"
ROOT: Final = "root.json"
ORDER: Final = {ROOT: 0, "timestamp.json": 1, "snapshot.json": 2, "targets.json": 3}
UNCHECKED: Final = (TypeError, ValueError, AttributeError, LookupError)
"""What ngclient stumbles over in metadata that is signed and yet no metadata, as a role whose name is a number."""
REMEDY: Final = (
    "This board keeps what it has. Check the repository's address, and that no portal answers in its place; "
    "if both are right, its publisher has to look at it"
)
WHOLE_REMEDY: Final = "Check the repository's address, and that it was copied whole; it tries again later"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one file of each role, and of the walk. A repository of three channels and ten models takes a tenth."""

    root_bytes: int = 20_000
    timestamp_bytes: int = 4_000
    snapshot_bytes: int = 20_000
    targets_bytes: int = 200_000
    delegations: int = 8  # roles asked for one target, the channel's being the second
    root_rotations: int = 64  # since the firmware was built; a root a year is usual

    @property
    def largest(self) -> int:
        return max(self.root_bytes, self.timestamp_bytes, self.snapshot_bytes, self.targets_bytes)

    def of(self, name: str) -> int:
        """Of the file `name`, as `metadata/3.snapshot.json`."""
        role = re.sub(r"^(\d+\.)?(.*)\.json$", r"\2", name.rpartition("/")[2])
        named = {"root": self.root_bytes, "timestamp": self.timestamp_bytes, "snapshot": self.snapshot_bytes}
        return named.get(role, self.targets_bytes)


class Trust:
    """The board's memory of a repository, in `folder`: `metadata/` as ngclient lays it out, and the floors beside it.

    `root` is the root metadata shipped with the firmware, where each visit begins; `built` is when that was. ngclient,
    which syncs nothing, works on copies in a folder made below `scratch` (may be in RAM; it takes at most a few times
    the limits). What it took is written back through `disk`, after the checks that ngclient does not make.
    Without `clock_floor` the time is what the caller says: for tests that set it back. Raises `Untrusted`.
    """

    def __init__(
        self,
        folder: Path,
        disk: Disk,
        root: bytes,
        *,
        built: datetime,
        scratch: Path,
        limits: Limits = Limits(),
        clock_floor: bool = True,
    ) -> None:
        if next(chain({Root.type: root}), None) is None:
            raise Untrusted("the root that this firmware came with proves nothing", remedy="Install the firmware again")
        self._folder, self._disk, self._root = folder, disk, root
        self._built, self._scratch, self._limits, self._clock_floor = built, scratch, limits, clock_floor

    def release(self, repository: Repository, channel: str, model: str, now: datetime) -> Release | None:
        """What `channel` offers of `model`, at `now` by the wall clock; None where it offers none.

        Raises `Untrusted`, `Unreachable` or `NoRoom`. When it returns, no power cut makes the board believe less.
        """
        found, believed, floors = self._visit(repository, lambda look_up: offered(look_up, channel, model), now)
        if found is not None:
            self._write({}, _with_counter(floors, found, believed))
        return found

    def refresh(self, repository: Repository, find: Callable[[LookUp], T], now: datetime) -> T:
        """Bring the trusted metadata up to date, and return what `find` finds among its targets. Raises as above."""
        return self._visit(repository, find, now)[0]

    def _visit(
        self, repository: Repository, find: Callable[[LookUp], T], now: datetime
    ) -> tuple[T, list[Proved], Floors]:
        """What was proved before a failure is kept: who withholds a file cannot hide that a key was revoked."""
        floors = read_floors(self._disk, self._folder)
        earliest = effective_now(now, built=self._built, trusted=floors.time) if self._clock_floor else now
        before = self._read()
        found, failure, after = self._walk(repository, find, before, now)
        believed, floors, problem = judged(chain(_by_role(after)), floors, now=earliest, wall=now)
        failure = failure or problem
        if failure is None:
            floors = replace(floors, time=raised_time(floors.time, earliest))
        names = {role.name for role in believed}
        self._write(
            {name: new for name, new in after.items() if new != before.get(name) and _role(name) in names}, floors
        )
        if failure is not None:
            raise failure
        return cast("T", found), believed, floors

    def _walk(
        self, repository: Repository, find: Callable[[LookUp], T], before: Files, now: datetime
    ) -> tuple[T | None, OtaError | None, Files]:
        """Let ngclient do its work on a copy of `before`: what it found or how it failed, and the files afterwards."""
        found, failure = None, None
        fetcher = _Fetcher(repository, self._limits)
        try:
            with TemporaryDirectory(dir=self._scratch, prefix="trust-") as name:
                folder = Path(name)
                _lay(folder, before)
                try:
                    updater = Updater(
                        str(folder),
                        METADATA,
                        fetcher=fetcher,
                        config=_config(self._limits),
                        bootstrap=self._root,
                    )
                    updater.refresh()
                    found = find(updater.get_targetinfo)
                except (exceptions.RepositoryError, exceptions.DownloadError, OtaError, *UNCHECKED) as error:
                    failure = _in_our_words(error, fetcher.asked, now)
                return found, failure, _collect(folder)
        except OSError as error:
            raise _no_room(error) from error

    def _read(self) -> Files:
        """What is too long for any role, or cannot be read, is as good as lost."""
        files = {}
        for below in ("", ROOT_HISTORY):
            folder = self._folder / METADATA / below
            for name in self._names(folder):
                content = self._content(folder / name)
                if content is not None:
                    files[below + name] = content
        return files

    def _names(self, folder: Path) -> list[str]:
        try:
            return [name for name in self._disk.names(folder) if name.endswith(".json")]
        except OSError:
            return []

    def _content(self, path: Path) -> bytes | None:
        try:
            content = self._disk.read(path, self._limits.largest)
        except OSError:
            return None
        return content if content is not None and len(content) <= self._limits.largest else None

    def _write(self, changed: Files, floors: Floors) -> None:
        """The floors first: a power cut in between leaves old metadata, which the repository makes new again.

        The folders are synced also where nothing changed: a process that was killed may have left names that do not
        last yet.
        """
        metadata = self._folder / METADATA
        try:
            self._disk.make_folder(metadata / ROOT_HISTORY)
            write_floors(self._disk, self._folder, floors)
            for name, content in changed.items():
                self._disk.replace(metadata / name, content)
            for folder in (metadata / ROOT_HISTORY, metadata, self._folder, self._folder.parent):
                self._disk.sync(folder)
        except OSError as error:
            raise _no_room(error) from error


def _with_counter(floors: Floors, release: Release, believed: list[Proved]) -> Floors:
    role = _vouching(believed, release.target.path)
    seen = Floor(least=release.counter, proofs={role.name: role.signers})
    what = f"{release.target.path}: release counter"
    return replace(floors, counters=raised(floors.counters, release.model, seen, authorities(believed), what=what))


def _vouching(believed: list[Proved], path: str) -> Proved:
    """The first role of the walk that has `path`. There is one, unless ngclient walked otherwise than `chain`."""
    for role in believed:
        if path in role.targets:
            return role
    raise Untrusted(f"{path}: no role that was proved offers it", remedy=REMEDY)


class _Fetcher(FetcherInterface):
    """The repository as ngclient asks for it. Lengths that metadata promises never raise a limit."""

    def __init__(self, repository: Repository, limits: Limits) -> None:
        self._repository, self._limits = repository, limits
        self.asked = "the root that it came with"

    def download_bytes(self, url: str, max_length: int) -> bytes:
        self.asked = url
        limit = min(max_length, self._limits.of(url))
        content = self._repository.read(url, limit)
        if content is None:
            raise exceptions.DownloadHTTPError(f"{url} is not there", http.HTTPStatus.NOT_FOUND)
        if len(content) > limit:
            raise exceptions.DownloadLengthMismatchError(f"{url} has more than the {limit} bytes that it may have")
        return content

    def _fetch(self, url: str) -> Iterator[bytes]:
        """Of `FetcherInterface`; only for targets, which ngclient is not asked for."""
        yield self.download_bytes(url, self._limits.largest)


def _config(limits: Limits) -> UpdaterConfig:
    return UpdaterConfig(
        max_root_rotations=limits.root_rotations,
        max_delegations=limits.delegations,
        root_max_length=limits.root_bytes,
        timestamp_max_length=limits.timestamp_bytes,
        snapshot_max_length=limits.snapshot_bytes,
        targets_max_length=limits.targets_bytes,
    )


def _lay(folder: Path, files: Files) -> None:
    (folder / ROOT_HISTORY).mkdir()
    for name, content in files.items():
        if name != ROOT:  # a link, which ngclient makes
            (folder / name).write_bytes(content)


def _collect(folder: Path) -> Files:
    """In the order in which they are believed, and so are written."""
    history = sorted((folder / ROOT_HISTORY).iterdir())
    top = sorted(folder.glob("*.json"), key=lambda path: ORDER.get(path.name, len(ORDER)))
    return {str(path.relative_to(folder)): path.read_bytes() for path in (*history, *top)}


def _role(name: str) -> str:
    return Root.type if name.startswith(ROOT_HISTORY) else unquote(name.removesuffix(".json"))


def _by_role(files: Files) -> Files:
    return {_role(name): content for name, content in files.items() if not name.startswith(ROOT_HISTORY)}


def _in_our_words(error: Exception, asked: str, now: datetime) -> OtaError:
    match error:
        case OtaError():
            return error
        case exceptions.ExpiredMetadataError():
            return expired(str(error), now=now, wall=now)
        case exceptions.DownloadError() if not isinstance(error, exceptions.DownloadLengthMismatchError):
            return Unreachable(f"the repository is not whole: {_first_line(error)}", remedy=WHOLE_REMEDY)
        case _:
            return Untrusted(f"the repository is not to be trusted, at {asked}: {_first_line(error)}", remedy=REMEDY)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _no_room(error: OSError) -> NoRoom:
    return NoRoom(
        f"{error.filename or 'the disk'}: cannot be written ({error.strerror or error})",
        remedy="Make room (see `df -h`), or exchange a card that takes nothing any more",
    )
