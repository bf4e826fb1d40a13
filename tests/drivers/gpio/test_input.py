from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing

import pytest

from drivers.clock import MonotonicClock
from drivers.errors import Absent, Lost
from drivers.gpio.input import GpioInput, GpioInputSettings
from drivers.gpio.lines import Debounce
from drivers.settings import from_table
from tests.drivers.gpio.pins import Board

LINE = 22


def contact(board: Board, **settings: object) -> GpioInput:
    table = {"name": "fan", "driver": "gpio", "chip": "pinctrl-bcm2711", "line": LINE} | settings
    return GpioInput(from_table(table, GpioInputSettings), MonotonicClock(), open_chip=board.open_chip)


@pytest.mark.real
async def test_the_present_state_comes_first_and_then_each_change() -> None:
    board = Board()
    async with contact(board) as fan, aclosing(fan.states()) as states:
        assert await anext(states) is False  # open: pulled up
        for drive, running in (("drive_low", True), ("drive_high", False), ("drive_low", True)):
            getattr(board.pin(LINE), drive)()
            assert await anext(states) is running


@pytest.mark.real
@pytest.mark.parametrize(
    ("pull", "active_high", "idle"), [("up", False, False), ("up", True, True), ("down", True, False)]
)
async def test_pull_and_polarity_are_those_of_the_wiring(pull: str, active_high: bool, idle: bool) -> None:
    board = Board()
    async with contact(board, pull=pull, active_high=active_high) as fan, aclosing(fan.states()) as states:
        assert await anext(states) is idle
        assert (board.pin(LINE).function, board.pin(LINE).pull) == ("input", pull)


@pytest.mark.real
async def test_a_chip_that_is_unplugged_is_lost_though_nobody_touches_the_contact() -> None:
    board = Board()
    async with contact(board) as fan:
        states = fan.states()
        assert await anext(states) is False
        board.unplug()
        with pytest.raises(Lost, match="fan: there is no GPIO chip pinctrl-bcm2711"):
            await anext(states)
    with pytest.raises(Absent, match="fan: there is no GPIO chip pinctrl-bcm2711"):
        await fan.__aenter__()


@pytest.mark.real
async def test_leaving_does_not_wait_for_the_next_change_and_ends_the_thread() -> None:
    board, before = Board(), threading.active_count()
    fan = contact(board)
    for _ in range(3):
        async with fan, aclosing(fan.states()) as states:
            await anext(states)
            waiting = asyncio.ensure_future(anext(states))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    for thread in threading.enumerate():
        if thread.name == "fan":
            await asyncio.to_thread(thread.join, 30)
    assert threading.active_count() <= before + 1  # to_thread's own


MS = 0.001


@pytest.mark.parametrize(
    ("looks", "changes_at"),
    [
        ([(0, 1), (50, 1), (100, 1)], [50]),
        ([(0, 1), (20, 0), (40, 1), (60, 0), (80, 0), (200, 0)], []),
        ([(0, 1), (20, 0), (40, 1), (60, 1), (80, 1), (100, 1)], [100]),
        ([(0, 1), (50, 1), (60, 0), (70, 1), (300, 1)], [50]),
        ([(0, 1), (60, 1), (70, 0), (130, 0), (140, 1), (200, 1)], [60, 130, 200]),
        ([(0, 0), (1000, 0)], []),
    ],
    ids=["press", "disturbance", "bouncing press", "bounce while pressed", "press, release, press", "nothing"],
)
def test_a_state_counts_once_it_has_lasted(looks: list[tuple[int, int]], changes_at: list[int]) -> None:
    debounce = Debounce(state=False, settle_s=50 * MS)

    assert [at for at, seen in looks if debounce.feed(bool(seen), at * MS)] == changes_at
