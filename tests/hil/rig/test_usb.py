from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from hil.rig import packets, usbredir
from hil.rig.descriptors import Descriptors, Endpoint, Identity, Interface
from hil.rig.packets import Speed, TransferType
from hil.rig.usb import UsbPort
from hil.rig.usb_device import Setup, Stalled, UsbDevice
from tests.hil.rig.guest import Guest, bulk_data, plugged_in, running, within_limit

pytestmark = pytest.mark.real

DESCRIPTORS = Descriptors(
    speed=Speed.HIGH,
    identity=Identity(
        vendor=0x1234,
        product=0x5678,
        device_class=(0xFF, 1, 2),
        release_bcd=0x0103,
        names=("Maker", "Thing", "SERIAL"),
    ),
    interfaces=[
        Interface(
            number=0,
            interface_class=(0xFF, 3, 4),
            extra=b"\x05\x21abc",
            endpoints=[Endpoint(0x81, TransferType.BULK, 512, 0), Endpoint(0x02, TransferType.INTERRUPT, 64, 4)],
        )
    ],
)


class Echo(UsbDevice):
    """Sends back by interrupt what it is sent, and by bulk what is in `ready`."""

    def __init__(self) -> None:
        super().__init__(DESCRIPTORS)
        self.ready: list[bytes] = []
        self.told: list[str] = []
        self.is_hung = False

    @property
    def hung(self) -> bool:
        return self.is_hung

    def control(self, setup: Setup, data: bytes) -> bytes:
        if setup.request_type == 0xC0:
            return bytes(range(16))
        if setup.request_type == 0x40:
            self.told.append(data.decode())
            return b""
        raise Stalled

    def interrupt_out(self, data: bytes) -> Iterable[tuple[int, bytes]]:
        return [(0x83, data), (0x83, data[::-1])]

    def bulk_in(self, length: int) -> bytes | None:
        return self.ready.pop(0)[:length] if self.ready else None

    def halt_cleared(self, endpoint: int) -> None:
        self.told.append(f"halt of {endpoint:#x} cleared")

    def bus_reset(self) -> None:
        self.told.append("reset")

    def power_lost(self) -> None:
        self.told.append("power lost")


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "usb.sock"


async def test_a_device_is_announced_and_enumerated(socket: Path) -> None:
    async with Guest(socket) as guest, running(UsbPort(socket, Echo()).run()):
        connect = await guest.attached()

        assert connect == packets.DeviceConnect(Speed.HIGH, 0xFF, 1, 2, 0x1234, 0x5678, 0x0103)
        device, configuration = await guest.descriptor(1), await guest.descriptor(2)
        assert (len(device), device[0], configuration[0]) == (18, 18, 9)
        assert int.from_bytes(configuration[2:4], "little") == len(configuration) == 9 + 9 + 5 + 7 + 7
        assert (await guest.descriptor(3))[2:] == b"\x09\x04"
        assert [(await guest.descriptor(3, n))[2:].decode("utf-16le") for n in (1, 2, 3)] == [
            "Maker",
            "Thing",
            "SERIAL",
        ]


async def test_qemu_is_told_of_each_interface_and_endpoint(socket: Path) -> None:
    async with plugged_in(socket, Echo()) as (guest, _):
        assert guest.interfaces is not None
        assert guest.endpoints is not None
        kinds = {slot: kind for slot, kind in enumerate(guest.endpoints.types) if kind != TransferType.INVALID}

    assert (guest.interfaces.count, guest.interfaces.subclasses[0]) == (1, 3)
    assert kinds == {
        0: TransferType.CONTROL,
        16: TransferType.CONTROL,
        17: TransferType.BULK,
        2: TransferType.INTERRUPT,
    }
    assert (guest.endpoints.packet_sizes[34:36], guest.endpoints.intervals[2]) == (b"\x00\x02", 4)


async def test_requests_are_answered_shortened_or_stalled(socket: Path) -> None:
    device = Echo()
    async with plugged_in(socket, device) as (guest, _):
        assert await guest.read(0xC0, 1, 0, length=4) == b"\0\1\2\3"
        await guest.write(0x40, 1, 0, data=b"hello")
        with pytest.raises(Stalled):
            await guest.read(0xA1, 1, 0)
        with pytest.raises(Stalled):
            await guest.descriptor(15)  # BOS, which USB 2.0 does not have
        await guest.write(0x02, 1, 0, 0x81)

    assert device.told[-3:] == ["hello", "halt of 0x81 cleared", "power lost"]


