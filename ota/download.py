"""Brings the bytes of a target into a file: whole and as signed, or another piece of them each time, across reboots.

A part is named by the hash of its target, so that it goes on from any repository, and never with another file's bytes.
The content is looked at only once it is whole: a part that turns out wrong is begun anew, once, if some of it was here
from before; else the repository does not have what was signed. No more than the signed length is ever read.

What lasts: a part is synced each `sync_bytes`, and when its fetching ends, however it ends. A power cut in between
costs what came since; on a file system that leaves zeros at the end of a file then, all of it, as its hash is wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from ota.errors import NoRoom, Unreachable, Untrusted
from ota.pace import CHUNK_BYTES, CLOCKS, LATER, Clocks, Pace, Spent, Stopped, Visit
from ota.repository import Elsewhere, Repository, stored_at
from ota.storage import Disk
from ota.types import Target

PART: Final = ".part"
SPENT: Final = "spent.json"
MAX_SPENT_BYTES: Final = 200
SYNC_BYTES: Final = 1024 * 1024
SPARE_BYTES: Final = 16 * 1024 * 1024  # of the disk, for those who write alarms and messages

Progress = Callable[[int, int], None]
"""Gets how many bytes are here, and how many there will be."""


class Downloads:
    """The folder of parts, `folder`/part, and what was fetched today, in `folder`/spent.json.

    Not for two threads at once.
    """

    def __init__(
        self,
        folder: Path,
        disk: Disk,
        pace: Pace,
        *,
        clocks: Clocks = CLOCKS,
        sync_bytes: int = SYNC_BYTES,
    ) -> None:
        self._parts = folder / "part"
        self._spent = folder / SPENT
        self._disk = disk
        self._pace = pace
        self._clocks = clocks
        self._sync_bytes = sync_bytes

    def fetch(
        self,
        target: Target,
        repository: Repository,
        *,
        progress: Progress = lambda _here, _all: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Path | None:
        """The file with the target's bytes; it is the caller's to move or to sweep. None as soon as `stopped` says so.

        Raises `Unreachable` (the part stays), `NoRoom` (it stays) and `Untrusted` (it is gone).
        """
        name = stored_at(target)
        part = self._parts / (target.sha256 + PART)
        try:
            return self._fetched(target, repository, name, part, progress, stopped)
        except Stopped:
            return None
        except OSError as error:  # of the disk: those of a repository are Unreachable
            raise NoRoom(f"{part}: {error.strerror or error}", remedy="Make room on the disk, or replace it") from error

    def sweep(self, keep: Collection[str]) -> None:
        """Remove the parts of all targets but of those with these SHA-256. Raises `NoRoom`."""
        try:
            for name in self._disk.names(self._parts):
                if name.removesuffix(PART) not in keep:
                    self._disk.remove(self._parts / name)
        except OSError as error:
            raise NoRoom(f"{self._parts}: {error.strerror or error}", remedy="Look after the disk") from error

    def _fetched(
        self,
        target: Target,
        repository: Repository,
        name: str,
        part: Path,
        progress: Progress,
        stopped: Callable[[], bool],
    ) -> Path:
        self._disk.make_folder(self._parts)
        self._disk.sync(self._parts.parent)
        visit = Visit(self._pace, self._spent_so_far() if repository.metered else None, self._clocks, stopped)
        from_before = self._size_within(part, target.length)
        self._require_room(target, from_before)
        for begun in (from_before, 0):
            try:
                sha256 = self._completed(target, repository, name, part, begun, visit, progress)
            except Elsewhere:
                sha256 = ""
            if sha256 == target.sha256:
                return part
            self._disk.remove(part)
            if not begun:
                break
        raise Untrusted(
            f"{target.path}: what the repository has there is not what was signed",
            remedy="Tell whoever publishes models; nothing was installed",
        )

    def _completed(
        self,
        target: Target,
        repository: Repository,
        name: str,
        part: Path,
        begun: int,
        visit: Visit,
        progress: Progress,
    ) -> str:
        """Its SHA-256, once it is all there."""
        digest = hashlib.sha256()
        for piece in self._disk.pieces(part) if begun else ():
            digest.update(piece)
            visit.watch()
        progress(begun, target.length)
        if begun == target.length:
            return digest.hexdigest()
        visit.listen()
        with repository.open(name, begun, target.length, visit.watch) as answer:
            if answer.first != begun:  # it sends all, so that what is here is not needed
                self._disk.remove(part)
                digest = hashlib.sha256()
            writing = _Writing(self._disk, part, answer.first, self._sync_bytes)
            try:
                while writing.size < target.length:
                    piece = visit.read(answer, target.length - writing.size)
                    if not piece:
                        raise Unreachable(f"{target.path}: the answer ended early", remedy=LATER)
                    digest.update(piece)
                    if writing.add(piece):
                        self._keep(visit.spent)
                    progress(writing.size, target.length)
            finally:
                writing.end()
                self._keep(visit.spent)
        return digest.hexdigest()

    def _size_within(self, part: Path, length: int) -> int:
        """Of what is here from before; one that is too long is of no use."""
        size = self._disk.size(part) or 0
        if size <= length:
            return size
        self._disk.remove(part)
        return 0

    def _require_room(self, target: Target, here: int) -> None:
        free, needed = self._disk.free(self._parts), target.length - here + SPARE_BYTES
        if free < needed:
            said = f"{self._parts}: {target.path} needs {needed} bytes free, with a reserve, and there are {free}"
            raise NoRoom(said, remedy="Make room on the disk")

    def _spent_so_far(self) -> Spent:
        """Nothing, if it cannot be read: it was written whole, so somebody removed or changed it."""
        try:
            day, count = json.loads(self._disk.read(self._spent, MAX_SPENT_BYTES) or b"")
            return Spent(int(day), max(0, int(count)))
        except (ValueError, TypeError, OverflowError, RecursionError):
            return Spent(0, 0)

    def _keep(self, spent: Spent | None) -> None:
        if spent is not None and self._pace.bytes_a_day is not None:
            self._disk.replace(self._spent, json.dumps([spent.day, spent.count]).encode())


class _Writing:
    """A part to which pieces are added, in chunks. `size` counts those, too, that are not on the disk yet."""

    def __init__(self, disk: Disk, part: Path, size: int, sync_bytes: int) -> None:
        self.size = size
        self._sync_bytes = sync_bytes
        self._disk = disk
        self._part = part
        self._chunk = bytearray()
        self._unsynced = 0

    def add(self, piece: bytes) -> bool:
        """Whether all so far will last."""
        self._chunk += piece
        self.size += len(piece)
        if len(self._chunk) >= min(CHUNK_BYTES, self._sync_bytes):
            self._append()
        if self._unsynced < self._sync_bytes:
            return False
        self._sync()
        return True

    def end(self) -> None:
        if self._chunk:
            self._append()
        if self._unsynced:
            self._sync()

    def _append(self) -> None:
        self._disk.append(self._part, bytes(self._chunk))
        self._unsynced += len(self._chunk)
        self._chunk.clear()

    def _sync(self) -> None:
        self._disk.sync(self._part)
        self._disk.sync(self._part.parent)  # its name
        self._unsynced = 0
