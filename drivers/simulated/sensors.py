"""Simulated gas and particulate sensors: the air of the simulated duct, as the real sensors would show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.settings import Duration, SensorSettings
from drivers.simulated.ailment import Ailment
from drivers.simulated.course import chance, noise
from drivers.simulated.faults import Fault
from drivers.simulated.world import World
from drivers.types import Instant, Quality, Quantity, Reading, SourceId

ALL_ONES = 65535.0  # what a bus without an answer reads, in 16 bits
WILD_SHARE, WILD_UG_M3 = 0.4, 900.0  # of a particulate sensor whose values jump: how often, and how far


class SimulatedGasSettings(SensorSettings, frozen=True, kw_only=True):
    """`warm_up` is how long after opening the gas resistance is shown but not judged: some minutes on a BME680."""

    warm_up: Duration = Duration(12.0)


class SimulatedParticulatesSettings(SensorSettings, frozen=True, kw_only=True):
    """`warm_up` is how long the sensor's own fan settles: 30 s on a PMS5003 (datasheet)."""

    warm_up: Duration = Duration(6.0)


Values = Mapping[Quantity, float]
Measure = Callable[[World, SourceId, Instant], Values]


class SimulatedSensor:
    """Shows what `measure` makes of the duct. `warming` are the quantities that settle for a while after opening."""

    def __init__(
        self,
        settings: SimulatedGasSettings | SimulatedParticulatesSettings,
        measure: Measure,
        warming: frozenset[Quantity],
        world: World,
        clock: Clock,
    ) -> None:
        self._source = SourceId(settings.name)
        self._warm_up_ns = settings.warm_up.ns
        self._measure = measure
        self._warming = warming
        self._world = world
        self._clock = clock
        self._ailment = Ailment(self._source, world, clock)
        self._opened = clock.now()

    @property
    def source(self) -> SourceId:
        return self._source

    async def __aenter__(self) -> Self:
        self._ailment.admit()
        self._opened = self._clock.now()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is held."""

    async def read(self) -> Sequence[Reading]:
        at = self._clock.now()
        rubbish = await self._ailment.endure()
        values = self._measure(self._world, self._source, at)
        if rubbish:
            values = dict.fromkeys(values, ALL_ONES)
        warming = self._warming if at - self._opened < self._warm_up_ns else frozenset()
        return [
            Reading(
                source=self._source,
                quantity=quantity,
                value=value,
                at=at,
                quality=Quality.BAD if rubbish else Quality.WARMING_UP if quantity in warming else Quality.GOOD,
            )
            for quantity, value in values.items()
        ]


def simulated_gas(settings: SimulatedGasSettings, world: World, clock: Clock) -> SimulatedSensor:
    return SimulatedSensor(settings, gas, frozenset({Quantity.GAS_RESISTANCE}), world, clock)


def simulated_particulates(settings: SimulatedParticulatesSettings, world: World, clock: Clock) -> SimulatedSensor:
    return SimulatedSensor(settings, particulates, PARTICULATES, world, clock)


def gas(world: World, source: SourceId, at: Instant) -> Values:
    """Temperature, humidity, pressure and gas resistance, in the steps and with about the noise of a BME680."""
    air = world.air(at)

    def noisy(quantity: Quantity) -> float:
        return noise(world.key(source, quantity.signal, at))

    return {
        Quantity.TEMPERATURE: round(air.temperature_c + 0.02 * noisy(Quantity.TEMPERATURE), 2),
        Quantity.HUMIDITY: round(air.humidity_percent + 0.08 * noisy(Quantity.HUMIDITY), 2),
        Quantity.PRESSURE: round(air.pressure_hpa + 0.03 * noisy(Quantity.PRESSURE), 2),
        Quantity.GAS_RESISTANCE: float(round(air.gas_ohm * (1 + 0.004 * noisy(Quantity.GAS_RESISTANCE)))),
    }


PARTICULATES = frozenset(
    {
        Quantity.PM1,
        Quantity.PM2_5,
        Quantity.PM10,
        Quantity.COUNT_0_3,
        Quantity.COUNT_0_5,
        Quantity.COUNT_1_0,
        Quantity.COUNT_2_5,
        Quantity.COUNT_5_0,
        Quantity.COUNT_10,
    }
)


def particulates(world: World, source: SourceId, at: Instant) -> Values:
    """PM in ug/m3 and particles in 0.1 l from a size up, in the whole numbers and proportions of a PMS5003."""
    air = world.air(at)
    gust_ug_m3 = _gust_ug_m3(world, source, at)
    pm1 = air.pm1_ug_m3 + 0.4 * gust_ug_m3
    pm2_5 = air.pm2_5_ug_m3 + gust_ug_m3
    pm10 = air.pm10_ug_m3 + 1.7 * gust_ug_m3
    exact = {
        Quantity.PM1: pm1,
        Quantity.PM2_5: pm2_5,
        Quantity.PM10: pm10,
        Quantity.COUNT_0_3: 270 * pm1,
        Quantity.COUNT_0_5: 75 * pm1,
        Quantity.COUNT_1_0: 10 * pm2_5,
        Quantity.COUNT_2_5: 1.0 * pm10,
        Quantity.COUNT_5_0: 0.3 * pm10,
        Quantity.COUNT_10: 0.1 * pm10,
    }
    return {
        quantity: float(max(0, round(value * (1 + 0.05 * noise(world.key(source, quantity.signal, at))))))
        for quantity, value in exact.items()
    }


def _gust_ug_m3(world: World, source: SourceId, at: Instant) -> float:
    key = world.key(source, "wild", at)
    if world.failing_s(Fault.PARTICULATES_NOISE, source, at) is None or chance(key) > WILD_SHARE:
        return 0.0
    return WILD_UG_M3 * chance(key + "/size")