async def test_a_bulk_transfer_waits_for_data_and_the_first_asked_is_the_first_served(socket: Path) -> None:
    device = Echo()
    async with plugged_in(socket, device) as (guest, _):
        asked = [guest.submit(0x81, 512)[1] for _ in range(3)]
        await guest.read(0xC0, 1, 0)
        assert not any(answer.done() for answer in asked)
        device.ready += [b"one", b"two", b"three"]
        device.data_ready.set()

        assert [bulk_data(await within_limit(answer)) for answer in asked] == [b"one", b"two", b"three"]


async def test_a_cancelled_transfer_takes_no_data_with_it(socket: Path) -> None:
    device = Echo()
    async with plugged_in(socket, device) as (guest, _):
        number, cancelled = guest.submit(0x81, 512)
        _, kept = guest.submit(0x81, 512)
        guest.send(packets.CancelDataPacket(), number)
        answer = await within_limit(cancelled)
        assert isinstance(answer, packets.BulkPacket)
        assert (answer.status, answer.length) == (packets.Status.CANCELLED, 0)
        device.ready.append(b"data")
        device.data_ready.set()

        assert bulk_data(await within_limit(kept)) == b"data"


async def test_what_is_sent_by_interrupt_is_answered_by_interrupt(socket: Path) -> None:
    async with plugged_in(socket, Echo()) as (guest, _):
        await guest.say(0x02, b"abc")

        assert [await guest.heard(), await guest.heard()] == [b"abc", b"cba"]


async def test_a_pulled_plug_is_seen_at_once_and_the_device_loses_its_power(socket: Path) -> None:
    device = Echo()
    async with plugged_in(socket, device) as (guest, port):
        assert port.configured.is_set()
        port.unplug()
        port.unplug()
        await within_limit(guest.disconnects.get())
        assert (port.plugged, port.configured.is_set(), device.told[-1]) == (False, False, "power lost")
        port.plug()
        await guest.attached()

        assert port.configured.is_set()
    assert guest.disconnects.empty()


async def test_a_port_may_be_empty_at_boot(socket: Path) -> None:
    port = UsbPort(socket, Echo(), plugged=False)
    async with Guest(socket) as guest, running(port.run()):
        await within_limit(guest.has_peer.wait())
        assert guest.connects.empty()
        port.plug()
        await guest.attached()


async def test_a_qemu_that_starts_late_or_again_finds_the_device_without_its_memory(socket: Path) -> None:
    device = Echo()
    async with running(UsbPort(socket, device).run()):
        for _ in range(3):
            async with Guest(socket) as guest:
                await guest.attached()
                await guest.write(0x40, 1, 0, data=b"used")
            await asyncio.to_thread(socket.unlink, missing_ok=True)

    assert device.told == ["reset", "used", "power lost"] * 3


async def test_a_hung_device_answers_nothing_but_may_be_waited_for_no_longer(socket: Path) -> None:
    device = Echo()
    async with plugged_in(socket, device) as (guest, port):
        device.is_hung = True
        device.ready.append(b"data")
        number, control = guest.send(packets.ControlPacket(0x80, 1, 0xC0, 0, 0, 0, 4))
        _, bulk = guest.submit(0x81, 512)
        guest.send(packets.CancelDataPacket(), number)
        answer = await within_limit(control)
        assert isinstance(answer, packets.ControlPacket)
        assert (answer.status, answer.data, bulk.done()) == (packets.Status.CANCELLED, b"", False)
        device.is_hung = False
        device.data_ready.set()

        assert bulk_data(await within_limit(bulk)) == b"data"
    assert port.plugged


async def test_what_is_no_qemu_ends_the_port_with_its_reason(socket: Path) -> None:
    async with Guest(socket) as guest:
        port = asyncio.create_task(UsbPort(socket, Echo()).run())
        await guest.attached()
        guest.send(packets.DeviceDisconnect())
        with pytest.raises(ExceptionGroup) as raised:
            await within_limit(port)

    assert raised.group_contains(usbredir.ProtocolError, match="DeviceDisconnect from QEMU")
