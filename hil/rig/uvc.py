"""A camera in the words of the USB Video Class 1.1: what it offers, what is agreed on, how a frame goes over the bus.

One interface to control it and one with a bulk endpoint to stream. Sections are those of the class specification.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from drivers.camera.negotiate import Size
from drivers.types import PixelFormat
from hil.rig.descriptors import Descriptors, Endpoint, Identity, Interface
from hil.rig.packets import Speed, TransferType

STREAM_ENDPOINT = 0x81
PACKET_BYTES = 512  # of a bulk endpoint at high speed
PAYLOAD_BYTES = 16384  # with its header: uvcvideo makes one URB of 32 packets of it (UVC_MAX_PACKETS)
CLOCK_HZ = 48_000_000  # of the device's time stamps
INTERVAL_HZ = 10_000_000  # frame intervals are counted in 100 ns

CONTROL_INTERFACE, STREAM_INTERFACE = 0, 1
CAMERA, PROCESSING, OUTPUT = 1, 2, 3  # entities, by their ids
CS_INTERFACE = 0x24
VIDEO = 0x0E  # interface class
UNCOMPRESSED_FORMAT, UNCOMPRESSED_FRAME, MJPEG_FORMAT, MJPEG_FRAME, COLOUR_MATCHING = 0x04, 0x05, 0x06, 0x07, 0x0D
YUY2 = b"YUY2" + bytes.fromhex("0000 1000 8000 00AA00389B71")

ANY_RATE = (30, 20, 15, 10, 5)
VGA, QVGA, HD = Size(640, 480), Size(320, 240), Size(1280, 720)
OFFERS: tuple[tuple[PixelFormat, tuple[tuple[Size, tuple[int, ...]], ...]], ...] = (
    (PixelFormat.MJPEG, ((VGA, ANY_RATE), (QVGA, ANY_RATE), (HD, ANY_RATE))),
    (PixelFormat.YUYV, ((VGA, ANY_RATE), (QVGA, ANY_RATE), (HD, (10, 5)))),  # more than 40 MB/s USB 2.0 does not carry
)
SIZES = (QVGA, VGA, HD)

AGREEMENT = struct.Struct("<HBBI5HIIIBBBB")  # video probe and commit controls: table 4-47
FRAME_ID, END_OF_FRAME, HAS_PTS, HAS_SCR, IN_ERROR, END_OF_HEADER = 0x01, 0x02, 0x04, 0x08, 0x40, 0x80  # 2.4.3.3
PAYLOAD_HEADER = struct.Struct("<BBIIH")


@dataclass(frozen=True, slots=True)
class Agreement:
    """What host and camera agreed to stream: indices into `OFFERS`, from 1 on, and the frame interval in 100 ns."""

    format_index: int = 1
    frame_index: int = 1
    interval: int = INTERVAL_HZ // 15

    @property
    def pixel_format(self) -> PixelFormat:
        return OFFERS[self.format_index - 1][0]

    @property
    def size(self) -> Size:
        return OFFERS[self.format_index - 1][1][self.frame_index - 1][0]

    @property
    def interval_s(self) -> float:
        return self.interval / INTERVAL_HZ

    @property
    def intervals(self) -> list[int]:
        """All that this size can be had at, shortest first."""
        return [INTERVAL_HZ // rate for rate in OFFERS[self.format_index - 1][1][self.frame_index - 1][1]]

    def pack(self) -> bytes:
        return AGREEMENT.pack(
            1, self.format_index, self.frame_index, self.interval,  # the interval is fixed, the rest is not used
            0, 0, 0, 0, 0,
            self.size.area * 2, PAYLOAD_BYTES, CLOCK_HZ,
            3, 0, 0, 0,  # the frame id toggles, and the end of a frame is marked
        )  # fmt: skip


def agree(wish: bytes) -> Agreement:
    """What the camera makes of a host's wish: the nearest that it offers. Raises `struct.error` if it is too short."""
    _, format_index, frame_index, interval, *_ = AGREEMENT.unpack_from(wish)
    format_index = min(max(format_index, 1), len(OFFERS))
    frame_index = min(max(frame_index, 1), len(OFFERS[format_index - 1][1]))
    offered = Agreement(format_index, frame_index).intervals
    return Agreement(format_index, frame_index, min(offered, key=lambda it: abs(it - (interval or offered[0]))))


