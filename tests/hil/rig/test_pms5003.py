from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.plantower import ACTIVE, FRAME_BYTES, PASSIVE, READ, SLEEP, WAKE, Decoder, Particles
from hil.rig.plantower import CLEAN_AIR, DIRTY_AIR, answer
from hil.rig.pms5003 import LINE_BYTES_PER_S, DustFault, DustPeer
from tests.hil.rig.guest import LIMIT_S, running, within_limit

pytestmark = pytest.mark.real

INTERVAL_S = 0.2
QUIET_S = 0.5
CODE, VALUE = 2, 4


class Line:
    """The guest's end of the serial line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.decoder = Decoder()
        self.reader = reader
        self.writer = writer

    async def particles(self) -> Particles:
        async with asyncio.timeout(LIMIT_S):
            while data := await self.reader.read(FRAME_BYTES):
                if found := self.decoder.feed(data):
                    return found[-1]
        raise AssertionError("the sensor hung up")

    async def tell(self, command: bytes) -> None:
        """Say it and wait for the answer."""
        self.writer.write(command)
        await within_limit(self.reader.readuntil(answer(command[CODE], command[VALUE])))

    async def is_silent(self) -> bool:
        """Nothing more comes; what had come is gone."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    async with asyncio.timeout(QUIET_S):
                        assert await self.reader.read(4096)
                except TimeoutError:
                    return True


@asynccontextmanager
async def listening(path: Path) -> AsyncIterator[Line]:
    """As QEMU does for a serial line; at the end it is killed."""
    ends: asyncio.Queue[Line] = asyncio.Queue()
    async with await asyncio.start_unix_server(lambda *end: ends.put_nowait(Line(*end)), path):
        line = await within_limit(ends.get())
        yield line
        line.writer.close()


@asynccontextmanager
async def sensing(tmp_path: Path, fault: DustFault = DustFault.NONE) -> AsyncIterator[tuple[DustPeer, Line]]:
    peer = DustPeer(tmp_path / "uart.sock", interval_s=INTERVAL_S)
    peer.fault = fault
    async with running(peer.run()), listening(tmp_path / "uart.sock") as line:
        yield peer, line


async def test_it_sends_what_the_air_has_by_itself(tmp_path: Path) -> None:
    async with sensing(tmp_path) as (peer, line):
        assert (await line.particles()).values == CLEAN_AIR
        peer.values = DIRTY_AIR
        async with asyncio.timeout(LIMIT_S):
            while (await line.particles()).values != DIRTY_AIR:
                pass

    assert line.decoder.noise_bytes == 0


async def test_it_sleeps_until_it_is_woken_and_hears_nothing_else_meanwhile(tmp_path: Path) -> None:
    async with sensing(tmp_path) as (peer, line):
        await line.tell(SLEEP)
        assert await line.is_silent()
        line.writer.write(ACTIVE + READ)
        assert await line.is_silent()
        assert not peer.awake
        line.writer.write(WAKE)
        await line.particles()

    assert list(peer.told) == ["sleep", "active", "read", "wake"]


async def test_in_passive_mode_it_sends_a_frame_when_asked(tmp_path: Path) -> None:
    async with sensing(tmp_path) as (peer, line):
        await line.tell(PASSIVE)
        assert await line.is_silent()
        line.writer.write(READ)
        await line.particles()
        assert await line.is_silent()
        await line.tell(ACTIVE)
        await line.particles()

    assert peer.active


async def test_commands_are_found_in_noise_and_in_pieces(tmp_path: Path) -> None:
    async with sensing(tmp_path) as (peer, line):
        line.writer.write(b"\x42\xff" + SLEEP[:3])
        await line.particles()
        line.writer.write(SLEEP[3:])
        assert await line.is_silent()

    assert list(peer.told) == ["sleep"]


@pytest.mark.parametrize(
    ("fault", "checksum_failures"),
    [(DustFault.NOISE, False), (DustFault.CORRUPT, True), (DustFault.TRUNCATED, False)],
    ids=["noise", "corrupt", "truncated"],
)
async def test_a_disturbed_line_carries_bytes_but_no_frame(
    tmp_path: Path, fault: DustFault, checksum_failures: bool
) -> None:
    async with sensing(tmp_path, fault) as (peer, line):
        heard = await within_limit(line.reader.readexactly(3 * FRAME_BYTES))
        peer.fault = DustFault.NONE
        assert line.decoder.feed(heard) == []
        await line.particles()

    assert line.decoder.noise_bytes > 0
    assert bool(line.decoder.checksum_failures) >= checksum_failures


async def test_a_silent_sensor_says_nothing_whatever_it_is_told(tmp_path: Path) -> None:
    async with sensing(tmp_path, DustFault.SILENT) as (peer, line):
        line.writer.write(WAKE + ACTIVE + READ)
        assert await line.is_silent()
        peer.fault = DustFault.NONE
        await line.particles()


async def test_a_flood_fills_the_line_until_it_ebbs(tmp_path: Path) -> None:
    async with sensing(tmp_path, DustFault.FLOOD) as (peer, line):
        begun_s = asyncio.get_running_loop().time()
        flood = await within_limit(line.reader.readexactly(LINE_BYTES_PER_S // 2))
        assert asyncio.get_running_loop().time() - begun_s > 0.3, "no faster than 9600 baud"
        assert line.decoder.feed(flood) == []
        peer.fault = DustFault.NONE
        await line.particles()


async def test_when_the_board_gets_its_power_back_the_sensor_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "uart.sock"
    peer = DustPeer(path, interval_s=INTERVAL_S)
    async with running(peer.run()):
        async with listening(path) as line:
            await line.tell(SLEEP)
        await asyncio.to_thread(path.unlink)
        async with listening(path) as line:
            await line.particles()

    assert peer.awake


def test_it_sends_as_often_as_the_manual_says(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"every 0\.2 to 2\.3 s, not every 5 s"):
        DustPeer(tmp_path / "uart.sock", interval_s=5)
