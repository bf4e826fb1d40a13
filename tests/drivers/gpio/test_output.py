from __future__ import annotations

import asyncio

import pytest

from drivers.clock import MonotonicClock
from drivers.errors import Absent, Lost
from drivers.gpio.output import GpioOutput, GpioOutputSettings
from drivers.settings import from_table
from tests.drivers.gpio.pins import Board

LINE = 17


def output(board: Board, line: int = LINE, **settings: object) -> GpioOutput:
    table = {"name": "relay", "driver": "gpio", "chip": "pinctrl-bcm2711", "line": line} | settings
    return GpioOutput(from_table(table, GpioOutputSettings), MonotonicClock(), open_chip=board.open_chip)


@pytest.mark.real
async def test_a_light_shines_as_brightly_as_it_is_told() -> None:
    board = Board()
    async with output(board, pwm_hz=500.0) as light:
        pin = board.pin(LINE)
        for level, seen in ((0.0, (None, 0.0)), (0.25, (500.0, 0.25)), (0.8, (500.0, 0.8)), (1.0, (None, 1.0))):
            await light.set(level)
            assert (pin.frequency, pin.state) == seen


@pytest.mark.real
async def test_a_light_that_is_on_when_low_shines_as_brightly_too() -> None:
    board = Board()
    async with output(board, pwm_hz=500.0, active_high=False) as light:
        await light.set(0.25)
        assert board.pin(LINE).state == 0.75


@pytest.mark.real
async def test_a_relay_is_on_from_half() -> None:
    board = Board()
    async with output(board) as relay:
        for level, state in ((0.49, 0.0), (0.5, 1.0), (0.0, 0.0), (1.0, 1.0)):
            await relay.set(level)
            assert board.pin(LINE).state == state


@pytest.mark.real
@pytest.mark.parametrize(
    ("active_high", "safe_on", "state"), [(True, False, 0), (False, False, 1), (True, True, 1), (False, True, 0)]
)
async def test_a_relay_starts_and_ends_in_its_safe_state(active_high: bool, safe_on: bool, state: int) -> None:
    board = Board()
    async with output(board, active_high=active_high, safe_on=safe_on) as relay:
        assert board.pin(LINE).function == "output"
        assert board.pin(LINE).state == state
        await relay.set(0.0 if safe_on else 1.0)
        assert board.pin(LINE).state != state

    assert board.pin(LINE).state == state
    assert board.pin(LINE).function == "output"  # still driven while the firmware runs


@pytest.mark.real
async def test_the_light_goes_off_when_what_it_shone_for_fails() -> None:
    board = Board()

    async def shine() -> None:
        async with output(board, pwm_hz=500.0) as light:
            await light.set(0.5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await shine()

    assert (board.pin(LINE).frequency, board.pin(LINE).state) == (None, 0.0)


@pytest.mark.real
async def test_the_buzzer_falls_silent_when_its_service_is_cancelled() -> None:
    board, sounding = Board(), asyncio.Event()

    async def sound() -> None:
        async with output(board) as buzzer:
            await buzzer.set(1.0)
            sounding.set()
            await asyncio.Event().wait()

    service = asyncio.create_task(sound())
    await sounding.wait()
    assert board.pin(LINE).state == 1.0
    service.cancel()
    await asyncio.gather(service, return_exceptions=True)

    assert board.pin(LINE).state == 0.0


@pytest.mark.real
async def test_an_unplugged_chip_is_lost_and_opened_anew_and_the_problem_stays_one_and_the_same() -> None:
    board = Board()
    relay = output(board)
    async with relay:
        board.unplug()
        with pytest.raises(Lost, match="relay: there is no GPIO chip pinctrl-bcm2711"):
            await relay.set(1.0)
    with pytest.raises(Absent, match="relay: there is no GPIO chip pinctrl-bcm2711"):
        await relay.__aenter__()

    board.plug()
    async with relay:
        await relay.set(1.0)
        assert board.pin(LINE).state == 1.0


@pytest.mark.real
async def test_a_line_that_fails_on_a_chip_that_is_there_is_what_is_looked_at() -> None:
    board = Board()
    async with output(board) as relay:
        board.open_chip("pinctrl-bcm2711").unplugged = True
        with pytest.raises(Lost, match=r"relay: line 17 of pinctrl-bcm2711: bad GPIO read\. Check both with gpioinfo"):
            await relay.set(1.0)


@pytest.mark.real
async def test_a_line_that_the_chip_does_not_have_is_absent() -> None:
    with pytest.raises(Absent, match="relay: line 99 of pinctrl-bcm2711: 99 is not a valid pin name"):
        await output(Board(), line=99).__aenter__()


@pytest.mark.real
@pytest.mark.parametrize("level", [-0.1, 1.1, float("nan")])
async def test_a_level_that_is_none_is_refused(level: float) -> None:
    async with output(Board()) as relay:
        with pytest.raises(ValueError, match="a level is from"):
            await relay.set(level)


def test_a_line_of_a_chip_is_claimed() -> None:
    table = {"name": "relay", "driver": "gpio", "chip": "pinctrl-bcm2711", "line": "RELAY_1"}
    assert from_table(table, GpioOutputSettings).claims() == ("pinctrl-bcm2711 line RELAY_1",)


@pytest.mark.parametrize("pwm_hz", [-1.0, 0.05, 20_000.0])
def test_a_pwm_frequency_that_cannot_be_made_is_refused(pwm_hz: float) -> None:
    with pytest.raises(ValueError, match=r"pwm_hz is 0 for none, or from 0\.1 to 10000"):
        from_table({"name": "light", "driver": "gpio", "line": 1, "pwm_hz": pwm_hz}, GpioOutputSettings)
