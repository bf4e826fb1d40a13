"""The one table of drivers. A driver is a row here, a file in `drivers/`, and a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.board import Board as BoardHealth
from drivers.board import BoardSettings
from drivers.camera.rendered import RenderedCamera, RenderedSettings
from drivers.camera.replay import ReplayCamera, ReplaySettings
from drivers.camera.v4l2 import V4l2Camera, V4l2Settings
from drivers.clock import Clock
from drivers.gpio.input import GpioInput, GpioInputSettings
from drivers.gpio.output import GpioOutput, GpioOutputSettings
from drivers.i2c.bme680 import Bme680, Bme680Settings
from drivers.i2c.pmsa003i import Pmsa003i, Pmsa003iSettings
from drivers.iio.pressure import Pressure, PressureSettings
from drivers.iio.sps30 import Sps30, Sps30Settings
from drivers.settings import Settings
from drivers.simulated.lines import (
    SimulatedInput,
    SimulatedInputSettings,
    SimulatedOutput,
    SimulatedOutputSettings,
)
from drivers.simulated.sensors import (
    SimulatedGasSettings,
    SimulatedParticulatesSettings,
    simulated_gas,
    simulated_particulates,
)
from drivers.simulated.world import World
from drivers.types import Quantity
from drivers.uart.pms5003 import Pms5003, Pms5003Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where devices are: on which clock, in which simulated duct if any, with which data directory."""

    clock: Clock
    world: World | None
    data: Path

    @property
    def simulated(self) -> World:
        if self.world is None:
            raise ValueError("a simulated device outside a simulated duct")
        return self.world


@dataclass(frozen=True, slots=True)
class Driver:
    """How a driver is configured, how it is made from that, and what it measures. `simulated` ones need a world."""

    settings: type[Settings]
    make: Callable[[Any, Site], Any]
    simulated: bool = False
    quantities: tuple[Quantity, ...] = ()


Q = Quantity
AIR = (Q.TEMPERATURE, Q.HUMIDITY, Q.PRESSURE, Q.GAS_RESISTANCE)
PLANTOWER = (
    *(Q.PM1, Q.PM2_5, Q.PM10),
    *(Q.COUNT_0_3, Q.COUNT_0_5, Q.COUNT_1_0, Q.COUNT_2_5, Q.COUNT_5_0, Q.COUNT_10),
)
SPS30 = (Q.PM1, Q.PM2_5, Q.PM4, Q.PM10)
OWN_HEALTH = (Q.CPU_TEMPERATURE, Q.CPU_LOAD, Q.MEMORY_USED, Q.DISK_USED, Q.CLOCK_SYNCHRONISED, Q.RESIDENT)

CAMERAS: Mapping[str, Driver] = {
    "v4l2": Driver(V4l2Settings, lambda it, site: V4l2Camera(it, site.clock)),
    "replay": Driver(ReplaySettings, lambda it, site: ReplayCamera(it, site.clock)),
    "rendered": Driver(RenderedSettings, lambda it, site: RenderedCamera(it, site.simulated, site.clock), True),
}
SENSORS: Mapping[str, Driver] = {
    "bme680": Driver(Bme680Settings, lambda it, site: Bme680(it, site.clock), quantities=AIR),
    "pms5003": Driver(Pms5003Settings, lambda it, site: Pms5003(it, site.clock), quantities=PLANTOWER),
    "pmsa003i": Driver(Pmsa003iSettings, lambda it, site: Pmsa003i(it, site.clock), quantities=PLANTOWER),
    "sps30": Driver(Sps30Settings, lambda it, site: Sps30(it, site.clock), quantities=SPS30),
    "iio-pressure": Driver(
        PressureSettings, lambda it, site: Pressure(it, site.clock), quantities=(Q.DIFFERENTIAL_PRESSURE,)
    ),
    "board": Driver(BoardSettings, lambda it, site: BoardHealth(it, site.clock), quantities=OWN_HEALTH),
    "simulated-gas": Driver(
        SimulatedGasSettings, lambda it, site: simulated_gas(it, site.simulated, site.clock), True, AIR
    ),
    "simulated-particulates": Driver(
        SimulatedParticulatesSettings,
        lambda it, site: simulated_particulates(it, site.simulated, site.clock),
        True,
        PLANTOWER,
    ),
}
OUTPUTS: Mapping[str, Driver] = {
    "gpio": Driver(GpioOutputSettings, lambda it, site: GpioOutput(it, site.clock)),
    "simulated-output": Driver(SimulatedOutputSettings, lambda it, site: SimulatedOutput(it, site.simulated), True),
}
INPUTS: Mapping[str, Driver] = {
    "gpio": Driver(GpioInputSettings, lambda it, site: GpioInput(it, site.clock)),
    "simulated-input": Driver(
        SimulatedInputSettings, lambda it, site: SimulatedInput(it, site.simulated, site.clock), True
    ),
}

FAMILIES: Mapping[str, Mapping[str, Driver]] = {
    "camera": CAMERAS,
    "sensor": SENSORS,
    "light": OUTPUTS,
    "output": OUTPUTS,
    "fan": INPUTS,
    "button": INPUTS,
}
"""Tables of the configuration file, each with the drivers that it may name."""


def make(family: str, settings: Settings, site: Site) -> Any:
    """The device that a table of the configuration describes, not opened yet."""
    return FAMILIES[family][settings.driver].make(settings, site)


def quantities(sensor: Settings) -> tuple[Quantity, ...]:
    return SENSORS[sensor.driver].quantities


def is_plantower(sensor: Settings) -> bool:
    """Whether it is one of that maker's, or shows what one would show."""
    return quantities(sensor) == PLANTOWER


def is_simulated(family: str, settings: Settings) -> bool:
    return FAMILIES[family][settings.driver].simulated
