"""What a board believes of the repository: decided by `ota.trust`, once for all that have the same state.

All boards of the fleet know the same, ask for the same files and get the same bytes, and then `Trust` decides the same.
So it decides once, on a disk in memory, and notes what it asked for; each board asks the web server for just that, and
its answers are held against what was decided on. Each `CHECKED_EACH`th is decided on anew, from the board's own bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.fleet_release import CHANNEL, MODEL
from firmware import RELEASED
from ota.folder import Folder
from ota.repository import Answer, Watch
from ota.trust import Trust
from ota.types import Release
from tests.fakes.cut_disk import CutDisk

DATA: Final = Path("/data")
HOME: Final = DATA / "ota"
CHECKED_EACH: Final = 100

Files = Mapping[str, bytes | None]
"""By name, as `metadata/timestamp.json`; None for one that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a visit asked for, in this order, what it got, and what came of it. `after`: the board's disk then."""

    names: Sequence[str]
    files: Files
    release: Release
    before: CutDisk
    after: CutDisk


class Beliefs:
    """`root` is what the firmware came with; `scratch` is for ngclient."""

    def __init__(self, root: bytes, scratch: Path) -> None:
        self._root, self._scratch = root, scratch
        self._checked = 0

    def looked(self, repository: Path, disk: CutDisk | None = None) -> Looked:
        """A visit of a board with `disk`, or of a new one."""
        before = disk or CutDisk(DATA)
        noted = _Noted(repository)
        after = before.fork()
        release = self._release(after, noted)
        return Looked(names=tuple(noted.files), files=noted.files, release=release, before=before, after=after)

    def believe(self, expected: Looked, files: Files) -> Release:
        """What a board makes of the `files` that it got. Raises AssertionError if they are not what was expected."""
        assert files == expected.files, "the web server gave a board something else"
        self._checked += 1
        if self._checked % CHECKED_EACH == 1:
            release = self._release(expected.before.fork(), _Given(files))
            assert release == expected.release
        return expected.release

    def _release(self, disk: CutDisk, repository: _Noted | _Given) -> Release:
        built = datetime.fromisoformat(RELEASED).replace(tzinfo=UTC)
        trust = Trust(HOME, disk, self._root, built=built, scratch=self._scratch)
        release = trust.release(repository, CHANNEL, MODEL, datetime.now(UTC))
        assert release is not None
        return release


class _Noted(Folder):
    """Notes what is asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.files: dict[str, bytes | None] = {}

    def read(self, name: str, limit: int) -> bytes | None:
        self.files[name] = super().read(name, limit)
        return self.files[name]


class _Given:
    """What a board has fetched."""

    metered = True

    def __init__(self, files: Files) -> None:
        self._files = files

    def read(self, name: str, limit: int) -> bytes | None:
        content = self._files[name]
        return None if content is None else content[: limit + 1]

    def open(self, name: str, _first: int, _length: int, _watch: Watch) -> AbstractContextManager[Answer]:
        raise KeyError(name)
