"""A board in this process, on real time, whose wall clock does what it likes."""

from __future__ import annotations

import gc
import itertools
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.simulated.faults import Faults
from drivers.simulated.world import World
from firmware import config
from firmware.devices import Site
from firmware.events import Event
from firmware.notify import Notify
from firmware.operate import operate
from firmware.plan import prepare
from firmware.run import SIMULATED_BOARD
from firmware.surrounded import Run
from firmware.uplink.wire import WallClock, as_dict
from model.types import Verdict

pytestmark = pytest.mark.real

YEAR_NS = 365 * 86_400 * 10**9
JUMPS = itertools.cycle([56 * YEAR_NS, 0, 80 * YEAR_NS, 20 * YEAR_NS])  # 2026, 1970, 2050, 1990


async def test_a_wall_clock_that_jumps_by_years_changes_nothing_but_the_stamps(tmp_path: Path) -> None:
    plan = prepare(config.load(SIMULATED_BOARD))
    clock = SimulatedClock(factor=50)
    events: list[Event] = []
    run = Run(
        site=Site(clock=clock, world=World(1, clock, Faults()), data=tmp_path),
        wall=lambda: WallClock(offset_ns=next(JUMPS), synchronised=True),
        sinks=[events.append],
        see=lambda _: None,
        greet=lambda _: None,
        chance=lambda: 0.5,
        run_for_s=21,
        notify=Notify(None, None),
    )

    await operate(plan, run, load=None)

    verdicts = [event for event in events if isinstance(event, Verdict)]
    assert [event.at for event in verdicts] == sorted(event.at for event in verdicts)
    assert len(verdicts) == 22
    stamps = {as_dict(event, WallClock(next(JUMPS), synchronised=False))["time"][:4] for event in verdicts}
    assert len(stamps) == 4


async def test_garbage_is_collected_while_cameras_are_aimed_too(tmp_path: Path) -> None:
    clock = SimulatedClock(factor=1000)
    run = Run(
        site=Site(clock=clock, world=World(1, clock, Faults()), data=tmp_path),
        wall=lambda: WallClock(offset_ns=0, synchronised=True),
        sinks=[],
        see=lambda _: None,
        greet=lambda _: None,
        run_for_s=11,
        aim_period_ns=5 * 10**9,
        notify=Notify(None, None),
    )
    told_to: list[str] = []

    def note(phase: str, _: dict[str, int]) -> None:
        if phase == "start" and not gc.isenabled():
            told_to.append(phase)

    gc.callbacks.append(note)
    await operate(prepare(config.load(SIMULATED_BOARD)), run, load=None)
    gc.callbacks.remove(note)

    assert len(told_to) >= 2  # with each of the board's reports, every 10 s
