"""PMSA003I: particles, on I2C at 0x12. It runs as long as it has power; only its SET pin puts it to sleep."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.errors import Absent, BadData, Lost
from drivers.faults import reported_as
from drivers.i2c.bus import Address, I2cSettings, Ioctl
from drivers.plantower import FRAME_BYTES, WARM_UP_S, Particles, parse, readings
from drivers.settings import Duration
from drivers.thread_bound import ThreadBound
from drivers.types import Instant, Quality, Reading, SourceId

ADDRESS = 0x12  # fixed: PMSA003I data manual, I2C
ATTEMPTS = 3  # the sensor may change its frame while it is read, which the checksum shows
READ_LIMIT_S = 2.0 * ATTEMPTS  # 32 bytes take 3 ms; an adapter times out after 1 s by default


class Pmsa003iSettings(I2cSettings, frozen=True, kw_only=True):
    """`warm_up`: from opening until readings count; the fan needs 30 s."""

    address: int = ADDRESS
    warm_up: Duration = Duration(WARM_UP_S)

    def __post_init__(self) -> None:
        if self.address != ADDRESS:
            raise ValueError(f"a PMSA003I has address 0x12 (18), not {self.address:#04x}")


class Pmsa003i:
    """The sensor on its bus, which measures by itself about once a second; `read` takes its present frame."""

    def __init__(self, settings: Pmsa003iSettings, clock: Clock, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self.source = SourceId(settings.name)
        self._settings = settings
        self._clock = clock
        self._ioctl = ioctl
        self._warm_at = Instant(0)
        what = f"the PMSA003I at 0x{settings.address:02x} on {settings.bus}"
        self._sensor = ThreadBound(self.source, what, self._open, Address.close)

    async def __aenter__(self) -> Self:
        with reported_as(Absent, self.source):
            await self._sensor.open()
        self._warm_at = Instant(self._clock.now() + self._settings.warm_up.ns)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._sensor.close()

    async def read(self) -> Sequence[Reading]:
        with reported_as(Lost, self.source):
            particles = await self._sensor.call(_read, limit_s=READ_LIMIT_S)
        if particles is None:
            raise BadData(
                self.source,
                f"sent {ATTEMPTS} frames with a bad checksum",
                remedy="Check its 5 V supply, and keep its cable short and away from the fan's.",
            )
        now = self._clock.now()
        if particles.error:
            return readings(self.source, particles, now, Quality.BAD)
        return readings(self.source, particles, now, Quality.GOOD if now >= self._warm_at else Quality.WARMING_UP)

    def _open(self) -> Address:
        bus = Address(self._settings.bus, self._settings.address, ioctl=self._ioctl)
        try:
            bus.read(FRAME_BYTES)
        except BaseException:
            bus.close()
            raise
        return bus


def _read(bus: Address) -> Particles | None:
    for _ in range(ATTEMPTS):
        if (particles := parse(bus.read(FRAME_BYTES))) is not None:
            return particles
    return None
