"""Puts whatever uses a `Disk` under power cuts, kills and errors at each of its operations, or at random ones.

Of each scenario it must hold: what the next start makes of the disk is as before the act or as after it, and as after
it if the act returned; and the act can be done again, to its end.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from ota.errors import OtaError
from ota.storage import Disk
from tests.fakes.cut_disk import ALL, CHANGES, GROWS, CutDisk, Fault, PowerCut

ERRORS: Final = {
    "full for a moment": (errno.ENOSPC, frozenset[str]()),
    "full from then on": (errno.ENOSPC, GROWS),
    "over its quota": (errno.EDQUOT, GROWS | {"sync"}),
    "worn at one place": (errno.EIO, frozenset[str]()),
    "read-only from then on": (errno.EROFS, CHANGES),
    "gone from then on": (errno.EIO, ALL),
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """`act` may be done any number of times: the later ones finish what was begun, and change nothing more.

    It raises OtaError for a disk that refuses, and nothing else. `look` is the next start: it asserts all that must
    hold always, and returns what may differ between before and after.
    """

    name: str
    act: Callable[[Disk], None]
    look: Callable[[Disk], Hashable]


class _Try:
    """A scenario from a certain disk on: what it looks like before and after, and which operations lie between."""

    def __init__(self, scenario: Scenario, start: CutDisk) -> None:
        self.scenario = scenario
        self.before = scenario.look(start.fork())
        done = start.fork()
        scenario.act(done)
        self.operations = done.operations
        self.after = scenario.look(done.fork())
        self.done = done

    def under(self, start: CutDisk, fault: Fault) -> tuple[CutDisk, bool]:
        """The disk as the process leaves it, and whether the act returned."""
        disk = start.fork(fault)
        try:
            self.scenario.act(disk)
        except (PowerCut, OtaError):
            return disk.fork(), False
        return disk.fork(), True

    def check(self, disk: CutDisk, *, returned: bool, told: str) -> None:
        found = self.scenario.look(disk.fork())
        allowed = {self.after} if returned else {self.before, self.after}
        assert found in allowed, f"{told}: {found}, and not one of {allowed}"

    def finish(self, disk: CutDisk, told: str) -> None:
        self.scenario.act(disk)
        self.check(disk, returned=True, told=f"{told}, done again")


def cut_everywhere(scenario: Scenario, start: CutDisk, *, most: int, random: Random, share: float = 1.0) -> int:
    """A cut after every change, each followed by at most `most` states of the disk; how many were tried.

    `share`: only after so many of them, of a scenario that takes its time.
    """
    one = _Try(scenario, start)
    tried = 0
    for number, operation in enumerate(one.operations):
        if operation.kind in CHANGES and random.random() < share:
            disk, returned = one.under(start, Fault(number))
            told = f"{scenario.name}: cut after {operation.kind} {operation.path.name}, operation {number}"
            for left in disk.after_cut(most, random):
                one.check(left, returned=returned, told=told)
                one.finish(left, told)
                tried += 1
    return tried


def refused_everywhere(scenario: Scenario, start: CutDisk, *, most: int, random: Random, share: float = 1.0) -> int:
    """Each kind of error at every operation, and a power cut after it; how many were tried. `share` as above.

    An error while reading may cost what was to be read: then only what `look` asserts must hold.
    """
    one = _Try(scenario, start)
    tried = 0
    for number, operation in enumerate(one.operations):
        for name, (error, then) in ERRORS.items():
            if random.random() >= share:
                continue
            disk, returned = one.under(start, Fault(number, error, then))
            told = f"{scenario.name}: {name} at {operation.kind} {operation.path.name}, operation {number}"
            goes_on = () if then >= CHANGES else (disk,)  # such a disk takes nothing before the board is started anew
            for left in (*goes_on, *disk.after_cut(most, random)):
                if operation.kind in CHANGES:
                    one.check(left, returned=returned, told=told)
                    one.finish(left.fork(), told)
                else:
                    scenario.look(left)
                tried += 1
    return tried


def schedule(scenarios: Iterator[Callable[[CutDisk], Scenario]], start: CutDisk, random: Random) -> int:
    """Scenarios one after the other, each with up to three faults in a row, also in what follows a fault.

    What was killed goes on with what does not last yet. Returns how many faults there were.
    """
    disk, faults = start, 0
    for scenario_on in scenarios:
        scenario = scenario_on(disk)
        one = _Try(scenario, disk)
        for _ in range(random.randrange(4)):
            number = random.randrange(len(one.operations))
            told = f"{scenario.name}: fault {faults}, operation {number}"
            disk, returned = _hit(one, disk, number, random)
            faults += 1
            one.check(disk, returned=returned, told=told)
            if returned:
                break
        one.finish(disk, f"{scenario.name} after {faults} faults")
    return faults


def _hit(one: _Try, disk: CutDisk, number: int, random: Random) -> tuple[CutDisk, bool]:
    """A cut, a kill or an error at a change. The operations of an act begun anew may be others, and fewer."""
    fault = Fault(number)
    if random.random() < 0.3:
        error, then = random.choice(list(ERRORS.values()))
        while one.operations[number].kind not in CHANGES:
            number = (number + 1) % len(one.operations)
        fault = Fault(number, error, then & CHANGES)
    disk, returned = one.under(disk, fault)
    if fault.then >= CHANGES or random.random() < 0.7:
        disk = random.choice(list(disk.after_cut(8, random)))
    return disk, returned
