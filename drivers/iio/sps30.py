"""SPS30: particle masses, read by the kernel's driver of that name (drivers/iio/chemical/sps30.c)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.errors import Absent, BadData, Lost
from drivers.faults import reported_as
from drivers.iio.files import DEVICES, Rubbish, find, number
from drivers.settings import Duration, SensorSettings
from drivers.thread_bound import ThreadBound
from drivers.types import Instant, Quality, Quantity, Reading, SourceId

NAME = "sps30"
FILES = {  # ug/m3, the unit of IIO's mass concentrations; each takes the driver 1 s, for it waits for new data
    Quantity.PM1: "in_massconcentration_pm1_input",
    Quantity.PM2_5: "in_massconcentration_pm2p5_input",
    Quantity.PM4: "in_massconcentration_pm4_input",
    Quantity.PM10: "in_massconcentration_pm10_input",
}
READ_LIMIT_S = 15.0  # four files of 1 s, and an adapter that times out after 1 s now and then
WARM_UP_S = 30.0  # start-up time in clean air, in dusty air 8 s: datasheet, table 1
CHECK = "Check its cable and its 5 V supply"
ABSENT = (
    "Check its cable and its SEL pin, then modprobe sps30 and tell the bus: "
    "echo sps30 0x69 > /sys/bus/i2c/devices/i2c-1/new_device."
)
HIGHEST_UG_M3 = 3000.0  # where the driver cuts off; the datasheet's range ends at 1000, but more dust is no less dusty


class Sps30Settings(SensorSettings, frozen=True, kw_only=True):
    """`parent` chooses among several SPS30 by what they hang on, as in `ls /sys/bus/i2c/devices`: `1-0069`.
    `warm_up`: from opening until readings count."""

    parent: str = ""
    warm_up: Duration = Duration(WARM_UP_S)

    def claims(self) -> tuple[str, ...]:
        return (f"sps30 {self.parent or 'of this board'}",)


class Sps30:
    """The sensor behind its files, found by name. The driver starts its fan at the first reading and keeps it on."""

    def __init__(
        self, settings: Sps30Settings, clock: Clock, *, devices: Path = DEVICES, read_limit_s: float = READ_LIMIT_S
    ) -> None:
        self.source = SourceId(settings.name)
        self._read_limit_s = read_limit_s
        self._settings = settings
        self._clock = clock
        self._devices = devices
        self._warm_at = Instant(0)
        self._files = ThreadBound(self.source, "the SPS30", self._open)

    async def __aenter__(self) -> Self:
        with reported_as(Absent, self.source):
            await self._files.open(limit_s=self._read_limit_s)
        self._warm_at = Instant(self._clock.now() + self._settings.warm_up.ns)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._files.close()

    async def read(self) -> Sequence[Reading]:
        with reported_as(Lost, self.source):
            try:
                values = await self._files.call(_read, limit_s=self._read_limit_s)
            except Rubbish as rubbish:
                raise BadData(self.source, rubbish.problem, remedy=rubbish.remedy) from rubbish
        now = self._clock.now()
        settled = Quality.GOOD if now >= self._warm_at else Quality.WARMING_UP
        return tuple(
            Reading(
                source=self.source,
                quantity=quantity,
                value=value,
                at=now,
                quality=settled if 0 <= value <= HIGHEST_UG_M3 else Quality.BAD,
            )
            for quantity, value in values.items()
        )

    def _open(self) -> Path:
        device = find(self._devices, NAME, called="SPS30", parent=self._settings.parent, absent=ABSENT)
        _read(device)
        return device


def _read(device: Path) -> dict[Quantity, float]:
    return {quantity: number(device / file, driver=NAME, check=CHECK) for quantity, file in FILES.items()}
