"""What happens to slots in their life, each step as a scenario to be put under faults."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from random import Random
from typing import Final

from ota.errors import NoRoom
from ota.slot_states import HOLDING, LIMIT_S, PENDING, Record, Slot, SlotName, SlotState
from ota.slots import FILE, Slots
from ota.storage import Disk
from tests.fakes.cut_disk import CutDisk
from tests.fakes.faults import Scenario
from tests.ota.builders import NOW, SHIPPED, release, tar_of

ROOT: Final = Path("/data")
HOME: Final = ROOT / "ota"
PARTS: Final = HOME / "part"
LATER: Final = NOW + max(LIMIT_S.values())

Step = Callable[["Life", int], Scenario]


class Life:
    """Release numbers are given out by it; `passed` are those whose trial ended well, or was about to."""

    def __init__(self) -> None:
        self.newest = SHIPPED.counter
        self.passed: set[bytes] = set()

    def number(self) -> int:
        self.newest += 1
        return self.newest

    def scenario(self, name: str, number: int, change: Callable[[Disk], Slots]) -> Scenario:
        def act(disk: Disk) -> None:
            slots = change(disk)
            if slots.trouble:
                raise NoRoom(slots.trouble, remedy="")  # what it found, or made of it, may not last

        return Scenario(f"{name} {number}", act, lambda disk: self.look(disk, number))

    def look(self, disk: Disk, number: int) -> Hashable:
        """Of a start: what runs, the state of the release `number`, and whether it is on the list of the bad."""
        assert isinstance(disk, CutDisk)
        slots = loaded(disk)
        files = {path: content for path, content in disk.files().items() if path.parent != PARTS}
        named = {slots.tar(name): slots.record[name].holds for name in SlotName if slots.record[name].state in HOLDING}
        assert not slots.trouble, slots.trouble
        assert files.keys() == {*named, HOME / FILE}, "what no record names is left, or something is missing"
        for path, held in named.items():
            assert held is not None
            assert hashlib.sha256(files[path]).hexdigest() == held.sha256
        running = None if slots.running is None else files[slots.running]
        assert running is None or running in self.passed, "runs without a trial"
        return running, state_of(slots.record, number), release(number).target.sha256 in slots.record.bad


def loaded(disk: Disk, now_s: int = NOW) -> Slots:
    return Slots.load(disk, HOME, shipped=SHIPPED, now_s=lambda: now_s)


def state_of(record: Record, number: int) -> SlotState | None:
    found = [record[name] for name in SlotName if record[name].state in HOLDING]
    sha256 = release(number).target.sha256
    return next((slot.state for slot in found if slot.holds is not None and slot.holds.sha256 == sha256), None)


def stage(life: Life, number: int) -> Scenario:
    def change(disk: Disk) -> Slots:
        slots = loaded(disk)
        if state_of(slots.record, number) is None:
            slots.stage(release(number), tar_of(number))
        return slots

    return life.scenario("stage", number, change)


def stage_download(life: Life, number: int) -> Scenario:
    def change(disk: Disk) -> Slots:
        slots = loaded(disk)
        if state_of(slots.record, number) is None:
            slots.stage(release(number), downloaded(disk, number))
        return slots

    return life.scenario("stage the download of", number, change)


def downloaded(disk: Disk, number: int) -> Path:
    """Whole as far as one sees, and never synced."""
    part = PARTS / f"{number}.part"
    try:
        if disk.read(part, 1_000) != tar_of(number):
            disk.make_folder(PARTS)
            disk.write(part, tar_of(number))
    except OSError as error:
        raise NoRoom(str(error), remedy="") from error
    return part


def begin(life: Life, number: int) -> Scenario:
    return _verdict(life, "begin", number, SlotState.STAGED, lambda slots: slots.begin_trial("examined"))


def give_pass(life: Life, number: int) -> Scenario:
    life.passed.add(tar_of(number))
    return _verdict(life, "pass", number, SlotState.TRIAL, lambda slots: slots.passed("tried"))


def keep(life: Life, number: int) -> Scenario:
    return _verdict(life, "keep", number, SlotState.PROBATION, lambda slots: slots.kept("counted"))


def _verdict(life: Life, name: str, number: int, state: SlotState, move: Callable[[Slots], None]) -> Scenario:
    def change(disk: Disk) -> Slots:
        slots = loaded(disk)
        if state_of(slots.record, number) is state:
            move(slots)
        return slots

    return life.scenario(name, number, change)


def fail(life: Life, number: int) -> Scenario:
    def change(disk: Disk) -> Slots:
        slots = loaded(disk)
        if state_of(slots.record, number) in PENDING:
            slots.failed("too slow")
        return slots

    return life.scenario("fail", number, change)


def crash(life: Life, number: int) -> Scenario:
    """Starts of the firmware until that is the end of it."""

    def change(disk: Disk) -> Slots:
        while state_of((slots := loaded(disk)).record, number) in PENDING:
            slots.started()
        return slots

    return life.scenario("crash", number, change)


def expire(life: Life, number: int) -> Scenario:
    def change(disk: Disk) -> Slots:
        return loaded(disk, LATER)

    return life.scenario("expire", number, change)


def roll_back(life: Life, number: int) -> Scenario:
    return _back(life, "roll back from", number, lambda slots: slots.roll_back("not wanted"))


def unusable(life: Life, number: int) -> Scenario:
    return _back(life, "cannot load", number, lambda slots: slots.unusable("needs LiteRT 3"))


def _back(life: Life, name: str, number: int, move: Callable[[Slots], None]) -> Scenario:
    def change(disk: Disk) -> Slots:
        slots = loaded(disk)
        active = slots.record.active
        held = None if active is None else slots.record[active].holds
        if held is not None and held.sha256 == release(number).target.sha256:
            move(slots)
        return slots

    return life.scenario(name, number, change)


NEW: Final[tuple[Step, ...]] = (stage, stage_download)
ON_PENDING: Final[dict[SlotState, tuple[Step, ...]]] = {
    SlotState.STAGED: (begin, begin, begin, fail, crash, expire),
    SlotState.TRIAL: (give_pass, give_pass, give_pass, fail, crash, expire),
    SlotState.PROBATION: (keep, keep, keep, fail, crash, expire, roll_back, unusable),
}
"""What may happen to a release, the usual more often."""


def walk(random: Random, steps: int) -> Iterator[Callable[[CutDisk], Scenario]]:
    life = Life()
    for _ in range(steps):
        yield lambda disk: _next_step(life, disk, random)


def _next_step(life: Life, disk: CutDisk, random: Random) -> Scenario:
    record = loaded(disk.fork()).record
    pending, active = (None if name is None else record[name] for name in (record.pending, record.active))
    choices: list[tuple[Step, Slot | None]] = []
    if pending is not None:
        choices += [(step, pending) for step in ON_PENDING[pending.state]]
    if pending is None or pending.state is not SlotState.PROBATION:
        choices += [(step, None) for step in NEW]
        choices += [] if active is None else [(step, active) for step in (roll_back, unusable)]
    step, slot = random.choice(choices)
    if slot is None or slot.holds is None:
        return step(life, life.number())
    return step(life, slot.holds.counter)
