from __future__ import annotations

import errno
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import Absent, BadData, Lost
from drivers.i2c.pmsa003i import Pmsa003i, Pmsa003iSettings
from drivers.settings import from_table
from drivers.types import NS_PER_S, Instant, Quality, Quantity
from hil.rig.plantower import CLEAN_AIR, DIRTY_AIR, frame, spoilt
from tests.drivers.i2c.kernel import Kernel

pytestmark = pytest.mark.real


class Sensor:
    """Sends its frames one after the other, and the last for ever."""

    def __init__(self, *frames: bytes) -> None:
        self.frames = list(frames)

    def write(self, data: bytes) -> None:
        raise AssertionError(f"nobody writes {data!r} to a PMSA003I")

    def read(self, length: int) -> bytes:
        return (self.frames.pop(0) if len(self.frames) > 1 else self.frames[0])[:length]


def dust_sensor(tmp_path: Path, sensor: Sensor | None, clock: SimulatedClock) -> tuple[Pmsa003i, Kernel]:
    bus = tmp_path / "i2c-1"
    kernel = Kernel(bus, {} if sensor is None else {0x12: sensor})
    settings = Pmsa003iSettings(name="duct-dust", driver="pmsa003i", bus=bus)
    return Pmsa003i(settings, clock, ioctl=kernel.ioctl), kernel


async def test_particles_count_once_the_fan_has_run_for_30_s(tmp_path: Path) -> None:
    clock = SimulatedClock(factor=10_000)
    device, _ = dust_sensor(tmp_path, Sensor(frame(), frame(), frame(DIRTY_AIR)), clock)
    async with device:
        cold = await device.read()
        await clock.sleep_until(Instant(30 * NS_PER_S))
        warm = await device.read()

    assert {reading.quality for reading in cold} == {Quality.WARMING_UP}
    assert {reading.quality for reading in warm} == {Quality.GOOD}
    assert [reading.value for reading in cold] == list(CLEAN_AIR)
    assert [reading.value for reading in warm] == list(DIRTY_AIR)
    assert warm[1].quantity is Quantity.PM2_5


async def test_a_frame_that_changed_while_it_was_read_is_read_again(tmp_path: Path) -> None:
    device, _ = dust_sensor(tmp_path, Sensor(frame(), spoilt(frame()), spoilt(frame()), frame()), SimulatedClock())
    async with device:
        assert [reading.value for reading in await device.read()] == list(CLEAN_AIR)


@pytest.mark.parametrize("sent", [spoilt(frame()), bytes(32), b"\xff" * 32], ids=["disturbed", "zeros", "ones"])
async def test_rubbish_is_bad_data(tmp_path: Path, sent: bytes) -> None:
    device, _ = dust_sensor(tmp_path, Sensor(sent), SimulatedClock())
    async with device:
        with pytest.raises(BadData, match=r"duct-dust: sent 3 frames with a bad checksum\. Check its 5 V supply"):
            await device.read()


async def test_a_sensor_that_reports_an_error_is_not_believed(tmp_path: Path) -> None:
    device, _ = dust_sensor(tmp_path, Sensor(frame(error=1)), SimulatedClock())
    async with device:
        assert {reading.quality for reading in await device.read()} == {Quality.BAD}


async def test_no_sensor_is_absent_and_one_that_falls_off_is_lost(tmp_path: Path) -> None:
    device, kernel = dust_sensor(tmp_path, None, SimulatedClock())
    with pytest.raises(Absent, match="duct-dust: no answer at 0x12"):
        await device.__aenter__()

    kernel.chips[0x12] = Sensor(frame())
    async with device:
        kernel.fails_with = errno.EREMOTEIO
        with pytest.raises(Lost, match="no answer at 0x12"):
            await device.read()


def test_its_address_is_fixed() -> None:
    with pytest.raises(ValueError, match=r"address 0x12 \(18\), not 0x77"):
        from_table({"name": "duct-dust", "driver": "pmsa003i", "address": 0x77}, Pmsa003iSettings)
