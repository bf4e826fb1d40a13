from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import Absent, BadData, Lost
from drivers.settings import Duration, from_table
from drivers.types import NS_PER_S, Instant, Quality, Quantity
from drivers.uart.pms5003 import Pms5003, Pms5003Settings
from hil.rig.plantower import CLEAN_AIR, DIRTY_AIR, frame, spoilt
from tests.drivers.uart.sensor import Pms5003OnAPty

pytestmark = pytest.mark.real

LONG_S = 30.0


@pytest.fixture
def sensor() -> Iterator[Pms5003OnAPty]:
    with Pms5003OnAPty() as sensor:
        yield sensor


def dust_sensor(port: Path, *, every_s: float, patience_s: float = LONG_S) -> tuple[Pms5003, SimulatedClock]:
    clock = SimulatedClock(factor=10_000)
    settings = Pms5003Settings(
        name="duct-dust",
        driver="pms5003",
        port=port,
        period=Duration(every_s),
        patience=Duration(patience_s),
        sleep_from=Duration(100),
    )
    return Pms5003(settings, clock), clock


async def told(sensor: Pms5003OnAPty, count: int) -> list[str]:
    return [await asyncio.to_thread(sensor.told.get, True, LONG_S) for _ in range(count)]


async def test_frequent_readings_keep_the_laser_on_and_warm_up_once(sensor: Pms5003OnAPty) -> None:
    device, clock = dust_sensor(sensor.path, every_s=10)
    async with device:
        cold = await device.read()
        await clock.sleep_until(Instant(30 * NS_PER_S))
        warm = await device.read()

    assert {reading.quality for reading in cold} == {Quality.WARMING_UP}
    assert {reading.quality for reading in warm} == {Quality.GOOD}
    assert [reading.value for reading in warm] == list(CLEAN_AIR)
    assert await told(sensor, 3) == ["wake", "active", "sleep"]  # the last on exit


async def test_readings_far_apart_let_the_laser_sleep_in_between(sensor: Pms5003OnAPty) -> None:
    device, _ = dust_sensor(sensor.path, every_s=300)
    async with device:
        first = await device.read()
        assert await told(sensor, 3) == ["wake", "active", "sleep"]
        assert not sensor.awake
        second = await device.read()

    assert [first[0].at, second[0].at] == [30 * NS_PER_S, 60 * NS_PER_S]  # each after its warm-up
    assert {reading.quality for reading in (*first, *second)} == {Quality.GOOD}
    assert await told(sensor, 4) == ["wake", "active", "sleep", "sleep"]


async def test_a_frame_that_waited_in_the_buffer_is_not_handed_out_as_new(sensor: Pms5003OnAPty) -> None:
    device, _ = dust_sensor(sensor.path, every_s=10)
    async with device:
        before = device.decoder.frames
        sensor.sends = frame(CLEAN_AIR) * 60  # more than the kernel hands out at once
        await asyncio.to_thread(sensor.let_it_send, 5)
        sensor.sends = frame(DIRTY_AIR)
        await asyncio.to_thread(sensor.let_it_send, 1)

        readings = await device.read()

    assert {r.quantity: r.value for r in readings}[Quantity.PM2_5] == DIRTY_AIR[1]
    assert device.decoder.frames > before + 100  # counted, all the same


async def test_a_sensor_left_in_passive_mode_by_another_program_is_told_to_talk(sensor: Pms5003OnAPty) -> None:
    sensor.awake = sensor.active = False
    device, _ = dust_sensor(sensor.path, every_s=10)
    async with device:
        assert len(await device.read()) == 9


async def test_disturbances_between_good_frames_are_counted_and_overheard(sensor: Pms5003OnAPty) -> None:
    sensor.sends = b"\x00\xffBM" + spoilt(frame(DIRTY_AIR)) + frame(CLEAN_AIR) + b"\x42"
    device, _ = dust_sensor(sensor.path, every_s=10)
    async with device:
        assert [reading.value for reading in await device.read()] == list(CLEAN_AIR)
    assert device.decoder.checksum_failures > 0
    assert device.decoder.noise_bytes > 0


async def test_noise_without_a_frame_is_bad_data(sensor: Pms5003OnAPty) -> None:
    device, _ = dust_sensor(sensor.path, every_s=10, patience_s=1.5)
    async with device:
        sensor.sends = spoilt(frame())
        await asyncio.to_thread(sensor.let_it_send, 2)
        with pytest.raises(
            BadData, match=r"duct-dust: heard \d+ bytes of noise, with \d+ disturbed frames, in 1\.5 s\. Check"
        ):
            await device.read()


async def test_a_silent_sensor_is_lost_and_a_silent_port_has_none(sensor: Pms5003OnAPty) -> None:
    sensor.obeys = False
    device, _ = dust_sensor(sensor.path, every_s=10, patience_s=1.5)
    async with device:
        sensor.awake = False
        await asyncio.to_thread(sensor.let_it_send, 0)
        with pytest.raises(Lost, match=r"duct-dust: silent for 1\.5 s\. Check its 5 V supply"):
            await device.read()
    with pytest.raises(Absent, match=r"silent for 1\.5 s"):
        await device.__aenter__()


async def test_an_unplugged_adapter_is_lost_and_found_again_by_the_same_name(
    sensor: Pms5003OnAPty, tmp_path: Path
) -> None:
    by_id = tmp_path / "usb-serial"
    by_id.symlink_to(sensor.path)
    device, _ = dust_sensor(by_id, every_s=10)
    async with device:
        sensor.unplug()
        with pytest.raises(Lost, match="usb-serial failed"):
            await device.read()
    by_id.unlink()
    with pytest.raises(Absent, match=r"there is no .*usb-serial"):
        await device.__aenter__()

    with Pms5003OnAPty() as again:
        by_id.symlink_to(again.path)
        async with device:
            assert len(await device.read()) == 9


async def test_the_laser_is_put_to_sleep_when_the_reader_is_cancelled(sensor: Pms5003OnAPty) -> None:
    device, _ = dust_sensor(sensor.path, every_s=10)
    reading = asyncio.Event()

    async def read_for_ever() -> None:
        async with device:
            while True:
                await device.read()
                reading.set()

    task = asyncio.create_task(read_for_ever())
    await reading.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert await told(sensor, 3) == ["wake", "active", "sleep"]


def test_there_must_be_time_for_warm_up_and_reading_before_it_pays_to_sleep() -> None:
    table = {"name": "duct-dust", "driver": "pms5003", "port": "/dev/ttyS1", "sleep_from": "30s"}
    with pytest.raises(ValueError, match="sleep_from must leave time to warm up and to read: 40 s or more"):
        from_table(table, Pms5003Settings)


def test_a_port_is_claimed_whole() -> None:
    table = {"name": "duct-dust", "driver": "pms5003", "port": "/dev/ttyS1"}
    assert from_table(table, Pms5003Settings).claims() == ("/dev/ttyS1",)
