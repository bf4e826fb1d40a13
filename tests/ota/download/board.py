"""A board that fetches one target from a server on this machine, with a clock and a disk of its own."""

from __future__ import annotations

import errno
import hashlib
import random
from collections.abc import Callable
from pathlib import Path

from ota.download import Downloads, Progress
from ota.pace import Clocks, Pace
from ota.storage import Disk
from ota.types import Target
from ota.web import Web
from tests.ota.web_server import (
    WebServer,
)

CONTENT = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TARGET = Target(path="stable/visual-clean.tar", length=len(CONTENT), sha256=SHA256)
STORED = f"targets/stable/{SHA256}.visual-clean.tar"


class Time:
    """Goes on only when somebody sleeps, or the test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.slept_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.slept_s += seconds


class SmallDisk(Disk):
    """Takes `room` bytes; what it says is free is `said`. Counts its syncs of parts."""

    def __init__(self, *, room: int = 1 << 30, said: int = 1 << 30) -> None:
        self.room = room
        self.said = said
        self.synced: list[int] = []

    def free(self, _: Path) -> int:
        return self.said

    def append(self, path: Path, content: bytes) -> None:
        self.room -= len(content)
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().append(path, content)

    def sync(self, path: Path) -> None:
        if path.suffix == ".part":
            self.synced.append(path.stat().st_size)
        super().sync(path)


class Board:
    """Its folder, its time, and the way to the repository."""

    def __init__(self, folder: Path, server: WebServer) -> None:
        self.folder = folder
        self.server = server
        self.time = Time()
        self.disk = SmallDisk()
        self.day = 20_000
        self.pace = Pace()

    @property
    def downloads(self) -> Downloads:
        clocks = Clocks(self.time, self.time.sleep, lambda: self.day)
        return Downloads(self.folder, self.disk, self.pace, clocks=clocks)

    @property
    def part(self) -> Path:
        return self.folder / "part" / f"{SHA256}.part"

    def fetch(
        self,
        *,
        target: Target = TARGET,
        progress: Progress = lambda _here, _all: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Path | None:
        with Web(self.server.address, allow_http=True) as web:
            return self.downloads.fetch(target, web, progress=progress, stopped=stopped)

    def has(self, content: bytes) -> None:
        self.part.parent.mkdir(exist_ok=True)
        self.part.write_bytes(content)

    def misses(self) -> None:
        assert not self.part.exists()
