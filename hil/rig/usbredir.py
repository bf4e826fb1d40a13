"""The wire between QEMU's `usb-redir` and whoever has the USB device: bytes to packets and back, nothing opened.

Everything is packed and little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import cast

from hil.rig.packets import KINDS, SPOKEN, VERSION_BYTES, BulkPacket, Capability, Hello, Packet

LARGEST_PACKET_BYTES = 1 << 20  # a bulk transfer of the guest's is 16 KiB, a control transfer at most 64 KiB


class ProtocolError(Exception):
    """The other end does not speak usbredir, or less of it than is needed."""


HELLO_HEADER = struct.Struct("<III")  # kind, length, id: before both ends know that the other takes long ids
HEADER = struct.Struct("<IIQ")


def hello(version: str) -> bytes:
    return encode(Hello(version.encode().ljust(VERSION_BYTES, b"\0"), SPOKEN), 0)


def bulk(endpoint: int, status: int, length: int, data: bytes = b"") -> BulkPacket:
    return BulkPacket(endpoint, status, length & 0xFFFF, 0, length >> 16, data)


def encode(packet: Packet, number: int) -> bytes:
    """The packet with its header; `number` tells which transfer it belongs to."""
    values = [getattr(packet, field.name) for field in fields(packet)]
    data = values.pop() if _carries_data(type(packet)) else b""
    body = packet.LAYOUT.pack(*values)
    header = HELLO_HEADER if isinstance(packet, Hello) else HEADER
    return b"".join((header.pack(packet.KIND, len(body) + len(data), number), body, data))


class Parser:
    """Packets out of a stream of bytes, however it was cut. Holds at most one packet of `LARGEST_PACKET_BYTES`."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._greeted = False

    def feed(self, data: bytes) -> Iterator[tuple[int, Packet]]:
        """The packets that became whole with `data`, each with its id. Raises `ProtocolError`, and is then useless."""
        self._buffer += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> tuple[int, Packet] | None:
        header = HEADER if self._greeted else HELLO_HEADER
        if len(self._buffer) < header.size:
            return None
        kind, length, number = header.unpack_from(self._buffer)
        if length > LARGEST_PACKET_BYTES:
            raise ProtocolError(f"a packet of {length} bytes, where {LARGEST_PACKET_BYTES} are the most")
        end = header.size + length
        if len(self._buffer) < end:
            return None
        packet = _decode(kind, bytes(self._buffer[header.size : end]))
        del self._buffer[:end]
        if isinstance(packet, Hello) == self._greeted:
            raise ProtocolError("a hello must come first, and once")
        if isinstance(packet, Hello):
            _check(packet)
            self._greeted = True
        return number, packet


def _decode(kind: int, body: bytes) -> Packet:
    packet = KINDS.get(kind)
    if packet is None:
        raise ProtocolError(f"a packet of kind {kind}, which nobody asked for")
    size = packet.LAYOUT.size
    exact = not (_carries_data(packet) or packet is Hello)  # a hello may have more words of capabilities than we know
    if len(body) < size or (exact and len(body) > size):
        raise ProtocolError(f"{packet.__name__} of {len(body)} bytes instead of {size}")
    values = packet.LAYOUT.unpack_from(body)
    make = cast(Callable[..., Packet], packet)
    return make(*values, body[size:]) if _carries_data(packet) else make(*values)


def _check(packet: Hello) -> None:
    missing = SPOKEN & ~Capability(packet.capabilities & SPOKEN)
    if missing:
        raise ProtocolError(f"{packet.version.rstrip(bytes(1)).decode(errors='replace')} cannot do {missing!r}")


def _carries_data(packet: type[Packet]) -> bool:
    return fields(packet)[-1:] != () and fields(packet)[-1].name == "data"
