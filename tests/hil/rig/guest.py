"""Stands where QEMU and the guest's kernel are: listens on a unix socket, enumerates and uses what is plugged in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from hil.rig import packets, usbredir
from hil.rig.packets import BulkPacket, ControlPacket, InterruptPacket, Packet, Status
from hil.rig.usb import UsbPort
from hil.rig.usb_device import Stalled, UsbDevice

LIMIT_S = 20.0  # of anything that a test waits for
FIRST_NUMBER = 100
A = TypeVar("A", bound=Packet)


class Guest:
    """What came unasked is in `connects`, `disconnects` and `interrupts`, in order."""

    def __init__(self, path: Path) -> None:
        self.connects: asyncio.Queue[packets.DeviceConnect] = asyncio.Queue()
        self.disconnects: asyncio.Queue[packets.DeviceDisconnect] = asyncio.Queue()
        self.interrupts: asyncio.Queue[InterruptPacket] = asyncio.Queue()
        self.endpoints: packets.EndpointInfo | None = None
        self.interfaces: packets.InterfaceInfo | None = None
        self.has_peer = asyncio.Event()
        self._path = path
        self._number = FIRST_NUMBER
        self._answers: dict[int, asyncio.Future[Packet]] = {}
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """As a QEMU that is killed: the socket's file stays."""
        assert self._server is not None
        self._server.close()
        if self._writer is not None:
            self._writer.close()

    async def attached(self) -> packets.DeviceConnect:
        """Wait for a device, and take it as Linux does: its configuration set, its interrupt endpoints asked for."""
        connect = await within_limit(self.connects.get())
        self.send(packets.Reset())
        await self.ask(packets.SetConfiguration(1), packets.ConfigurationStatus)
        assert self.endpoints is not None
        for slot in range(16, 32):
            if self.endpoints.types[slot] == packets.TransferType.INTERRUPT:
                endpoint = 0x80 | slot - 16
                await self.ask(packets.StartInterruptReceiving(endpoint), packets.InterruptReceivingStatus)
        return connect

    async def read(self, request_type: int, request: int, value: int, index: int = 0, length: int = 255) -> bytes:
        """A control transfer from the device. Raises `Stalled`."""
        packet = ControlPacket(0x80, request, request_type, 0, value, index, length)
        answer = await self.ask(packet, ControlPacket)
        if answer.status == Status.STALL:
            raise Stalled
        assert (answer.status, answer.length) == (Status.SUCCESS, len(answer.data))
        return answer.data

    async def write(self, request_type: int, request: int, value: int, index: int = 0, data: bytes = b"") -> None:
        """A control transfer to the device. Raises `Stalled`."""
        packet = ControlPacket(0, request, request_type, 0, value, index, len(data), data)
        answer = await self.ask(packet, ControlPacket)
        if answer.status == Status.STALL:
            raise Stalled
        assert (answer.status, answer.data) == (Status.SUCCESS, b"")

    async def descriptor(self, kind: int, index: int = 0) -> bytes:
        return await self.read(0x80, 6, kind << 8 | index, length=4096)

    def submit(self, endpoint: int, length: int) -> tuple[int, asyncio.Future[Packet]]:
        """A bulk transfer from the device: its number, and its answer to come."""
        return self.send(usbredir.bulk(endpoint, 0, length))

    async def say(self, endpoint: int, data: bytes) -> None:
        """An interrupt transfer to the device."""
        await self.ask(InterruptPacket(endpoint, 0, len(data), data), InterruptPacket)

    async def heard(self) -> bytes:
        """The next interrupt transfer from the device."""
        return (await within_limit(self.interrupts.get())).data

    async def ask(self, packet: Packet, kind: type[A]) -> A:
        answer = await within_limit(self.send(packet)[1])
        assert isinstance(answer, kind)
        return answer

    def send(self, packet: Packet, number: int | None = None) -> tuple[int, asyncio.Future[Packet]]:
        assert self._writer is not None
        if number is None:
            self._number += 1
            number = self._number
        answer = self._answers.setdefault(number, asyncio.get_running_loop().create_future())
        self._writer.write(usbredir.encode(packet, number))
        return number, answer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.has_peer.set()
        writer.write(usbredir.hello("qemu of the tests"))
        parser = usbredir.Parser()
        with suppress(ConnectionError):
            while chunk := await reader.read(65536):
                for number, packet in parser.feed(chunk):
                    self._take(number, packet)
        writer.close()

    def _take(self, number: int, packet: Packet) -> None:
        match packet:
            case packets.Hello():
                pass
            case packets.InterfaceInfo():
                self.interfaces = packet
            case packets.EndpointInfo():
                self.endpoints = packet
            case packets.DeviceConnect():
                self.connects.put_nowait(packet)
            case packets.DeviceDisconnect():
                self.disconnects.put_nowait(packet)
            case InterruptPacket() if packet.endpoint & 0x80:
                self.interrupts.put_nowait(packet)
            case _:
                self._answers.pop(number).set_result(packet)


T = TypeVar("T")


async def within_limit(awaitable: Coroutine[object, object, T] | asyncio.Future[T]) -> T:
    async with asyncio.timeout(LIMIT_S):
        return await awaitable


@asynccontextmanager
async def running(*coroutines: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Coroutines that never end, for as long as the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(coroutine) for coroutine in coroutines]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


@asynccontextmanager
async def plugged_in(path: Path, device: UsbDevice) -> AsyncIterator[tuple[Guest, UsbPort]]:
    """A device that a guest has taken."""
    port = UsbPort(path, device)
    async with Guest(path) as guest, running(port.run()):
        await guest.attached()
        yield guest, port


def bulk_data(answer: Packet) -> bytes:
    assert isinstance(answer, BulkPacket)
    assert (answer.status, answer.length) == (Status.SUCCESS, len(answer.data))
    return answer.data