def payloads(frame: bytes, *, odd: bool, at_ns: int, damaged: bool = False) -> list[bytes]:
    """A frame as the bulk transfers that carry it. `damaged`: the camera itself says that something went wrong."""
    clock = at_ns * (CLOCK_HZ // 1_000_000) // 1000 & 0xFFFFFFFF
    bus_frame = at_ns // 1_000_000 & 0x7FF
    flags = END_OF_HEADER | HAS_PTS | HAS_SCR | (FRAME_ID if odd else 0) | (IN_ERROR if damaged else 0)
    room = PAYLOAD_BYTES - PAYLOAD_HEADER.size
    starts = range(0, len(frame), room)
    return [
        PAYLOAD_HEADER.pack(
            PAYLOAD_HEADER.size, flags | (END_OF_FRAME if start == starts[-1] else 0), clock, clock, bus_frame
        )
        + frame[start : start + room]
        for start in starts
    ]


def camera_descriptors(serial: str, product: str) -> Descriptors:
    return Descriptors(
        speed=Speed.HIGH,
        identity=Identity(
            vendor=0x1D6B,  # Linux Foundation, whose id 0x0102 is the kernel's own gadget camera
            product=0x0102,
            device_class=(0xEF, 2, 1),  # interface association
            release_bcd=0x0100,
            names=("Ductwatch Rig", product, serial),
        ),
        before=bytes([8, 11, CONTROL_INTERFACE, 2, VIDEO, 3, 0, 0]),
        interfaces=(
            Interface(number=CONTROL_INTERFACE, interface_class=(VIDEO, 1, 0), extra=_control()),
            Interface(
                number=STREAM_INTERFACE,
                interface_class=(VIDEO, 2, 0),
                extra=_streaming(),
                endpoints=(Endpoint(STREAM_ENDPOINT, TransferType.BULK, PACKET_BYTES, 0),),
            ),
        ),
    )


def _control() -> bytes:
    """Tables 3-3 to 3-8: sensor, then processing, then the stream."""
    camera_controls = (1 << 1 | 1 << 3).to_bytes(3, "little")  # auto exposure mode, absolute exposure time
    processing_controls = (1 << 0 | 1 << 9).to_bytes(2, "little")  # brightness, gain
    entities = (
        struct.pack("<BBBBHBBHHHB", 18, CS_INTERFACE, 0x02, CAMERA, 0x0201, 0, 0, 0, 0, 0, 3)
        + camera_controls
        + struct.pack("<BBBBBHB", 12, CS_INTERFACE, 0x05, PROCESSING, CAMERA, 0, 2)
        + processing_controls
        + bytes(2)  # no name, no analogue video
        + struct.pack("<BBBBHBBB", 9, CS_INTERFACE, 0x03, OUTPUT, 0x0101, 0, PROCESSING, 0)
    )
    return (
        struct.pack("<BBBHHIBB", 13, CS_INTERFACE, 0x01, 0x0110, 13 + len(entities), CLOCK_HZ, 1, STREAM_INTERFACE)
        + entities
    )


def _streaming() -> bytes:
    """Tables 3-13 and 3-18, and of the payload specifications 3-1 and 3-2 each."""
    formats = b"".join(_format(number, *offer) for number, offer in enumerate(OFFERS, 1))
    header = struct.pack(
        "<BBBBHBBBBBBB",
        13 + len(OFFERS), CS_INTERFACE, 0x01, len(OFFERS), 13 + len(OFFERS) + len(formats),
        STREAM_ENDPOINT, 0, OUTPUT, 0, 0, 0, 1,
    )  # fmt: skip
    return header + bytes(len(OFFERS)) + formats


def _format(number: int, pixel_format: PixelFormat, frames: tuple[tuple[Size, tuple[int, ...]], ...]) -> bytes:
    if pixel_format is PixelFormat.MJPEG:
        head = struct.pack("<BBBBBB", 11, CS_INTERFACE, MJPEG_FORMAT, number, len(frames), 0)
        kind = MJPEG_FRAME
    else:
        head = struct.pack("<BBBBB16sB", 27, CS_INTERFACE, UNCOMPRESSED_FORMAT, number, len(frames), YUY2, 16)
        kind = UNCOMPRESSED_FRAME
    described = b"".join(_frame(kind, index, size, rates) for index, (size, rates) in enumerate(frames, 1))
    colours = bytes([6, CS_INTERFACE, COLOUR_MATCHING, 1, 1, 4])  # as sRGB, with the matrix of BT.601
    return head + bytes([1, 0, 0, 0, 0]) + described + colours


def _frame(kind: int, index: int, size: Size, rates: tuple[int, ...]) -> bytes:
    intervals = [INTERVAL_HZ // rate for rate in rates]
    frame_bits = size.area * 16
    return struct.pack(
        f"<BBBBBHHIIIIB{len(intervals)}I",
        26 + 4 * len(intervals), CS_INTERFACE, kind, index, 0, size.width, size.height,
        frame_bits * min(rates), frame_bits * max(rates), frame_bits // 8, intervals[0], len(intervals), *intervals,
    )  # fmt: skip
