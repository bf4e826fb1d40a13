"""What a repository offers, believed only as far as TUF proves it, and as this board has seen nothing newer.

Synchronous: it waits for the network and for the disk, so call it by `asyncio.to_thread`, one call at a time in one
process. Each call is one visit to the repository, whole in itself: nothing is remembered but what is on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import unquote

from ota.chain import ROOT, Proved, authorities, chain, judged
from ota.clock_floor import effective_now
from ota.clock_floor import raised as raised_time
from ota.errors import NoRoom, Untrusted
from ota.floors import Floor, Floors, raised, read_floors, write_floors
from ota.offer import offered
from ota.repository import Repository
from ota.storage import Disk
from ota.types import Release
from ota.walk import BOARD, METADATA, REMEDY, ROOT_HISTORY, Files, LookUp, walk
from ota.walk import Limits as Limits

T = TypeVar("T")


class Trust:
    """The board's memory of a repository, in `folder`: `metadata/` as ngclient lays it out, and the floors beside it.

    A folder belongs to one publisher: what is below its floors is refused, also under another root. `root` is the root
    metadata shipped with the firmware, where each visit begins; `built` is when that was. ngclient works on copies in
    a folder made below `scratch`, which takes a few times the limits: one that is empty after a boot (/tmp in RAM), as
    a power cut leaves it there. What it took is written back through `disk`, after the checks that it does not make.
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
        limits: Limits = BOARD,
        clock_floor: bool = True,
    ) -> None:
        if next(chain({ROOT: root}, ()), None) is None:
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
        try:
            done = walk(self._root, before, repository, find, limits=self._limits, scratch=self._scratch, now=now)
        except OSError as error:
            raise _no_room(error) from error
        believed, floors, problem = judged(chain(_by_role(done.files), done.paths), floors, now=earliest, wall=now)
        failure = done.failure or problem
        if failure is None:
            floors = replace(floors, time=raised_time(floors.time, earliest))
        self._write(_changed(before, done.files, believed), floors)
        if failure is not None:
            raise failure
        return cast("T", done.found), believed, floors

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


def _changed(before: Files, after: Files, believed: Iterable[Proved]) -> Files:
    """Of `after`, what is not as `before`, and of a role that is believed."""
    names = {role.name for role in believed}
    return {name: new for name, new in after.items() if new != before.get(name) and _role(name) in names}


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


def _role(name: str) -> str:
    return ROOT if name.startswith(ROOT_HISTORY) else unquote(name.removesuffix(".json"))


def _by_role(files: Files) -> Files:
    return {_role(name): content for name, content in files.items() if not name.startswith(ROOT_HISTORY)}


def _no_room(error: OSError) -> NoRoom:
    return NoRoom(
        f"{error.filename or 'the disk'}: cannot be written ({error.strerror or error})",
        remedy="Make room (see `df -h`), or exchange a card that takes nothing any more",
    )
