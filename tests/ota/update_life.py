"""A board that follows a repository: what it believes, the download and the slots, to be put under faults."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

from ota.download import Downloads
from ota.errors import Untrusted
from ota.folder import Folder
from ota.pace import CLOCKS, Pace
from ota.slot_states import HOLDING, Record, Shipped, SlotName, SlotState
from ota.slots import Slots
from ota.storage import Disk
from ota.trust import Trust
from ota.types import Release
from tests.fakes.cut_disk import CutDisk
from tests.fakes.faults import Scenario
from tests.ota.board import BUILT
from tests.ota.repository import MODEL, NOW, SimulatedRepository

ROOT = Path("/data")
HOME = ROOT / "ota"
METADATA = ("root", "timestamp", "snapshot", "targets", "stable")
LASTING = {
    *("floors.a", "floors.b", "spent.json", "slots.json", "slots/a.tar", "slots/b.tar"),
    *(f"metadata/{name}.json" for name in METADATA),
}


BOUNDED = re.compile(r"(metadata/|floors).*\.half")
"""A half stays until its file is replaced the next time: one for each file at most."""


class UpdateLife:
    """A board with release 1, and a repository; `old` is the repository before its newest release."""

    def __init__(self, home: Path) -> None:
        self._scratch = home / "scratch"
        self._scratch.mkdir()
        self._repository = SimulatedRepository(home / "repository")
        self._newest = 0
        self.old = home / "nothing"
        self.disk = CutDisk(ROOT)
        self.offer()
        self.update(self.disk)

    def offer(self) -> None:
        """The next release, under a new root."""
        self.old = self._repository.copy(f"before {self._newest + 1}")
        self._newest += 1
        content = b"bundle %d" % self._newest
        self._repository.publish("root")
        self._repository.offer(self._newest)
        path = self._repository.folder / "targets" / "stable" / f"{hashlib.sha256(content).hexdigest()}.{MODEL}.tar"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def visit(self, disk: Disk, repository: Path | None = None) -> Release:
        trust = Trust(HOME, disk, self._repository.first_root, built=BUILT, scratch=self._scratch)
        release = trust.release(Folder(repository or self._repository.folder), "stable", MODEL, NOW)
        assert release is not None
        return release

    def slots(self, disk: Disk) -> Slots:
        shipped = Shipped(model=MODEL, counter=0)
        return Slots.load(disk, HOME, shipped=shipped, now_s=lambda: int(NOW.timestamp()))

    def update(self, disk: Disk) -> None:
        release = self.visit(disk)
        slots = self.slots(disk)
        downloads = Downloads(HOME, disk, Pace(), clocks=CLOCKS._replace(today=lambda: 1))
        if _state(slots.record, release) is None:
            part = downloads.fetch(release.target, Folder(self._repository.folder))
            assert part is not None
            slots.stage(release, part)
        if _state(slots.record, release) is SlotState.STAGED:
            slots.begin_trial("")
        if _state(slots.record, release) is SlotState.TRIAL:
            slots.passed("")
        if _state(slots.record, release) is SlotState.PROBATION:
            slots.kept("")
        downloads.sweep(())
        assert isinstance(disk, CutDisk)
        left = {str(path.relative_to(HOME)) for path in disk.files()} - LASTING - self._roots()
        assert not {name for name in left if not BOUNDED.fullmatch(name)}, left

    def _roots(self) -> set[str]:
        return {f"metadata/root_history/{version}.root.json" for version in range(1, self._newest + 2)}

    def believe(self, disk: Disk) -> None:
        assert self.visit(disk).counter == self._newest

    def runs(self, disk: Disk) -> Hashable:
        """The bytes of what counts. If they are the newest, nobody makes the board believe the old repository."""
        assert isinstance(disk, CutDisk)
        slots = self.slots(disk)
        assert slots.running is not None
        running = disk.files()[slots.running]
        assert running != b"bundle %d" % self._newest or self.believes_the_old(disk) is None
        return running

    def believes_the_old(self, disk: Disk) -> Hashable:
        try:
            return self.visit(disk, self.old).counter
        except Untrusted:
            return None

    def updating(self) -> Scenario:
        return Scenario(f"update to {self._newest}", self.update, self.runs)

    def visiting(self) -> Scenario:
        return Scenario(f"visit {self._newest}", self.believe, self.believes_the_old)

    def walk(self, steps: int) -> Iterator[Callable[[CutDisk], Scenario]]:
        for _ in range(steps):
            self.offer()
            yield lambda _: self.updating()


def _state(record: Record, release: Release) -> SlotState | None:
    found = [record[name] for name in SlotName if record[name].state in HOLDING]
    return next((one.state for one in found if one.holds and one.holds.sha256 == release.target.sha256), None)
