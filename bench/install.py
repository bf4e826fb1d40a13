"""What it takes to verify a fetched bundle and install it lastingly, against hashing and copying the same bytes."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.machine import file_system
from bench.results import Bar, Chart, Goal, Result, Row, Setup
from bench.timing import NS_PER_MS, Times, in_turn
from ota.download import PART, Downloads
from ota.folder import Folder
from ota.pace import Pace
from ota.slot_states import Shipped
from ota.slots import Slots
from ota.storage import HALF, Disk
from ota.types import Release, Target

DISK = Path("/var/tmp")  # outlives a restart (FHS 5.15), so that it is no tmpfs, where nothing is ever synced
BUNDLE_BYTES = 5_000_000
AT_MOST_TIMES = 1.5
INSTALLED, COPIED, LOADED = "verified and installed", "hashed and copied, with fsync", "slots loaded, then installed"
BUNDLE, SMALL, REST = "sync of the bundle", "the small syncs", "both hashes, and the rest"
HOW = (
    "A bundle lies whole in the folder of downloads. Installed: `Downloads.fetch` finds it there and hashes it, then "
    "`Slots.stage` writes it into the inactive slot, in the place of one that waited there. Against it: SHA-256 of the "
    "same file, a copy by shutil.copyfile, and fsync of copy and folder. In turn, each time another bundle, by the "
    "clock on the wall; the goal is the median of the ratios of each round. The third row begins with `Slots.load`, as "
    "each change by the updater does: it hashes what is in both slots."
)


def measure(setup: Setup, *, bundle_bytes: int = BUNDLE_BYTES) -> Result:
    rounds = setup.choose(25, 3)
    with tempfile.TemporaryDirectory(prefix="ductwatch-bench-", dir=DISK) as folder:
        board = _Board(Path(folder), [_fetched(Path(folder), number, bundle_bytes) for number in range(rounds + 1)])
        times = in_turn(
            {INSTALLED: board.install, COPIED: board.copy, LOADED: board.load_and_install},
            rounds=rounds,
            calls=1,
            progress=lambda number: setup.progress(f"round {number} of {rounds}"),
        )
    return Result(
        name="install",
        title=f"Installing a bundle of {bundle_bytes / 1e6:g} MB",
        how=HOW,
        columns=("median ms", "least ms", "most ms", "processor ms"),
        rows=(
            *(Row(name, _figures(of)) for name, of in times.items()),
            *(Row(f"installing: {name}", (ms, None, None, None)) for name, ms in _parts_ms(board.disk.rounds).items()),
        ),
        goals=(
            Goal(
                what="installing, against hashing and copying",
                value=ratio(times[INSTALLED], times[COPIED]),
                at_most=AT_MOST_TIMES,
                unit="times",
            ),
        ),
        chart=Chart(
            unit="ms (median)", bars=tuple(Bar(label=name, value=of.wall_median_ms) for name, of in times.items())
        ),
        notes=(f"On {file_system(DISK)}. The slower a disk syncs, the more do the small syncs count.",),
        details={"bundle_bytes": bundle_bytes, "rounds": rounds},
    )


def ratio(ours: Times, theirs: Times) -> float:
    """The median of the ratios of what was measured in the same round."""
    return median(one / other for one, other in zip(ours.wall_ns, theirs.wall_ns, strict=True))


class _Watched(Disk):
    """Notes how long its operations take: ns by kind, for each round."""

    def __init__(self) -> None:
        self.rounds: list[Counter[str]] = []

    def read(self, path: Path, limit: int) -> bytes | None:
        with self._noted("read"):
            return super().read(path, limit)

    def write(self, path: Path, content: bytes) -> None:
        with self._noted("written"):
            super().write(path, content)

    def sync(self, path: Path) -> None:
        with self._noted(BUNDLE if path.name.endswith(f".tar{HALF}") else SMALL):
            super().sync(path)

    @contextmanager
    def round(self) -> Iterator[None]:
        """All that is done meanwhile is of one round."""
        self.rounds.append(Counter())
        started_ns = time.perf_counter_ns()
        yield
        self.rounds[-1][REST] = time.perf_counter_ns() - started_ns - self.rounds[-1].total()

    @contextmanager
    def _noted(self, kind: str) -> Iterator[None]:
        started_ns = time.perf_counter_ns()
        yield
        if self.rounds:
            self.rounds[-1][kind] += time.perf_counter_ns() - started_ns


class _Board:
    """Two folders of updates, whose downloads are one: one is loaded anew before each change."""

    def __init__(self, folder: Path, releases: list[Release]) -> None:
        self._folder, self._releases = folder, releases
        self._nowhere = Folder(folder)  # nothing comes from it: all is here
        self.disk = _Watched()
        self._slots = self._load("once", self.disk)

    def install(self, number: int) -> None:
        with self.disk.round():
            self._install(self._slots, self._releases[number], self.disk)

    def load_and_install(self, number: int) -> None:
        disk = Disk()
        self._install(self._load("anew", disk), self._releases[number], disk)

    def copy(self, number: int) -> None:
        part, copy = _part(self._folder, self._releases[number].target), self._folder / "copy"
        with part.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == self._releases[number].target.sha256
        shutil.copyfile(part, copy)
        for path in (copy, self._folder):
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)

    def _install(self, slots: Slots, release: Release, disk: Disk) -> None:
        part = Downloads(self._folder, disk, Pace()).fetch(release.target, self._nowhere)
        assert part is not None
        slots.stage(release, part)

    def _load(self, name: str, disk: Disk) -> Slots:
        shipped = Shipped(model="bench", counter=0)
        return Slots.load(disk, self._folder / name, shipped=shipped, now_s=lambda: int(time.time()))


def _fetched(folder: Path, number: int, length: int) -> Release:
    """A release whose bytes are here, and last."""
    content = random.Random(number).randbytes(length)
    target = Target(path="stable/bench.tar", length=length, sha256=hashlib.sha256(content).hexdigest())
    part, disk = _part(folder, target), Disk()
    disk.make_folder(part.parent)
    disk.write(part, content)
    for path in (part, part.parent):
        disk.sync(path)
    return Release(target=target, model="bench", version=f"1.{number}", counter=1 + number, hardware=("any",))


def _part(folder: Path, target: Target) -> Path:
    return folder / "part" / f"{target.sha256}{PART}"


def _parts_ms(rounds: list[Counter[str]]) -> dict[str, float]:
    """The first round, which warms up, is not counted."""
    return {kind: median(one[kind] for one in rounds[1:]) / NS_PER_MS for kind in sorted(rounds[-1])}


def _figures(times: Times) -> tuple[float, ...]:
    return times.wall_median_ms, min(times.wall_ns) / NS_PER_MS, max(times.wall_ns) / NS_PER_MS, times.median_ms
