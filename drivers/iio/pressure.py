"""Differential pressure, such as across a filter, from any sensor with a kernel driver that shows one pressure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.errors import Absent, BadData, Lost
from drivers.faults import reported_as
from drivers.iio.files import DEVICES, Rubbish, find, number
from drivers.settings import SensorSettings
from drivers.thread_bound import ThreadBound
from drivers.types import Quality, Quantity, Reading, SourceId

PA_PER_KPA = 1000.0  # the unit of IIO's pressures: Documentation/ABI/testing/sysfs-bus-iio, in_pressure_raw
SDP500 = (
    "sdp500"  # its driver shows Pa, and its 16 bits without their sign: drivers/iio/pressure/sdp500.c of Linux 6.13
)
BITS_16 = 1 << 16
MOST_PA = 100_000.0  # no duct, and no sensor for one, comes near it
READ_LIMIT_S = 5.0  # three files; an adapter times out after 1 s by default
CHECK = "Check its cable and its supply"


class PressureSettings(SensorSettings, frozen=True, kw_only=True):
    """`chip` is the name that its driver gives it, as in `cat /sys/bus/iio/devices/*/name`; `parent` chooses among
    several of that name by what they hang on, as in `ls /sys/bus/i2c/devices`: `1-0040`."""

    chip: str
    parent: str = ""

    def claims(self) -> tuple[str, ...]:
        return (f"{self.chip} {self.parent or 'of this board'}",)


class Pressure:
    """The sensor behind its files, found by name."""

    def __init__(
        self, settings: PressureSettings, clock: Clock, *, devices: Path = DEVICES, read_limit_s: float = READ_LIMIT_S
    ) -> None:
        self.source = SourceId(settings.name)
        self._settings = settings
        self._clock = clock
        self._devices = devices
        self._read_limit_s = read_limit_s
        self._files = ThreadBound(self.source, f"the {settings.chip}", self._open)

    async def __aenter__(self) -> Self:
        with reported_as(Absent, self.source):
            await self._files.open(limit_s=self._read_limit_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._files.close()

    async def read(self) -> Sequence[Reading]:
        with reported_as(Lost, self.source):
            try:
                pascals = await self._files.call(self._read, limit_s=self._read_limit_s)
            except Rubbish as rubbish:
                raise BadData(self.source, rubbish.problem, remedy=rubbish.remedy) from rubbish
        return (
            Reading(
                source=self.source,
                quantity=Quantity.DIFFERENTIAL_PRESSURE,
                value=pascals,
                at=self._clock.now(),
                quality=Quality.GOOD if math.isfinite(pascals) and abs(pascals) <= MOST_PA else Quality.BAD,
            ),
        )

    def _open(self) -> Path:
        chip = self._settings.chip
        device = find(
            self._devices,
            chip,
            called=chip,
            parent=self._settings.parent,
            absent=f"Check its cable, then modprobe its driver and tell the bus: "
            f"echo {chip} 0x40 > /sys/bus/i2c/devices/i2c-1/new_device.",
        )
        self._read(device)
        return device

    def _read(self, device: Path) -> float:
        """In Pa. What a driver computes itself is in `input`; otherwise it is (raw + offset) times scale."""
        if (device / "in_pressure_input").exists():
            return PA_PER_KPA * self._number(device / "in_pressure_input")
        raw, scale = self._number(device / "in_pressure_raw"), self._number(device / "in_pressure_scale")
        if self._settings.chip == SDP500:
            return (raw - BITS_16 if raw >= BITS_16 / 2 else raw) * scale
        offset = device / "in_pressure_offset"
        return PA_PER_KPA * (raw + (self._number(offset) if offset.exists() else 0.0)) * scale

    def _number(self, path: Path) -> float:
        return number(path, driver=self._settings.chip, check=CHECK)
