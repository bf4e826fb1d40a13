from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import Absent, BadData, Lost
from drivers.i2c.bme680 import Bme680, Bme680Settings, Measurement, readings
from drivers.settings import Duration, from_table
from drivers.types import Instant, Quality, Quantity, Reading, SourceId
from hil.rig.bme680 import Bme680Chip
from tests.drivers.i2c.kernel import Kernel

BURN_IN_S = 60.0


def gas_sensor(tmp_path: Path, chip: Bme680Chip | None, clock: SimulatedClock | None = None) -> tuple[Bme680, Kernel]:
    bus = tmp_path / "i2c-1"
    kernel = Kernel(bus, {} if chip is None else {0x77: chip})
    settings = Bme680Settings(name="duct-gas", driver="bme680", bus=bus, burn_in=Duration(BURN_IN_S))
    return Bme680(settings, clock or SimulatedClock(factor=10_000), ioctl=kernel.ioctl), kernel


def by_quantity(readings: object) -> dict[Quantity, Reading]:
    assert isinstance(readings, tuple)
    return {reading.quantity: reading for reading in readings}


@pytest.mark.real
async def test_what_the_duct_has_is_what_is_read(tmp_path: Path) -> None:
    chip = Bme680Chip()
    sensor, _ = gas_sensor(tmp_path, chip)
    async with sensor:
        for chip.temperature, chip.humidity, chip.pressure in (
            (24.5, 41.0, 1003.2),
            (-12.0, 83.0, 955.0),
            (60.0, 12.5, 870.4),
        ):
            read = by_quantity(await sensor.read())

            assert read[Quantity.TEMPERATURE].value == pytest.approx(chip.temperature, abs=0.1)
            assert read[Quantity.HUMIDITY].value == pytest.approx(chip.humidity, abs=0.2)
            assert read[Quantity.PRESSURE].value == pytest.approx(chip.pressure, abs=0.5)
            assert all(reading.source == "duct-gas" for reading in read.values())


@pytest.mark.real
@pytest.mark.parametrize("variant", [0x00, 0x01], ids=["BME680", "BME688"])
async def test_gas_resistance_falls_when_the_air_gets_worse(tmp_path: Path, variant: int) -> None:
    chip = Bme680Chip(variant=variant)
    sensor, _ = gas_sensor(tmp_path, chip)
    async with sensor:
        chip.gas_range = 5
        good_air = by_quantity(await sensor.read())[Quantity.GAS_RESISTANCE].value
        chip.gas_range = 6
        bad_air = by_quantity(await sensor.read())[Quantity.GAS_RESISTANCE].value

    assert good_air == pytest.approx(2 * bad_air, rel=0.05)
    assert bad_air > 10_000


@pytest.mark.real
async def test_two_reads_in_a_row_are_two_measurements_and_a_busy_chip_is_waited_for(tmp_path: Path) -> None:
    chip = Bme680Chip()
    sensor, _ = gas_sensor(tmp_path, chip)
    async with sensor:
        chip.temperature = 20.0
        first = by_quantity(await sensor.read())[Quantity.TEMPERATURE].value
        chip.temperature, chip.conversion_reads = 30.0, 5
        second = by_quantity(await sensor.read())[Quantity.TEMPERATURE].value

    assert (round(first), round(second)) == (20, 30)
    assert chip.measurements == 2


@pytest.mark.real
async def test_gas_warms_up_until_the_burn_in_is_over_and_again_after_each_opening(tmp_path: Path) -> None:
    clock = SimulatedClock(factor=10_000)
    sensor, _ = gas_sensor(tmp_path, Bme680Chip(), clock)
    for _ in range(2):
        async with sensor:
            cold = by_quantity(await sensor.read())
            await clock.sleep_until(Instant(clock.now() + round(BURN_IN_S * 1e9)))
            warm = by_quantity(await sensor.read())

        assert cold[Quantity.GAS_RESISTANCE].quality is Quality.WARMING_UP
        assert cold[Quantity.TEMPERATURE].quality is Quality.GOOD
        assert warm[Quantity.GAS_RESISTANCE].quality is Quality.GOOD
        assert warm[Quantity.GAS_RESISTANCE].at == clock.now()


@pytest.mark.real
@pytest.mark.parametrize("status", [0x00, 0x10, 0x20], ids=["neither", "no gas conversion", "heater too cold"])
async def test_gas_measured_with_an_unstable_heater_is_warming_up(tmp_path: Path, status: int) -> None:
    clock = SimulatedClock(factor=10_000)
    chip = Bme680Chip()
    sensor, _ = gas_sensor(tmp_path, chip, clock)
    async with sensor:
        await clock.sleep_until(Instant(round(BURN_IN_S * 1e9)))
        chip.gas_status = status
        read = by_quantity(await sensor.read())

    assert read[Quantity.GAS_RESISTANCE].quality is Quality.WARMING_UP


