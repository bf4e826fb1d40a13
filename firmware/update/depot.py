"""Where this board's models are: its slots, what it believes of a repository, and the way there. From the settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

from firmware import RELEASED
from firmware.errors import ConfigError
from firmware.update.fitness import BoardFacts
from firmware.update.settings import UpdateSettings
from model.manifest import parse_manifest
from model.shipped import shipped_bundle
from ota.bundle import MANIFEST
from ota.download import Downloads, Progress
from ota.errors import Untrusted
from ota.folder import Folder
from ota.pace import Pace
from ota.repository import Repository
from ota.slot_states import Shipped
from ota.storage import Disk
from ota.types import Release
from ota.updater import Updater, Wanted
from ota.web import Web

if TYPE_CHECKING:
    from ota.trust import Trust

FOLDER = "ota"  # in the data directory
MAX_ROOT_BYTES = 20_000
SETTLE = "Set [update] root to the publisher's root.json, as docs/ota-board.md says"


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    """`trust` is None where the configuration names no root: then nothing can be proved, and nothing is taken."""

    updater: Updater
    trust: Trust | None
    downloads: Downloads
    settings: UpdateSettings
    board: BoardFacts

    def repository(self, where: str) -> AbstractContextManager[Repository]:
        """At an address, or in a folder such as that of a stick, for one visit. Raises `Unreachable`."""
        return Web(where, allow_http=self.settings.http) if "://" in where else nullcontext(Folder(Path(where)))

    def look(self, where: str, older: bool) -> tuple[Release | None, str]:
        """As `Updater.look`, in the repository `where`."""
        assert self.trust is not None
        with self.repository(where) as repository:
            return self.updater.look(self.trust, repository, older=older)

    def fetch(
        self, release: Release, where: str, progress: Progress, *, stopped: Callable[[], bool], older: bool
    ) -> str | None:
        """As `Updater.fetch`, from the repository `where`."""
        with self.repository(where) as repository:
            return self.updater.fetch(
                release, repository, self.downloads, progress=progress, stopped=stopped, older=older
            )


def depot(data: Path, settings: UpdateSettings, board: BoardFacts) -> Depot:
    """Of the board that keeps its things in `data`. Raises `ConfigError` for a root that cannot be read or believed."""
    folder, disk = data / FOLDER, Disk()
    return Depot(
        settings=settings,
        board=board,
        updater=Updater(
            folder,
            disk,
            wanted=Wanted(channel=settings.channel, model=settings.model, hardware=board.hardware),
            shipped=_shipped(),
            shipped_bundle=shipped_bundle(),
            now=_now,
        ),
        trust=None if settings.root is None else _trust(folder, disk, settings.root),
        downloads=Downloads(folder, disk, Pace(bytes_a_second=settings.bytes_per_s, bytes_a_day=settings.daily_bytes)),
    )


def _trust(folder: Path, disk: Disk, root: Path) -> Trust:
    try:
        with root.open("rb") as file:
            content = file.read(MAX_ROOT_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{root}: cannot be read: {error.strerror}. {SETTLE}.") from error
    from ota.trust import Trust  # with python-tuf, 15 MB and 70 ms: only where a root is configured

    built = datetime.fromisoformat(RELEASED).replace(tzinfo=UTC)
    try:
        return Trust(folder, disk, content, built=built, scratch=Path(gettempdir()))
    except Untrusted as error:
        raise ConfigError(f"{root}: {error.problem}. {SETTLE}.") from error


def _shipped() -> Shipped:
    manifest = parse_manifest((shipped_bundle() / MANIFEST).read_bytes())
    return Shipped(model=manifest.name, counter=manifest.release_counter, version=manifest.version)


def _now() -> datetime:
    return datetime.now(UTC)
