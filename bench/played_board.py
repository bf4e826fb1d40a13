"""`python -m bench.played_board run ...`: `ductwatch` as it is on a board with all its hardware, without the hardware.

A BME680 answers through the real driver and the maker's library, on a bus that is played. The libraries that cameras
and GPIO lines would bring in when they are opened are loaded, and that is all of them.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from drivers.i2c.bme680 import Bme680, Bme680Settings
from firmware import devices
from firmware.__main__ import main
from firmware.devices import AIR, Driver
from hil.rig.bme680 import Bme680Chip
from tests.drivers.i2c.kernel import Kernel

LIBRARIES = ("linuxpy.video.device", "linuxpy.gpio.device", "gpiozero")


class PlayedBus:
    """Opens when the sensor is made: the bus's file must be there before the driver looks for it."""

    def __init__(self, bus: Path, address: int) -> None:
        self.ioctl = Kernel(bus, {address: Bme680Chip()}).ioctl


def add_played_gas() -> None:
    rows = cast(dict[str, Driver], devices.SENSORS)
    rows["played-bme680"] = Driver(
        Bme680Settings,
        lambda it, site: Bme680(it, site.clock, ioctl=PlayedBus(it.bus, it.address).ioctl),
        quantities=AIR,
    )


if __name__ == "__main__":
    add_played_gas()
    for library in LIBRARIES:
        importlib.import_module(library)
    main()