@pytest.mark.parametrize(
    ("quantity", "value", "quality"),
    [
        (Quantity.TEMPERATURE, -40.0, Quality.GOOD),
        (Quantity.TEMPERATURE, 85.1, Quality.BAD),
        (Quantity.PRESSURE, 299.9, Quality.BAD),
        (Quantity.PRESSURE, 1100.0, Quality.GOOD),
        (Quantity.HUMIDITY, 100.0, Quality.GOOD),
        (Quantity.GAS_RESISTANCE, 0.0, Quality.BAD),
        (Quantity.GAS_RESISTANCE, float("nan"), Quality.BAD),
    ],
)
def test_a_value_out_of_the_datasheets_range_is_bad(quantity: Quantity, value: float, quality: Quality) -> None:
    (reading,) = readings(SourceId("duct-gas"), Measurement({quantity: value}, True), Instant(0), burnt_in=True)

    assert reading.quality is quality


@pytest.mark.real
@pytest.mark.parametrize(
    ("chip_id", "found"), [(0x60, "a BME280|BME280"), (0x58, "BMP280"), (0x42, "a chip"), (0xFF, "silence")]
)
async def test_another_chip_is_named_and_not_touched(tmp_path: Path, chip_id: int, found: str) -> None:
    chip = Bme680Chip(chip_id=chip_id)
    sensor, kernel = gas_sensor(tmp_path, chip)

    with pytest.raises(Absent, match=rf"duct-gas: found ({found}) \(id 0x{chip_id:02x}\), not a BME680"):
        await sensor.__aenter__()

    assert kernel.transfers == [[(0x77, 0, 1), (0x77, 1, 1)]]


@pytest.mark.real
async def test_a_chip_disturbed_while_it_is_opened_is_tried_again_later(tmp_path: Path) -> None:
    sensor, kernel = gas_sensor(tmp_path, Bme680Chip(variant=0xFF))
    with pytest.raises(Absent, match=r"its calibration makes no sense .variant 0xff, which there is not"):
        await sensor.__aenter__()

    kernel.chips[0x77] = Bme680Chip(ids=(0x61, 0x41))
    with pytest.raises(Absent, match=r"its calibration makes no sense .*0x41"):
        await sensor.__aenter__()


@pytest.mark.real
async def test_no_chip_is_absent_and_it_is_found_when_it_is_plugged_in(tmp_path: Path) -> None:
    sensor, kernel = gas_sensor(tmp_path, None)
    with pytest.raises(
        Absent, match=r"duct-gas: no answer at 0x77 on .*i2c-1\. Check the sensor cable, then i2cdetect -y 1\."
    ):
        await sensor.__aenter__()

    kernel.chips[0x77] = Bme680Chip()
    async with sensor:
        assert len(await sensor.read()) == 4


@pytest.mark.real
async def test_a_chip_that_falls_off_the_bus_is_lost(tmp_path: Path) -> None:
    sensor, kernel = gas_sensor(tmp_path, Bme680Chip())
    async with sensor:
        kernel.fails_with = errno.EREMOTEIO
        with pytest.raises(Lost, match="no answer at 0x77"):
            await sensor.read()


@pytest.mark.real
async def test_calibration_full_of_zeros_is_bad_data(tmp_path: Path) -> None:
    chip = Bme680Chip()
    chip.set(0x8E, 0)
    chip.set(0x8F, 0)  # par_p1, by which the pressure is divided
    sensor, _ = gas_sensor(tmp_path, chip)
    async with sensor:
        with pytest.raises(BadData, match="measured nonsense"):
            await sensor.read()


@pytest.mark.real
async def test_a_bus_that_hangs_in_the_kernel_delays_nobody_else(tmp_path: Path) -> None:
    sensor, kernel = gas_sensor(tmp_path, Bme680Chip())
    async with sensor:
        kernel.gate.clear()
        hanging = asyncio.create_task(sensor.read())
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1
        assert not hanging.done()
        kernel.gate.set()
        assert len(await hanging) == 4


@pytest.mark.real
@pytest.mark.parametrize("board", ["RASPBERRY_PI_4B BCM2XXX", "ORANGE_PI_PC H3", "NO_SUCH_BOARD NO_SUCH_CHIP"])
def test_the_library_is_imported_without_blinka_on_boards_that_blinka_knows_and_on_others(board: str) -> None:
    name, chip = board.split()
    program = (
        "import sys; from drivers.i2c import bme680; bme680._chip_class();"
        "assert not {'board', 'busio', 'digitalio', 'adafruit_platformdetect'} & set(sys.modules)"
    )
    environment = os.environ | {"BLINKA_FORCEBOARD": name, "BLINKA_FORCECHIP": chip}

    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)


def test_an_address_that_no_bme680_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"address 0x76 \(118\) or 0x77 \(119\), not 0x12"):
        from_table({"name": "duct-gas", "driver": "bme680", "address": 0x12}, Bme680Settings)
