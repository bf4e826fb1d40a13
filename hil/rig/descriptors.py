"""Descriptors of USB devices, as their first reader, the kernel, wants them (USB 2.0, chapter 9.6)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hil.rig.packets import SLOTS, DeviceConnect, EndpointInfo, InterfaceInfo, Speed, TransferType

DEVICE, CONFIGURATION, STRING, INTERFACE, ENDPOINT, QUALIFIER = 1, 2, 3, 4, 5, 6  # table 9-5
USB_BCD = 0x0200
CONTROL_PACKET_BYTES = 64  # of endpoint 0
MILLIAMPERES = 100
ENGLISH = 0x0409


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a device says it is. `device_class` is class, subclass and protocol; zeros leave that to its interfaces."""

    vendor: int
    product: int
    device_class: tuple[int, int, int]
    release_bcd: int
    names: tuple[str, str, str]  # of maker and product, and the serial number


@dataclass(frozen=True, slots=True)
class Endpoint:
    address: int
    kind: TransferType
    packet_bytes: int
    interval: int  # of polling an interrupt endpoint, in frames of 1 ms at full speed

    def descriptor(self) -> bytes:
        return struct.pack("<BBBBHB", 7, ENDPOINT, self.address, self.kind, self.packet_bytes, self.interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """`extra` are its class's own descriptors, which come before those of its endpoints."""

    number: int
    interface_class: tuple[int, int, int]
    extra: bytes = b""
    endpoints: Sequence[Endpoint] = ()

    def descriptor(self) -> bytes:
        count = len(self.endpoints)
        head = struct.pack("<BBBBBBBBB", 9, INTERFACE, self.number, 0, count, *self.interface_class, 0)
        return head + self.extra + b"".join(endpoint.descriptor() for endpoint in self.endpoints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """All that a host asks about a device, in the bytes that it gets. `before` goes before the first interface."""

    speed: Speed
    identity: Identity
    interfaces: Sequence[Interface]
    before: bytes = b""

    def find(self, kind: int, index: int) -> bytes | None:
        """None if there is no such descriptor."""
        if kind == DEVICE:
            return self.device()
        if kind == CONFIGURATION and index == 0:
            return self.configuration()
        if kind == STRING:
            return self._string(index)
        if kind == QUALIFIER and self.speed is Speed.HIGH:
            return struct.pack(
                "<BBHBBBBBB", 10, QUALIFIER, USB_BCD, *self.identity.device_class, CONTROL_PACKET_BYTES, 1, 0
            )
        return None

    def device(self) -> bytes:
        who = self.identity
        return struct.pack(
            "<BBHBBBBHHHBBBB",
            18, DEVICE, USB_BCD, *who.device_class, CONTROL_PACKET_BYTES,
            who.vendor, who.product, who.release_bcd, 1, 2, 3, 1,
        )  # fmt: skip

    def configuration(self) -> bytes:
        body = self.before + b"".join(interface.descriptor() for interface in self.interfaces)
        total, count = 9 + len(body), len(self.interfaces)
        return struct.pack("<BBHBBBBB", 9, CONFIGURATION, total, count, 1, 0, 0x80, MILLIAMPERES // 2) + body

    def _string(self, index: int) -> bytes | None:
        if index > len(self.identity.names):
            return None
        text = self.identity.names[index - 1].encode("utf-16le") if index else struct.pack("<H", ENGLISH)
        return bytes([2 + len(text), STRING]) + text

    def connect(self) -> DeviceConnect:
        who = self.identity
        return DeviceConnect(self.speed, *who.device_class, who.vendor, who.product, who.release_bcd)

    def interface_info(self) -> InterfaceInfo:
        columns = zip(*((it.number, *it.interface_class) for it in self.interfaces), strict=True)
        return InterfaceInfo(len(self.interfaces), *(bytes(column).ljust(SLOTS, b"\0") for column in columns))

    def endpoint_info(self) -> EndpointInfo:
        """Slots 0 and 16 are endpoint 0, both ways."""
        rows = [(TransferType.INVALID, 0, 0, 0)] * SLOTS
        rows[0] = rows[SLOTS // 2] = (TransferType.CONTROL, 0, 0, CONTROL_PACKET_BYTES)
        for interface, endpoint in self._endpoints():
            slot = (endpoint.address & 0x80) >> 3 | endpoint.address & 0x0F
            rows[slot] = (endpoint.kind, endpoint.interval, interface, endpoint.packet_bytes)
        types, intervals, interfaces, sizes = zip(*rows, strict=True)
        return EndpointInfo(bytes(types), bytes(intervals), bytes(interfaces), struct.pack(f"<{SLOTS}H", *sizes))

    def _endpoints(self) -> Iterator[tuple[int, Endpoint]]:
        for interface in self.interfaces:
            for endpoint in interface.endpoints:
                yield interface.number, endpoint
