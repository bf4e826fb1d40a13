"""A USB port of the guest and the device in it: plugged, unplugged, and plugged again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hil.rig import packets, usbredir
from hil.rig.packets import BulkPacket, ControlPacket, InterruptPacket, Packet, Status
from hil.rig.sockets import connected
from hil.rig.usb_device import FROM_DEVICE, GET_DESCRIPTOR, Setup, Stalled, UsbDevice

CHUNK_BYTES = 65536
TYPE_MASK = 0x60  # of a request: standard, class or vendor; standard is 0
GET_STATUS, CLEAR_FEATURE, SET_FEATURE = 0, 1, 3  # USB 2.0, table 9-4
TO_ENDPOINT, ENDPOINT_HALT = 0x02, 0


class UsbPort:
    """One `usb-redir` device of QEMU, by the unix socket of its chardev, and what is plugged in there.

    QEMU may be killed and started again while `run` runs. Two ports' devices come up in the order of their numbers in
    the guest if the second is plugged after the first's `configured` was set.
    """

    def __init__(self, path: Path, device: UsbDevice, *, plugged: bool = True) -> None:
        self.configured = asyncio.Event()  # while the guest's kernel has taken the device
        self._path = path
        self._device = device
        self._plugged = plugged
        self._line: _Line | None = None

    @property
    def plugged(self) -> bool:
        return self._plugged

    def plug(self) -> None:
        """Plug the device in; nothing if it is."""
        if not self._plugged:
            self._plugged = True
            if self._line is not None:
                self._line.plug()

    def unplug(self) -> None:
        """Pull the plug; nothing if it is out. The device loses its power."""
        if self._plugged:
            self._plugged = False
            if self._line is not None:
                self._line.unplug()
            self._lose_power()

    async def run(self) -> None:
        """Be this port until cancelled. Raises `usbredir.ProtocolError` if what listens is no QEMU."""
        while True:
            async with connected(self._path) as (reader, writer):
                self._line = _Line(writer, self._device, self.configured, plugged=self._plugged)
                try:
                    await self._serve(reader, self._line)
                finally:
                    self._line = None
                    self._lose_power()

    async def _serve(self, reader: asyncio.StreamReader, line: _Line) -> None:
        async with asyncio.TaskGroup() as group:
            alongside = [group.create_task(self._device.run()), group.create_task(line.hand_over())]
            await line.listen(reader)
            for task in alongside:
                task.cancel()

    def _lose_power(self) -> None:
        self.configured.clear()
        self._device.power_lost()


class _Line:
    """One connection to QEMU, from our hello until it ends."""

    def __init__(
        self, writer: asyncio.StreamWriter, device: UsbDevice, configured: asyncio.Event, *, plugged: bool
    ) -> None:
        self._writer = writer
        self._device = device
        self._configured = configured
        self._plugged = plugged
        self._greeted = False
        self._configuration = 0
        self._waiting: dict[int, ControlPacket | BulkPacket] = {}  # transfers not answered yet, by id: a few, says QEMU
        self._send_bytes(usbredir.hello("ductwatch rig"))

    def plug(self) -> None:
        self._plugged = True
        if self._greeted:
            self._describe()
            self._send(0, self._device.descriptors.connect())

    def unplug(self) -> None:
        self._plugged = False
        self._start_anew()
        if self._greeted:
            self._send(0, packets.DeviceDisconnect())

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Do what the guest asks until QEMU ends."""
        parser = usbredir.Parser()
        with suppress(ConnectionError):
            while chunk := await reader.read(CHUNK_BYTES):
                for number, packet in parser.feed(chunk):
                    self._obey(number, packet)
                await self._writer.drain()

    async def hand_over(self) -> None:
        """Answer waiting bulk transfers as the device gets its data ready, until cancelled."""
        while True:
            await self._device.data_ready.wait()
            self._device.data_ready.clear()
            self._fill()

    def _obey(self, number: int, packet: Packet) -> None:
        match packet:
            case packets.Hello():
                self._greeted = True
                if self._plugged:
                    self.plug()
            case _ if not self._plugged:
                return  # it was on its way when the plug was pulled
            case packets.CancelDataPacket():
                self._cancel(number)
            case ControlPacket() if self._device.hung:
                self._waiting[number] = packet
            case BulkPacket() if packet.endpoint & FROM_DEVICE:
                self._waiting[number] = packet
                self._fill()
            case _ if self._device.hung:
                return
            case ControlPacket():
                self._control(number, packet)
            case packets.InterruptPacket():
                self._interrupt_out(number, packet)
            case packets.Reset():
                self._start_anew()
                self._device.bus_reset()
            case _:
                self._configure(number, packet)

    def _configure(self, number: int, packet: Packet) -> None:
        """Requests that the protocol has packets of their own for."""
        match packet:
            case packets.SetConfiguration(configuration):
                self._configuration = configuration
                self._configured.set()
                self._describe()
                self._send(number, packets.ConfigurationStatus(Status.SUCCESS, configuration))
            case packets.GetConfiguration():
                self._send(number, packets.ConfigurationStatus(Status.SUCCESS, self._configuration))
            case packets.SetAltSetting(interface, alternate):
                status = Status.SUCCESS if alternate == 0 else Status.STALL  # no device of ours has more than one
                self._send(number, packets.AltSettingStatus(status, interface, 0))
            case packets.GetAltSetting(interface):
                self._send(number, packets.AltSettingStatus(Status.SUCCESS, interface, 0))
            case packets.StartInterruptReceiving(endpoint) | packets.StopInterruptReceiving(endpoint):
                self._send(number, packets.InterruptReceivingStatus(Status.SUCCESS, endpoint))
            case _:
                raise usbredir.ProtocolError(f"{type(packet).__name__} from QEMU")

    def _control(self, number: int, packet: ControlPacket) -> None:
        setup = Setup(packet.request_type, packet.request, packet.value, packet.index, packet.length)
        try:
            answer = self._answer(setup, packet.data)[: setup.length]
        except Stalled:
            self._send(number, replace(packet, status=Status.STALL, length=0, data=b""))
        else:
            length = len(answer) if setup.reads else setup.length
            self._send(number, replace(packet, status=Status.SUCCESS, length=length, data=answer))

    def _answer(self, setup: Setup, data: bytes) -> bytes:
        if setup.request_type & TYPE_MASK:
            return self._device.control(setup, data)
        if setup.request == GET_DESCRIPTOR:
            found = self._device.descriptors.find(setup.value >> 8, setup.value & 0xFF)
            return self._device.control(setup, data) if found is None else found
        if setup.request == GET_STATUS:
            return bytes(2)
        if setup.request in (CLEAR_FEATURE, SET_FEATURE):
            if setup.request_type == TO_ENDPOINT and setup.request == CLEAR_FEATURE and setup.value == ENDPOINT_HALT:
                self._device.halt_cleared(setup.index)
            return b""
        raise Stalled

    def _interrupt_out(self, number: int, packet: InterruptPacket) -> None:
        self._send(number, replace(packet, status=Status.SUCCESS, data=b""))
        for endpoint, data in self._device.interrupt_out(packet.data):
            self._send(0, InterruptPacket(endpoint, Status.SUCCESS, len(data), data))

    def _fill(self) -> None:
        if self._device.hung:
            return
        for number, packet in list(self._waiting.items()):
            if isinstance(packet, BulkPacket):
                data = self._device.bulk_in(packet.length)
                if data is None:
                    return
                del self._waiting[number]
                self._send(number, usbredir.bulk(packet.endpoint, Status.SUCCESS, len(data), data))

    def _cancel(self, number: int) -> None:
        packet = self._waiting.pop(number, None)
        if isinstance(packet, BulkPacket):
            self._send(number, usbredir.bulk(packet.endpoint, Status.CANCELLED, 0))
        elif packet is not None:
            self._send(number, replace(packet, status=Status.CANCELLED, length=0, data=b""))

    def _describe(self) -> None:
        self._send(0, self._device.descriptors.interface_info())
        self._send(0, self._device.descriptors.endpoint_info())

    def _start_anew(self) -> None:
        self._configuration = 0
        self._configured.clear()
        self._waiting.clear()

    def _send(self, number: int, packet: Packet) -> None:
        self._send_bytes(usbredir.encode(packet, number))

    def _send_bytes(self, data: bytes) -> None:
        """Bounded by what the guest asks for: nothing is sent unasked but a few words on plugging."""
        self._writer.write(data)
