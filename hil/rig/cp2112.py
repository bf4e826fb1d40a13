"""A Silicon Labs CP2112, the bridge from USB to I2C and GPIO: what the kernel's hid-cp2112 drives.

Sections and reports are those of AN495, "CP2112 interface specification".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import Enum, IntEnum
from typing import Protocol

from hil.rig.descriptors import Descriptors, Endpoint, Identity, Interface
from hil.rig.lines import Lines
from hil.rig.packets import Speed, TransferType
from hil.rig.usb_device import GET_DESCRIPTOR, Setup, Stalled, UsbDevice

VENDOR, PRODUCT = 0x10C4, 0xEA90
PART, VERSION = 0x0C, 0x03  # since 2 it can repeat a start
REPORT_BYTES = 64
IN, OUT = 0x81, 0x01
CHUNK_BYTES = 61  # of data in one report
MOST_READ_BYTES = 512
MOST_ADDRESS_BYTES = 16  # written before a repeated start


class Report(IntEnum):
    RESET = 0x01
    GPIO_CONFIGURATION = 0x02
    GPIO_GET = 0x03
    GPIO_SET = 0x04
    VERSION = 0x05
    SMBUS_CONFIGURATION = 0x06
    READ = 0x10
    WRITE_READ = 0x11
    FORCE_SEND = 0x12
    READ_RESPONSE = 0x13
    WRITE = 0x14
    STATUS = 0x15
    STATUS_RESPONSE = 0x16
    CANCEL = 0x17
    LOCK = 0x20
    USB_CONFIGURATION = 0x21
    MANUFACTURER = 0x22
    PRODUCT = 0x23
    SERIAL = 0x24


FEATURES = {  # bytes of each behind its number
    Report.RESET: 1, Report.GPIO_CONFIGURATION: 4, Report.GPIO_GET: 1, Report.GPIO_SET: 2, Report.VERSION: 2,
    Report.SMBUS_CONFIGURATION: 13, Report.LOCK: 1, Report.USB_CONFIGURATION: 9, Report.MANUFACTURER: 62,
    Report.PRODUCT: 62, Report.SERIAL: 62,
}  # fmt: skip
INPUTS = (Report.READ_RESPONSE, Report.STATUS_RESPONSE)
OUTPUTS = (Report.READ, Report.WRITE_READ, Report.FORCE_SEND, Report.WRITE, Report.STATUS, Report.CANCEL)
STRINGS = (Report.MANUFACTURER, Report.PRODUCT, Report.SERIAL)

SMBUS_DEFAULTS = struct.pack(">IBBHHBH", 100_000, 0x02, 0, 0, 0, 0, 0)  # table 1
GET_REPORT, SET_REPORT = 0x01, 0x09
FROM_INTERFACE, TO_INTERFACE, STANDARD_FROM_INTERFACE = 0xA1, 0x21, 0x81
HID, HID_REPORT = 0x21, 0x22  # descriptors


class Chip(Protocol):
    """What sits at an address of the bus. Called in the event loop: it must not block."""

    def write(self, data: bytes) -> None: ...

    def read(self, length: int) -> bytes:
        """What is missing of `length` bytes reads as ones, as on a bus that nobody pulls down."""


class BridgeFault(Enum):
    NONE = "none"
    STUCK_BUS = "a line of the bus is held down: no transfer ever completes"
    HUNG = "no answer to anything"


class TransferState(Enum):
    """Status 0 and 1 of a transfer: table 10."""

    IDLE = (0, 0)
    BUSY = (1, 3)
    DONE = (2, 5)
    NOT_ACKNOWLEDGED = (3, 0)


class BridgePeer(UsbDevice):
    """The bridge, to be put into a `UsbPort`, with `chips` by their addresses.

    `chips`, the addresses in `naks`, which do not acknowledge, and `fault` may be changed at any time. A line that was
    made an output first shows what is in its latch: hid-cp2112 sets a line's level after its direction, as 4.4 wants.
    The manual does not say what the latches hold at power-up: `latch` does.
    """

    def __init__(
        self, chips: dict[int, Chip], *, serial: str = "RIG0", lines: Lines | None = None, latch: int = 0
    ) -> None:
        names = ("Silicon Laboratories", "CP2112 HID USB-to-SMBus Bridge", serial)
        super().__init__(_descriptors(names))
        self.chips = chips
        self.naks: set[int] = set()
        self.fault = BridgeFault.NONE
        self.lines = Lines() if lines is None else lines
        self.transfers = 0
        self._latch_at_power_up = latch
        self._strings = dict(zip(STRINGS, names, strict=True))
        self.power_lost()

    @property
    def hung(self) -> bool:
        return self.fault is BridgeFault.HUNG

    def power_lost(self) -> None:
        """All lines become inputs: what they drove is pulled to wherever `Lines` says."""
        self._outputs, self._push_pull, self._special, self._clock_divider = 0, 0, 0, 0
        self._latch = self._latch_at_power_up
        self._smbus = SMBUS_DEFAULTS
        self._state = TransferState.IDLE
        self._read = b""
        self._read_bytes = 0
        self._show_lines()

    def control(self, setup: Setup, data: bytes) -> bytes:
        kind, number = setup.value >> 8, setup.value & 0xFF
        if (setup.request_type, setup.request) == (STANDARD_FROM_INTERFACE, GET_DESCRIPTOR):
            return {HID: HID_DESCRIPTOR, HID_REPORT: REPORT_DESCRIPTOR}.get(kind) or _refuse()
        if (setup.request_type, setup.request) == (FROM_INTERFACE, GET_REPORT):
            content = self._get(number)
            return bytes([number]) + content.ljust(FEATURES[Report(number)], b"\0")
        if (setup.request_type, setup.request) == (TO_INTERFACE, SET_REPORT):
            self._set(number, data[1:])
        return b""  # idle times and protocols make no difference here

    def interrupt_out(self, data: bytes) -> Iterable[tuple[int, bytes]]:
        """One report; what is too short for one is overheard."""
        number, body = data[:1], data[1:]
        match int.from_bytes(number, "big"):
            case Report.READ if len(body) >= 3:
                self._transfer(body[0] >> 1, b"", int.from_bytes(body[1:3], "big"))
            case Report.WRITE_READ if len(body) >= 4:
                written = body[4 : 4 + min(body[3], MOST_ADDRESS_BYTES)]
                self._transfer(body[0] >> 1, written, int.from_bytes(body[1:3], "big"))
            case Report.WRITE if len(body) >= 2:
                self._transfer(body[0] >> 1, body[2 : 2 + min(body[1], CHUNK_BYTES)], 0)
            case Report.CANCEL:
                self._state = TransferState.IDLE
            case Report.STATUS:
                status = struct.pack(">BBBHH", Report.STATUS_RESPONSE, *self._state.value, 0, self._read_bytes)
                yield IN, status.ljust(REPORT_BYTES, b"\0")
            case Report.FORCE_SEND if len(body) >= 2:
                length = min(int.from_bytes(body[:2], "big"), CHUNK_BYTES)
                chunk, self._read = self._read[:length], self._read[length:]
                response = bytes([Report.READ_RESPONSE, self._state.value[0], len(chunk)]) + chunk
                yield IN, response.ljust(REPORT_BYTES, b"\0")

    def _transfer(self, address: int, written: bytes, read_bytes: int) -> None:
        self.transfers += 1
        self._read, self._read_bytes = b"", 0
        chip = None if address in self.naks else self.chips.get(address)
        if self.fault is BridgeFault.STUCK_BUS:
            self._state = TransferState.BUSY
        elif chip is None:
            self._state = TransferState.NOT_ACKNOWLEDGED
        else:
            if written:
                chip.write(written)
            if read_bytes:
                self._read_bytes = min(read_bytes, MOST_READ_BYTES)
                self._read = chip.read(self._read_bytes).ljust(self._read_bytes, b"\xff")[: self._read_bytes]
            self._state = TransferState.DONE

    def _get(self, number: int) -> bytes:
        """A feature report without its number. Raises `Stalled`."""
        match number:
            case Report.GPIO_CONFIGURATION:
                return bytes([self._outputs, self._push_pull, self._special, self._clock_divider])
            case Report.GPIO_GET:
                return bytes([self.lines.levels])
            case Report.VERSION:
                return bytes([PART, VERSION])
            case Report.SMBUS_CONFIGURATION:
                return self._smbus
            case Report.LOCK:
                return b"\x00"  # all that can be burnt in is
            case Report.USB_CONFIGURATION:
                return struct.pack("<HHBBBBB", VENDOR, PRODUCT, 50, 0, 1, 0, 0)
            case Report.MANUFACTURER | Report.PRODUCT | Report.SERIAL:
                text = self._strings[Report(number)].encode("utf-16le")
                return bytes([2 + len(text), 3]) + text
            case _:
                raise Stalled

    def _set(self, number: int, body: bytes) -> None:
        """Raises `Stalled`."""
        match number:
            case Report.GPIO_CONFIGURATION if len(body) >= 4:
                self._outputs, self._push_pull, self._special, self._clock_divider = body[:4]
            case Report.GPIO_SET if len(body) >= 2:
                mask = body[1] & self._outputs  # the latch of an input is not to be reached
                self._latch = self._latch & ~mask | body[0] & mask
            case Report.SMBUS_CONFIGURATION if len(body) >= len(SMBUS_DEFAULTS):
                self._smbus = body[: len(SMBUS_DEFAULTS)]
            case Report.RESET:
                self.power_lost()
            case _:
                raise Stalled
        self._show_lines()

    def _show_lines(self) -> None:
        self.lines.board_sets(outputs=self._outputs, push_pull=self._push_pull, latch=self._latch)


def _refuse() -> bytes:
    raise Stalled


def _report_descriptor() -> bytes:
    """A collection of one vendor-defined array of bytes for each report (HID 1.11, 6.2.2)."""
    reports: list[tuple[Report, int, bytes]] = [(number, size, b"\xb1\x02") for number, size in FEATURES.items()]
    reports += [(number, REPORT_BYTES - 1, b"\x81\x02") for number in INPUTS]
    reports += [(number, REPORT_BYTES - 1, b"\x91\x02") for number in OUTPUTS]
    body = b"".join(bytes([0x85, number, 0x95, size, 0x09, 0x01]) + item for number, size, item in sorted(reports))
    bytes_of_8_bits = bytes.fromhex("1500 26ff00 7508")
    return bytes.fromhex("0600ff 0901 a101") + bytes_of_8_bits + body + b"\xc0"


REPORT_DESCRIPTOR = _report_descriptor()
HID_DESCRIPTOR = struct.pack("<BBHBBBH", 9, HID, 0x0101, 0, 1, HID_REPORT, len(REPORT_DESCRIPTOR))


def _descriptors(names: tuple[str, str, str]) -> Descriptors:
    return Descriptors(
        speed=Speed.FULL,
        identity=Identity(vendor=VENDOR, product=PRODUCT, device_class=(0, 0, 0), release_bcd=0x0100, names=names),
        interfaces=(
            Interface(
                number=0,
                interface_class=(3, 0, 0),
                extra=HID_DESCRIPTOR,
                endpoints=(
                    Endpoint(IN, TransferType.INTERRUPT, REPORT_BYTES, 1),
                    Endpoint(OUT, TransferType.INTERRUPT, REPORT_BYTES, 1),
                ),
            ),
        ),
    )
