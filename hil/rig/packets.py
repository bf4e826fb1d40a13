"""The packets of the usbredir protocol (docs/usb-redirection-protocol.md of spice's usbredir, version 0.7).

QEMU is the "usb-guest" in its words, and we are the "usb-host". Of the optional parts those are here that xHCI needs.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import ClassVar

VERSION_BYTES = 64
SLOTS = 32  # of the tables of interfaces and endpoints


class Capability(IntFlag):
    """Optional parts, by their bits in a hello."""

    CONNECT_DEVICE_VERSION = 1 << 1
    EP_INFO_MAX_PACKET_SIZE = 1 << 4
    IDS_OF_64_BITS = 1 << 5
    BULK_LENGTH_OF_32_BITS = 1 << 6


SPOKEN = (
    Capability.CONNECT_DEVICE_VERSION
    | Capability.EP_INFO_MAX_PACKET_SIZE
    | Capability.IDS_OF_64_BITS
    | Capability.BULK_LENGTH_OF_32_BITS
)


class Status(IntEnum):
    SUCCESS = 0
    CANCELLED = 1
    INVALID = 2
    IO_ERROR = 3
    STALL = 4
    TIMEOUT = 5
    BABBLE = 6


class Speed(IntEnum):
    FULL = 1
    HIGH = 2


class TransferType(IntEnum):
    CONTROL = 0
    ISOCHRONOUS = 1
    BULK = 2
    INTERRUPT = 3
    INVALID = 255


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet without its header. Fields are in the order of `LAYOUT`; a last field `data` is what follows them."""

    KIND: ClassVar[int]
    LAYOUT: ClassVar[struct.Struct]


@dataclass(frozen=True, slots=True)
class Hello(Packet):
    KIND, LAYOUT = 0, struct.Struct(f"<{VERSION_BYTES}sI")
    version: bytes
    capabilities: int


@dataclass(frozen=True, slots=True)
class DeviceConnect(Packet):
    KIND, LAYOUT = 1, struct.Struct("<4B3H")
    speed: int
    device_class: int
    device_subclass: int
    device_protocol: int
    vendor: int
    product: int
    release_bcd: int


@dataclass(frozen=True, slots=True)
class DeviceDisconnect(Packet):
    KIND, LAYOUT = 2, struct.Struct("<")


@dataclass(frozen=True, slots=True)
class Reset(Packet):
    KIND, LAYOUT = 3, struct.Struct("<")


@dataclass(frozen=True, slots=True)
class InterfaceInfo(Packet):
    """Of each interface in turn, padded to `SLOTS`: its number, class, subclass and protocol."""

    KIND, LAYOUT = 4, struct.Struct(f"<I{SLOTS}s{SLOTS}s{SLOTS}s{SLOTS}s")
    count: int
    numbers: bytes
    classes: bytes
    subclasses: bytes
    protocols: bytes


@dataclass(frozen=True, slots=True)
class EndpointInfo(Packet):
    """Of each endpoint, first 16 to the device, then 16 from it: its type, interval, interface, and 16 bits of size."""

    KIND, LAYOUT = 5, struct.Struct(f"<{SLOTS}s{SLOTS}s{SLOTS}s{2 * SLOTS}s")
    types: bytes
    intervals: bytes
    interfaces: bytes
    packet_sizes: bytes


@dataclass(frozen=True, slots=True)
class SetConfiguration(Packet):
    KIND, LAYOUT = 6, struct.Struct("<B")
    configuration: int


@dataclass(frozen=True, slots=True)
class GetConfiguration(Packet):
    KIND, LAYOUT = 7, struct.Struct("<")


@dataclass(frozen=True, slots=True)
class ConfigurationStatus(Packet):
    KIND, LAYOUT = 8, struct.Struct("<2B")
    status: int
    configuration: int


@dataclass(frozen=True, slots=True)
class SetAltSetting(Packet):
    KIND, LAYOUT = 9, struct.Struct("<2B")
    interface: int
    alternate: int


@dataclass(frozen=True, slots=True)
class GetAltSetting(Packet):
    KIND, LAYOUT = 10, struct.Struct("<B")
    interface: int


@dataclass(frozen=True, slots=True)
class AltSettingStatus(Packet):
    KIND, LAYOUT = 11, struct.Struct("<3B")
    status: int
    interface: int
    alternate: int


@dataclass(frozen=True, slots=True)
class StartInterruptReceiving(Packet):
    KIND, LAYOUT = 15, struct.Struct("<B")
    endpoint: int


@dataclass(frozen=True, slots=True)
class StopInterruptReceiving(Packet):
    KIND, LAYOUT = 16, struct.Struct("<B")
    endpoint: int


@dataclass(frozen=True, slots=True)
class InterruptReceivingStatus(Packet):
    KIND, LAYOUT = 17, struct.Struct("<2B")
    status: int
    endpoint: int


@dataclass(frozen=True, slots=True)
class CancelDataPacket(Packet):
    """The transfer with this packet's id is not wanted any more."""

    KIND, LAYOUT = 21, struct.Struct("<")


@dataclass(frozen=True, slots=True)
class ControlPacket(Packet):
    KIND, LAYOUT = 100, struct.Struct("<4B3H")
    endpoint: int
    request: int
    request_type: int
    status: int
    value: int
    index: int
    length: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class BulkPacket(Packet):
    KIND, LAYOUT = 101, struct.Struct("<BBHIH")
    endpoint: int
    status: int
    length_low: int
    stream: int
    length_high: int
    data: bytes = b""

    @property
    def length(self) -> int:
        return self.length_high << 16 | self.length_low


@dataclass(frozen=True, slots=True)
class InterruptPacket(Packet):
    KIND, LAYOUT = 103, struct.Struct("<BBH")
    endpoint: int
    status: int
    length: int
    data: bytes = b""


KINDS: dict[int, type[Packet]] = {kind.KIND: kind for kind in Packet.__subclasses__()}
