"""A board's memory of a repository, and what may happen to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from ota.folder import Folder
from ota.repository import Repository
from ota.storage import Disk
from ota.trust import Trust
from ota.types import Release
from tests.ota.repository import MODEL, NOW

BUILT = NOW - timedelta(days=100)


class QuickDisk(Disk):
    """For tests in which the power stays on."""

    def sync(self, path: Path) -> None:
        pass


class Board:
    def __init__(self, home: Path, root: bytes) -> None:
        self.folder = home / "ota"
        self.scratch = home / "scratch"
        self.scratch.mkdir(parents=True)
        self.root, self.built = root, BUILT

    def trust(self, disk: Disk | None = None, *, clock_floor: bool = True) -> Trust:
        """As after a restart: all that it knows is on the disk."""
        return Trust(
            self.folder, disk or QuickDisk(), self.root, built=self.built, scratch=self.scratch, clock_floor=clock_floor
        )

    def ask(
        self, repository: Path | Repository, *, channel: str = "stable", now: datetime = NOW, disk: Disk | None = None
    ) -> Release | None:
        source = Folder(repository) if isinstance(repository, Path) else repository
        return self.trust(disk).release(source, channel, MODEL, now)

    def counter(self, repository: Path | Repository, *, now: datetime = NOW, disk: Disk | None = None) -> int:
        release = self.ask(repository, now=now, disk=disk)
        assert release is not None
        return release.counter

    def copy(self, home: Path) -> Board:
        """One with the same memory."""
        other = Board(home, self.root)
        shutil.copytree(self.folder, other.folder)
        return other

    def kept(self) -> dict[str, Path]:
        """The files that last, by name below its folder."""
        return {str(path.relative_to(self.folder)): path for path in sorted(self.folder.rglob("*")) if path.is_file()}


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def torn(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def lost(path: Path) -> None:
    path.unlink()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "zeroed": zeroed,
    "torn": torn,
    "emptied": emptied,
    "lost": lost,
}
