from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hil.rig.bme680 import Bme680Chip
from hil.rig.cp2112 import FEATURES, INPUTS, OUTPUTS, BridgeFault, BridgePeer, Report
from hil.rig.lines import Line
from hil.rig.packets import Reset
from hil.rig.plantower import frame
from hil.rig.pmsa003i import Pmsa003iChip
from hil.rig.usb_device import Stalled
from tests.hil.rig.guest import Guest, plugged_in, within_limit
from tests.hil.rig.i2c import Bus, Gpio, TimedOut, feature

pytestmark = pytest.mark.real

GAS, DUST = 0x77, 0x12
QUIET_S = 0.2


class Memory:
    """Keeps what is written; reads count up from the register written last."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def read(self, length: int) -> bytes:
        start = self.written[-1][0] if self.written else 0
        return bytes(start + n & 0xFF for n in range(min(length, 300)))


@pytest.fixture
def bridge() -> BridgePeer:
    return BridgePeer({GAS: Bme680Chip(), DUST: Pmsa003iChip()})


@asynccontextmanager
async def bench(tmp_path: Path, bridge: BridgePeer) -> AsyncIterator[tuple[Guest, Bus, Gpio]]:
    async with plugged_in(tmp_path / "usb.sock", bridge) as (guest, _):
        yield guest, Bus(guest), Gpio(guest)


async def test_the_kernels_driver_finds_what_it_asks_for(tmp_path: Path, bridge: BridgePeer) -> None:
    async with bench(tmp_path, bridge) as (guest, _, _):
        version = await feature(guest, Report.VERSION, 3)
        smbus = await feature(guest, Report.SMBUS_CONFIGURATION, 14)
        await guest.write(0x21, 9, 0x306, data=smbus[:-2] + b"\x00\x01")  # one retry
        assert (await feature(guest, Report.SMBUS_CONFIGURATION, 14))[-2:] == b"\x00\x01"
        assert await feature(guest, Report.LOCK, 2) == b"\x20\x00"
        assert (await feature(guest, Report.SERIAL, 63))[1:11] == b"\x0a\x03" + "RIG0".encode("utf-16le")
        with pytest.raises(Stalled):
            await guest.read(0xA1, 1, 0x3FF)

    assert version[2] > 1, "else it would not repeat a start"
    assert int.from_bytes(smbus[1:5], "big") == 100_000


async def test_the_report_descriptor_has_each_report_with_its_length(tmp_path: Path, bridge: BridgePeer) -> None:
    async with bench(tmp_path, bridge) as (guest, _, _):
        configuration = await guest.descriptor(2)
        hid = configuration[18:27]
        report = await guest.read(0x81, 6, 0x2200, length=4096)

    assert hid[:2] == b"\x09\x21"
    assert int.from_bytes(hid[7:9], "little") == len(report)
    assert reports(report) == {
        **{(number, "feature"): size for number, size in FEATURES.items()},
        **{(number, "input"): 63 for number in INPUTS},
        **{(number, "output"): 63 for number in OUTPUTS},
    }


def reports(descriptor: bytes) -> dict[tuple[int, str], int]:
    """Bytes of each report behind its number, of items with up to two bytes: HID 1.11, 6.2.2.2."""
    found, number, count, at = {}, 0, 0, 0
    while at < len(descriptor):
        tag, size = descriptor[at] & 0xFC, descriptor[at] & 3
        value = int.from_bytes(descriptor[at + 1 : at + 1 + size], "little")
        number, count = (value if tag == 0x84 else number), (value if tag == 0x94 else count)
        if tag in (0x80, 0x90, 0xB0):
            found[number, {0x80: "input", 0x90: "output", 0xB0: "feature"}[tag]] = count
        at += 1 + size
    return found


async def test_a_register_is_written_and_read_back_with_a_repeated_start(tmp_path: Path) -> None:
    memory = Memory()
    async with bench(tmp_path, BridgePeer({0x50: memory})) as (_, bus, _):
        await bus.write(0x50, b"\x10\xab\xcd")
        assert await bus.write_then_read(0x50, b"\xf0", 4) == b"\xf0\xf1\xf2\xf3"
        assert await bus.read(0x50, 2) == b"\xf0\xf1"

    assert memory.written == [b"\x10\xab\xcd", b"\xf0"]


async def test_a_long_read_comes_in_pieces_and_what_a_chip_does_not_send_reads_as_ones(tmp_path: Path) -> None:
    async with bench(tmp_path, BridgePeer({0x50: Memory()})) as (_, bus, _):
        data = await bus.write_then_read(0x50, b"\x00", 400)

    assert data == bytes(n & 0xFF for n in range(300)) + b"\xff" * 100


async def test_sensors_answer_at_their_addresses(tmp_path: Path, bridge: BridgePeer) -> None:
    async with bench(tmp_path, bridge) as (_, bus, _):
        assert await bus.write_then_read(GAS, b"\xd0", 1) == b"\x61"
        assert await bus.read(DUST, 32) == frame()


async def test_an_address_that_does_not_acknowledge_times_out_until_it_does(tmp_path: Path, bridge: BridgePeer) -> None:
    async with bench(tmp_path, bridge) as (_, bus, _):
        with pytest.raises(TimedOut):
            await bus.read(0x33, 1)
        bridge.naks.add(GAS)
        with pytest.raises(TimedOut):
            await bus.write_then_read(GAS, b"\xd0", 1)
        assert len(await bus.read(DUST, 32)) == 32
        bridge.naks.clear()
        assert await bus.write_then_read(GAS, b"\xd0", 1) == b"\x61"


async def test_a_stuck_bus_completes_nothing_and_works_again_when_it_is_free(
    tmp_path: Path, bridge: BridgePeer
) -> None:
    async with bench(tmp_path, bridge) as (_, bus, gpio):
        bridge.fault = BridgeFault.STUCK_BUS
        for _ in range(2):
            with pytest.raises(TimedOut):
                await bus.read(DUST, 32)
        await gpio.make_output(Line.LED, True)
        assert bridge.lines.level(Line.LED), "the lines are not on the bus"
        bridge.fault = BridgeFault.NONE
        assert await bus.read(DUST, 32) == frame()


async def test_a_hung_bridge_answers_neither_reports_nor_requests(tmp_path: Path, bridge: BridgePeer) -> None:
    async with bench(tmp_path, bridge) as (guest, bus, _):
        bridge.fault = BridgeFault.HUNG
        asking = [asyncio.create_task(bus.read(DUST, 32)), asyncio.create_task(feature(guest, Report.GPIO_GET, 2))]
        answered, unanswered = await asyncio.wait(asking, timeout=QUIET_S)
        for task in unanswered:
            task.cancel()

    assert not answered


async def test_an_output_is_seen_and_its_edges_are_kept(tmp_path: Path, bridge: BridgePeer) -> None:
    seen: list[tuple[int, bool]] = []
    bridge.lines.watch(lambda edge: seen.append((edge.line, edge.level)))
    async with bench(tmp_path, bridge) as (_, _, gpio):
        assert not bridge.lines.is_output(Line.LED)
        await gpio.make_output(Line.LED, True)
        assert bridge.lines.is_output(Line.LED)
        await gpio.set(Line.LED, False)
        await gpio.set(Line.RELAY, True)  # an input: there is no latch to reach

    assert seen == [(Line.LED, True), (Line.LED, False)]
    assert [(edge.line, edge.level) for edge in bridge.lines.edges] == seen
    assert bridge.lines.edges[0].at_ns <= bridge.lines.edges[1].at_ns


async def test_inputs_read_what_the_bench_drives_and_else_what_they_are_pulled_to(
    tmp_path: Path, bridge: BridgePeer
) -> None:
    async with bench(tmp_path, bridge) as (_, _, gpio):
        await gpio.make_input(Line.BUTTON)
        assert await gpio.get(Line.BUTTON)
        bridge.lines.drive(Line.BUTTON, False)
        assert not await gpio.get(Line.BUTTON)
        bridge.lines.drive(Line.BUTTON, None)
        assert await gpio.get(Line.BUTTON)
        assert not await gpio.get(Line.LED)


async def test_a_board_without_power_lets_go_of_its_lines(tmp_path: Path, bridge: BridgePeer) -> None:
    async with plugged_in(tmp_path / "usb.sock", bridge) as (guest, port):
        gpio = Gpio(guest)
        await gpio.make_output(Line.RELAY, True)
        await gpio.make_output(Line.FAN, False)
        port.unplug()

    assert not bridge.lines.level(Line.RELAY), "pulled down"
    assert bridge.lines.level(Line.FAN), "pulled up"
    assert not bridge.lines.is_output(Line.RELAY)


async def test_a_guest_that_boots_again_without_a_power_cut_finds_its_lines_as_they_were(
    tmp_path: Path, bridge: BridgePeer
) -> None:
    async with bench(tmp_path, bridge) as (guest, _, gpio):
        await gpio.make_output(Line.LED, True)
        bridge.lines.edges.clear()
        guest.send(Reset())
        assert await gpio.get(Line.LED)

    assert [(edge.line, edge.level) for edge in bridge.lines.edges] == [(Line.LED, False)], "at the end only"


async def test_a_level_can_be_waited_for(tmp_path: Path, bridge: BridgePeer) -> None:
    async with bench(tmp_path, bridge) as (_, _, gpio):
        waiting = asyncio.create_task(bridge.lines.until(Line.LED, True, 20))
        await gpio.make_output(Line.LED, True)
        assert await within_limit(waiting) == bridge.lines.edges[0].at_ns
        await bridge.lines.until(Line.LED, True, 20)
        with pytest.raises(TimeoutError):
            await bridge.lines.until(Line.LED, False, 0.05)


async def test_a_latch_that_is_high_at_power_up_shows_until_the_level_is_set(tmp_path: Path) -> None:
    bridge = BridgePeer({}, latch=0xFF)
    async with bench(tmp_path, bridge) as (_, _, gpio):
        await gpio.make_output(Line.RELAY, False)

    assert [edge.level for edge in bridge.lines.edges] == [True, False]
