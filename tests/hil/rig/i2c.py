"""Uses a bridge as the kernel's hid-cp2112 does: reports out and in, one transfer after the other."""

from __future__ import annotations

import struct

from hil.rig.cp2112 import FROM_INTERFACE, GET_REPORT, OUT, SET_REPORT, TO_INTERFACE, Report
from tests.hil.rig.guest import Guest

STATUS_RETRIES = 10  # XFER_STATUS_RETRIES
CHUNK_BYTES = 61
FEATURE = 3 << 8


class TimedOut(Exception):
    """ETIMEDOUT"""


class Bus:
    """The adapter that the kernel makes of the bridge at `guest`. Raises `TimedOut`."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    async def write(self, address: int, data: bytes) -> None:
        await self._transfer(struct.pack(">BBB", Report.WRITE, address << 1, len(data)) + data)

    async def read(self, address: int, length: int) -> bytes:
        return await self._transfer(struct.pack(">BBH", Report.READ, address << 1, length))

    async def write_then_read(self, address: int, data: bytes, length: int) -> bytes:
        return await self._transfer(struct.pack(">BBHB", Report.WRITE_READ, address << 1, length, len(data)) + data)

    async def _transfer(self, request: bytes) -> bytes:
        await self._guest.say(OUT, request)
        for _ in range(STATUS_RETRIES):
            await self._guest.say(OUT, bytes([Report.STATUS, 1]))
            report = await self._guest.heard()
            _, state, _, _, length = struct.unpack_from(">BBBHH", report)
            assert (report[0], len(report)) == (Report.STATUS_RESPONSE, 64)
            if state == 2:
                return await self._fetch(length)
            if state != 1:
                raise TimedOut
        await self._guest.say(OUT, bytes([Report.CANCEL, 1]))
        raise TimedOut

    async def _fetch(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            asked = min(length - len(data), CHUNK_BYTES)
            await self._guest.say(OUT, struct.pack(">BH", Report.FORCE_SEND, asked))
            report = await self._guest.heard()
            assert (report[0], len(report)) == (Report.READ_RESPONSE, 64)
            data += report[3 : 3 + report[2]]
        assert len(data) == length
        return data


class Gpio:
    """The chip that the kernel makes of the bridge's lines."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    async def make_output(self, line: int, level: bool) -> None:
        """The direction first, then the level: cp2112_gpio_direction_output()."""
        await self._configure(line, output=True)
        await self.set(line, level)

    async def make_input(self, line: int) -> None:
        await self._configure(line, output=False)

    async def set(self, line: int, level: bool) -> None:
        await self._write(bytes([Report.GPIO_SET, 0xFF if level else 0, 1 << line]))

    async def get(self, line: int) -> bool:
        return bool((await feature(self._guest, Report.GPIO_GET, 2))[1] >> line & 1)

    async def _configure(self, line: int, *, output: bool) -> None:
        report = bytearray(await feature(self._guest, Report.GPIO_CONFIGURATION, 5))
        report[1] = report[1] | 1 << line if output else report[1] & ~(1 << line)
        report[2] = 0xFF  # push-pull, which is the module's default
        await self._write(bytes(report))

    async def _write(self, report: bytes) -> None:
        await self._guest.write(TO_INTERFACE, SET_REPORT, FEATURE | report[0], data=report)


async def feature(guest: Guest, number: int, length: int) -> bytes:
    report = await guest.read(FROM_INTERFACE, GET_REPORT, FEATURE | number, length=length)
    assert (report[0], len(report)) == (number, length)
    return report
