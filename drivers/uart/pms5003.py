"""PMS5003: particles, on a serial port. Its laser lasts about 8000 h, so it sleeps between readings that are far apart.

The sensor's RX pin must be wired for that; without it the sensor still reads, but its laser burns all the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.errors import Absent, BadData, Lost
from drivers.faults import Fault, reported_as
from drivers.plantower import (
    ACTIVE,
    FRAME_BYTES,
    FRAME_INTERVAL_S,
    SLEEP,
    WAKE,
    WARM_UP_S,
    Decoder,
    Particles,
    readings,
)
from drivers.settings import Duration, SensorSettings
from drivers.thread_bound import ThreadBound
from drivers.types import Instant, Quality, Reading, SourceId
from drivers.uart.port import MAX_READ_BYTES, Port

BAUD = 9600  # PMS5003 data manual, appendix I
PATIENCE_S = 2 * FRAME_INTERVAL_S + 0.4  # one frame may be disturbed; the next must come
CALL_LIMIT_S = 2.0  # a read waits for 0.25 s, a write for no longer


class Pms5003Settings(SensorSettings, frozen=True, kw_only=True):
    """`patience`: how long a frame is waited for. `warm_up`: from waking until readings count. `sleep_from`: with at
    least this period the sensor sleeps between readings, and each reading takes `warm_up` and up to `patience` longer.
    Then one reading in 5 min makes the laser last 8 years."""

    port: Path
    patience: Duration = Duration(PATIENCE_S)
    warm_up: Duration = Duration(WARM_UP_S)
    sleep_from: Duration = Duration(120.0)

    def __post_init__(self) -> None:
        shortest_s = self.warm_up + 2 * self.patience
        if self.sleep_from < shortest_s:
            raise ValueError(f"sleep_from must leave time to warm up and to read: {shortest_s:g} s or more")

    def claims(self) -> tuple[str, ...]:
        return (str(self.port),)


class Pms5003:
    """The sensor on its port. `read` returns the next frame that comes, never one that waited in a buffer.

    It takes up to `patience`, after `warm_up` where the sensor slept. Readings while warming up say so.
    """

    def __init__(self, settings: Pms5003Settings, clock: Clock) -> None:
        self.source = SourceId(settings.name)
        self.decoder = Decoder()  # counts frames, checksum failures and noise since the last opening
        self._settings = settings
        self._clock = clock
        self._sleeps = settings.period >= settings.sleep_from
        self._asleep = False
        self._warm_at = Instant(0)
        self._port = ThreadBound(self.source, str(settings.port), self._open, _put_to_sleep)

    async def __aenter__(self) -> Self:
        with reported_as(Absent, self.source):
            await self._port.open()
            try:
                self.decoder = Decoder()
                await self._wake()
                await self._next_frame()
            except BaseException:
                await self._port.close()
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._port.close()

    async def read(self) -> Sequence[Reading]:
        with reported_as(Lost, self.source):
            if self._sleeps:
                if self._asleep:
                    await self._wake()
                await self._clock.sleep_until(self._warm_at)
            try:
                particles = await self._next_frame()
            except _Noise as noise:
                raise BadData(self.source, noise.problem, remedy=noise.remedy) from noise
            now = self._clock.now()
            if self._sleeps:
                await self._port.call(Port.write, SLEEP, limit_s=CALL_LIMIT_S)
                self._asleep = True
        return readings(self.source, particles, now, Quality.GOOD if now >= self._warm_at else Quality.WARMING_UP)

    async def _wake(self) -> None:
        await self._port.call(Port.write, WAKE + ACTIVE, limit_s=CALL_LIMIT_S)
        self._asleep = False
        self._warm_at = Instant(self._clock.now() + self._settings.warm_up.ns)

    async def _next_frame(self) -> Particles:
        """What was heard before is decoded, for its faults to be counted, and thrown away."""
        decoder, now_s = self.decoder, asyncio.get_running_loop().time
        backlog = await self._port.call(Port.read, 0, limit_s=CALL_LIMIT_S)
        decoder.feed(backlog)
        if len(backlog) > MAX_READ_BYTES // 2:
            await self._port.call(Port.flush, limit_s=CALL_LIMIT_S)  # there may be more, as old
            decoder.forget()
        failures, noise_bytes = decoder.checksum_failures, decoder.noise_bytes
        deadline_s = now_s() + self._settings.patience
        while now_s() < deadline_s:
            if found := decoder.feed(await self._port.call(Port.read, FRAME_BYTES, limit_s=CALL_LIMIT_S)):
                return found[-1]
        if decoder.noise_bytes == noise_bytes:
            raise Fault(
                f"silent for {self._settings.patience:g} s", "Check its 5 V supply, and its TX pin to the port's RX."
            )
        raise _Noise(
            f"heard {decoder.noise_bytes - noise_bytes} bytes of noise, with {decoder.checksum_failures - failures} "
            f"disturbed frames, in {self._settings.patience:g} s",
            "Check ground and cable, and that a PMS5003 and nothing else is on this port.",
        )

    def _open(self) -> Port:
        return Port(self._settings.port, BAUD)


class _Noise(Fault):
    """The port is alive, but no whole frame came."""


def _put_to_sleep(port: Port) -> None:
    """Leave the sensor with its laser off, whatever the exit; where the port has gone there is nothing to save."""
    try:
        port.write(SLEEP)
    except Fault:
        return
    finally:
        port.close()
