"""One visit to a repository by python-tuf's client, on a copy of what the board has. The one door of `tuf.ngclient`.

ngclient makes TUF's decisions, but syncs nothing that it writes, and has no hook for the clock: what it leaves is
looked at again by `ota.chain` before any of it lasts.
"""

from __future__ import annotations

import http
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Generic, TypeVar

from tuf.api import exceptions
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from ota.clock_floor import expired
from ota.errors import OtaError, Unreachable, Untrusted
from ota.repository import Repository

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
OLDER_REMEDY: Final = "Get a newer copy. If nobody made an old one, somebody keeps news from this board"
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


BOARD: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk(Generic[T]):
    """What was found, or how it failed; the files as they are then; and which targets were looked for."""

    found: T | None
    failure: OtaError | None
    files: Files
    paths: frozenset[str]


def walk(
    root: bytes,
    files: Files,
    repository: Repository,
    find: Callable[[LookUp], T],
    *,
    limits: Limits,
    scratch: Path,
    now: datetime,
) -> Walk[T]:
    """From `root` on, with `files` as what there is already, in a folder made below `scratch`. Raises OSError."""
    found, failure = None, None
    paths: set[str] = set()
    fetcher = _Fetcher(repository, limits)
    with TemporaryDirectory(dir=scratch, prefix="trust-") as name:
        folder = Path(name)
        _lay(folder, files)
        try:
            updater = Updater(str(folder), METADATA, fetcher=fetcher, config=_config(limits), bootstrap=root)
            updater.refresh()
            found = find(_noting(paths, updater.get_targetinfo))
        except (exceptions.RepositoryError, exceptions.DownloadError, OtaError, *UNCHECKED) as error:
            failure = _in_our_words(error, fetcher.asked, now)
        return Walk(found=found, failure=failure, files=_collect(folder), paths=frozenset(paths))


def _noting(paths: set[str], look_up: LookUp) -> LookUp:
    def look_up_and_note(path: str) -> TargetFile | None:
        paths.add(path)
        return look_up(path)

    return look_up_and_note


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


def _in_our_words(error: Exception, asked: str, now: datetime) -> OtaError:
    match error:
        case OtaError():
            return error
        case exceptions.ExpiredMetadataError():
            return expired(str(error), now=now, wall=now)
        case exceptions.DownloadError() if not isinstance(error, exceptions.DownloadLengthMismatchError):
            return Unreachable(f"the repository is not whole: {_first_line(error)}", remedy=WHOLE_REMEDY)
        case exceptions.BadVersionNumberError() if str(error).startswith("New "):
            said = f"the repository is older than what this board has seen, at {asked}: {_first_line(error)}"
            return Untrusted(said, remedy=OLDER_REMEDY)
        case _:
            return Untrusted(f"the repository is not to be trusted, at {asked}: {_first_line(error)}", remedy=REMEDY)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
