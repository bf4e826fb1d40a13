from __future__ import annotations

import os

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import Absent, BadData, Lost
from drivers.iio.sps30 import Sps30, Sps30Settings
from drivers.settings import from_table
from drivers.types import NS_PER_S, Instant, Quality, Quantity
from tests.drivers.iio.board import Board

pytestmark = pytest.mark.real

MASSES = {"pm1": "3.120000", "pm2p5": "5.410000", "pm4": "6.020000", "pm10": "6.300000"}
PMS = {f"in_massconcentration_{pm}_input": text for pm, text in MASSES.items()}


def dust_sensor(board: Board, *, parent: str = "") -> tuple[Sps30, SimulatedClock]:
    clock = SimulatedClock(factor=10_000)
    return Sps30(Sps30Settings(name="duct-dust", driver="sps30", parent=parent), clock, devices=board.devices), clock


async def test_it_is_found_by_name_whatever_its_number_and_read_in_ug_m3(board: Board) -> None:
    board.plug(3, "sps30", "1-0069", PMS)
    device, clock = dust_sensor(board)
    async with device:
        cold = await device.read()
        await clock.sleep_until(Instant(30 * NS_PER_S))
        warm = await device.read()

    assert {reading.quantity: reading.value for reading in warm} == {
        Quantity.PM1: 3.12,
        Quantity.PM2_5: 5.41,
        Quantity.PM4: 6.02,
        Quantity.PM10: 6.3,
    }
    assert {reading.quality for reading in cold} == {Quality.WARMING_UP}
    assert {reading.quality for reading in warm} == {Quality.GOOD}


async def test_none_is_absent_and_it_is_found_once_it_is_there(board: Board) -> None:
    device, _ = dust_sensor(board)
    with pytest.raises(Absent, match=r"duct-dust: the kernel has no SPS30\. Check its cable and its SEL pin"):
        await device.__aenter__()

    board.plug(1, "sps30", "1-0069", PMS)
    async with device:
        assert len(await device.read()) == 4


async def test_of_two_the_one_on_the_configured_bus_is_taken(board: Board) -> None:
    board.plug(1, "sps30", "1-0069", PMS)
    board.plug(2, "sps30", "4-0069", PMS | {"in_massconcentration_pm2p5_input": "99.0"})
    device, _ = dust_sensor(board)
    with pytest.raises(Absent, match=r"there are 2 SPS30 here: 1-0069, 4-0069\. Set parent to one of these\."):
        await device.__aenter__()

    device, _ = dust_sensor(board, parent="4-0069")
    async with device:
        assert (await device.read())[1].value == 99.0


async def test_a_sensor_whose_driver_was_unloaded_is_lost(board: Board) -> None:
    sensor = board.plug(1, "sps30", "1-0069", PMS)
    device, _ = dust_sensor(board)
    async with device:
        (sensor / "in_massconcentration_pm4_input").unlink()
        with pytest.raises(Lost, match="duct-dust: in_massconcentration_pm4_input: No such file or directory"):
            await device.read()


@pytest.mark.parametrize("text", ["", "n/a", "5,41"], ids=["empty", "words", "comma"])
async def test_what_is_no_number_is_bad_data(board: Board, text: str) -> None:
    sensor = board.plug(1, "sps30", "1-0069", PMS)
    device, _ = dust_sensor(board)
    async with device:
        (sensor / "in_massconcentration_pm2p5_input").write_text(text)
        with pytest.raises(BadData, match="in_massconcentration_pm2p5_input holds no number"):
            await device.read()


@pytest.mark.parametrize("text", ["-1.0", "3000.010000", "nan"])
async def test_what_no_air_can_hold_is_marked_bad(board: Board, text: str) -> None:
    sensor = board.plug(1, "sps30", "1-0069", PMS)
    device, _ = dust_sensor(board)
    async with device:
        (sensor / "in_massconcentration_pm2p5_input").write_text(text)
        readings = await device.read()

    assert [reading.quality for reading in readings if reading.quantity is Quantity.PM2_5] == [Quality.BAD]


async def test_a_file_that_hangs_makes_the_sensor_absent_and_nobody_waits_for_it(board: Board) -> None:
    sensor = board.plug(1, "sps30", "1-0069", PMS)
    hanging = sensor / "in_massconcentration_pm1_input"
    hanging.unlink()
    os.mkfifo(hanging)  # opening it blocks until somebody writes
    device = Sps30(
        Sps30Settings(name="duct-dust", driver="sps30"), SimulatedClock(), devices=board.devices, read_limit_s=0.05
    )

    with pytest.raises(Absent, match=r"the SPS30 did not open within 0\.05 s"):
        await device.__aenter__()
    with pytest.raises(Absent, match="still hangs from before"):
        await device.__aenter__()
    hanging.write_text("3.1\n")  # lets the thread go


def test_one_sensor_is_claimed_once() -> None:
    table = {"name": "duct-dust", "driver": "sps30", "parent": "1-0069"}
    assert from_table(table, Sps30Settings).claims() == ("sps30 1-0069",)
