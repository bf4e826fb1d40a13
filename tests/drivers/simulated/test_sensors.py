from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import Absent, BadData, DriverError, Lost
from drivers.settings import Duration, from_table
from drivers.simulated.faults import Faults, parse_fault
from drivers.simulated.sensors import (
    SimulatedGasSettings,
    SimulatedParticulatesSettings,
    SimulatedSensor,
    simulated_gas,
    simulated_particulates,
)
from drivers.simulated.world import World
from drivers.types import Quality, Quantity, Reading
from tests.builders import at

Make = Callable[[World, SimulatedClock], SimulatedSensor]


def gas(world: World, clock: SimulatedClock) -> SimulatedSensor:
    settings = SimulatedGasSettings(name="duct-gas", driver="simulated-gas", warm_up=Duration(12))
    return simulated_gas(settings, world, clock)


def particulates(world: World, clock: SimulatedClock) -> SimulatedSensor:
    settings = SimulatedParticulatesSettings(name="duct-pm", driver="simulated-particulates", warm_up=Duration(6))
    return simulated_particulates(settings, world, clock)


BOTH = pytest.mark.parametrize("make", [gas, particulates])


def sensor(make: Make, clock: SimulatedClock, *faults: str, seed: int = 1) -> SimulatedSensor:
    return make(World(seed, clock, Faults(map(parse_fault, faults))), clock)


async def watched(make: Make, *faults: str, factor: float = 1.0, seed: int = 1, seconds: int = 60) -> list[object]:
    """What the sensor says every second: its readings, or the kind of its error."""
    clock = SimulatedClock(factor)
    found: list[object] = []
    async with sensor(make, clock, *faults, seed=seed) as device:
        for second in range(seconds):
            await clock.sleep_until(at(second))
            try:
                found.append(await device.read())
            except DriverError as error:
                found.append(type(error))
    return found


def values(readings: Sequence[Reading]) -> dict[Quantity, float]:
    return {reading.quantity: reading.value for reading in readings}


@BOTH
async def test_one_seed_gives_the_same_readings_whatever_the_time_factor(make: Make) -> None:
    slow, fast = await watched(make, factor=1), await watched(make, factor=997.3)

    assert slow == fast
    assert slow != await watched(make, seed=2)


async def test_a_gas_sensor_shows_the_air_and_warms_its_heater_up_first() -> None:
    clock = SimulatedClock()
    async with sensor(gas, clock) as device:
        await clock.sleep_until(at(11.9))
        warming = await device.read()
        await clock.sleep_until(at(12))
        warm = await device.read()

    assert {reading.quantity for reading in warming if reading.quality is Quality.WARMING_UP} == {
        Quantity.GAS_RESISTANCE
    }
    assert all(reading.quality is Quality.GOOD for reading in warm)
    assert 15 < values(warm)[Quantity.TEMPERATURE] < 30
    assert {reading.at for reading in warm} == {at(12)}


async def test_a_particulate_sensor_settles_after_each_opening() -> None:
    clock = SimulatedClock()
    device = sensor(particulates, clock)
    async with device:
        await clock.sleep_until(at(6))
        settled = await device.read()
    async with device:
        opened_again = await device.read()

    assert {reading.quality for reading in settled} == {Quality.GOOD}
    assert {reading.quality for reading in opened_again} == {Quality.WARMING_UP}


async def test_particulates_come_in_whole_numbers_and_fewer_the_larger_they_are() -> None:
    readings = (await watched(particulates))[-1]
    assert isinstance(readings, list)
    shown = values(readings)
    counts = [value for quantity, value in shown.items() if quantity.signal.startswith("count")]

    assert all(value == int(value) for value in shown.values())
    assert counts == sorted(counts, reverse=True)
    assert shown[Quantity.PM1] <= shown[Quantity.PM2_5] <= shown[Quantity.PM10]


@BOTH
async def test_a_dead_sensor_is_lost_absent_when_opened_again_and_back_when_the_fault_ends(make: Make) -> None:
    clock = SimulatedClock()
    device = sensor(make, clock, "sensor-dead@20s+30s")
    async with device:
        await device.read()
        await clock.sleep_until(at(20))
        with pytest.raises(Lost, match=r"no longer answers\. Check its cable"):
            await device.read()
    with pytest.raises(Absent, match="no answer"):
        await device.__aenter__()
    await clock.sleep_until(at(50))
    async with device:
        assert await device.read()


@BOTH
async def test_rubbish_is_a_wrong_checksum_or_values_marked_as_bad_never_good_ones(make: Make) -> None:
    found = await watched(make, "sensor-rubbish")
    bad = [readings for readings in found if isinstance(readings, list)]

    assert BadData in found
    assert bad
    assert {reading.quality for readings in bad for reading in readings} == {Quality.BAD}


async def test_noise_makes_particulates_jump_and_leaves_gas_alone() -> None:
    def largest(found: list[object]) -> float:
        return max(values(readings)[Quantity.PM2_5] for readings in found if isinstance(readings, list))

    assert largest(await watched(particulates)) < 15
    assert largest(await watched(particulates, "particulates-noise")) > 400
    assert await watched(gas) == await watched(gas, "particulates-noise")


async def test_a_fault_of_one_sensor_leaves_the_other_alone() -> None:
    assert await watched(gas, "sensor-dead:duct-pm") == await watched(gas)
    assert (await watched(particulates, "sensor-dead:duct-pm@1s", seconds=3))[1:] == [Lost, Lost]


@pytest.mark.real
async def test_a_sensor_that_hangs_is_lost_cannot_be_opened_and_comes_back_when_the_fault_ends() -> None:
    clock = SimulatedClock(factor=1000)
    device = sensor(gas, clock, "sensor-hangs@0s+30s")
    async with device:
        with pytest.raises(Lost, match="no answer within 2 s"):
            await device.read()
    with pytest.raises(Absent, match="still hangs"):
        await device.__aenter__()
    assert await _read_again(device, clock, from_s=30)


async def _read_again(device: SimulatedSensor, clock: SimulatedClock, *, from_s: int) -> Sequence[Reading]:
    """Try every second of the duct's time, as a supervisor does: the hanging thread notices when it looks next."""
    for second in range(from_s, from_s + 60_000):
        await clock.sleep_until(at(second))
        with suppress(Absent):
            async with device:
                return await device.read()
    return []


def test_both_can_be_named_in_a_configuration_file() -> None:
    table = {"name": "duct-gas", "driver": "simulated-gas", "period": "1s", "warm_up": "2min"}

    settings = from_table(table, SimulatedGasSettings)

    assert (settings.period.ns, settings.warm_up.ns) == (1_000_000_000, 120_000_000_000)
