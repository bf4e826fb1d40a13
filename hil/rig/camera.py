"""A USB camera that looks at a scene, and fails on request."""

from __future__ import annotations

import asyncio
import struct
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from drivers.camera.negotiate import Size
from drivers.types import PixelFormat
from hil.rig.darkroom import Order, Prints, develop, order
from hil.rig.pictures import Scene
from hil.rig.usb_device import Setup, Stalled, UsbDevice
from hil.rig.uvc import PAYLOAD_BYTES, STREAM_INTERFACE, Agreement, agree, camera_descriptors, payloads
from hil.rig.uvc_controls import (
    GET_CUR,
    GET_DEF,
    GET_INFO,
    GET_LEN,
    GET_MAX,
    GET_MIN,
    READABLE_AND_SETTABLE,
    SET_CUR,
    Controls,
)

PROBE, COMMIT = 0x01, 0x02  # selectors of the streaming interface
CLASS_REQUEST_TO_INTERFACE = 0x21
MOST_RECORDS = 5000  # of frames sent: some minutes of streaming
MOST_PICTURES = 8  # of frames sent, kept whole: two snapshots of the rig's, 1.8 MB each at the most
MOST_PRINTS = 6  # pictures kept encoded: 7 MB each as YUYV of 1280x720
TABLES_BYTES = 20  # of a JPEG: its start and the JFIF segment, which come before its tables


class CameraFault(Enum):
    NONE = "none"
    FROZEN = "the very same bytes again and again"
    TRUNCATED = "every frame stops half-way"
    CORRUPT = "MJPEG without its tables; YUYV that the camera itself marks as damaged"
    SILENT = "streaming, but never a frame"
    HUNG = "no answer to anything"


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A frame that the guest took whole: `light`, 0..1, fell in at `at_ns` of the host's CLOCK_MONOTONIC."""

    number: int
    at_ns: int
    light: float
    pixel_format: PixelFormat
    size: Size


@dataclass(slots=True)
class _Stream:
    agreement: Agreement
    due_s: float
    odd: bool = False
    outgoing: deque[bytes] = field(default_factory=deque)  # of one frame: another is taken when it has gone
    record: SentFrame | None = None
    frame: bytes = b""


class CameraPeer(UsbDevice):
    """A UVC camera with one bulk stream, to be put into a `UsbPort`.

    `sent` has the last frames that the guest took, `pictures` the very last ones with what was in them.
    Where the guest does not take a frame in time, the next ones are dropped, as a sensor does. `light` is asked for the
    light at the moment of each frame; `fault` may be set at any time. Brightness, gain and exposure change the picture.
    """

    def __init__(
        self, *, serial: str, scene: Scene, product: str = "Duct Camera", light: Callable[[], float] = lambda: 1.0
    ) -> None:
        super().__init__(camera_descriptors(serial, product))
        self.fault = CameraFault.NONE
        self.light = light
        self.controls = Controls()
        self.sent: deque[SentFrame] = deque(maxlen=MOST_RECORDS)
        self.pictures: deque[tuple[SentFrame, bytes]] = deque(maxlen=MOST_PICTURES)
        self.frames_sent = 0
        self.frames_dropped = 0
        self._scene = scene
        self._probe = Agreement()
        self._stream: _Stream | None = None
        self._started = asyncio.Event()
        self._prints: OrderedDict[Order, Prints] = OrderedDict()
        self._number = 0
        self._last: tuple[Agreement, bytes] | None = None

    def look_at(self, scene: Scene) -> None:
        """From the next frame on. Let `scene.draw` draw it before, or the first frame is late by seconds."""
        self._scene = scene

    @property
    def scene(self) -> Scene:
        return self._scene

    @property
    def streams(self) -> Agreement | None:
        """What the guest streams now."""
        return None if self._stream is None else self._stream.agreement

    @property
    def hung(self) -> bool:
        return self.fault is CameraFault.HUNG

    def control(self, setup: Setup, data: bytes) -> bytes:
        if setup.request_type & 0x7F != CLASS_REQUEST_TO_INTERFACE:
            raise Stalled
        if setup.index == STREAM_INTERFACE:
            return self._negotiate(setup.value >> 8, setup.request, data)
        return self.controls.request(setup, data)

    def bulk_in(self, length: int) -> bytes | None:
        stream = self._stream
        if stream is None or not stream.outgoing:
            return None
        payload = stream.outgoing.popleft()
        if len(payload) > length:
            stream.outgoing.appendleft(payload[length:])
        elif len(payload) == length < PAYLOAD_BYTES:
            stream.outgoing.appendleft(b"")  # else its end could not be told
        if not stream.outgoing and stream.record is not None:
            self.frames_sent += 1
            self.sent.append(stream.record)
            self.pictures.append((stream.record, stream.frame))
        return payload[:length]

    def halt_cleared(self, endpoint: int) -> None:  # noqa: ARG002  # there is one
        """How uvcvideo stops a stream over a bulk endpoint, as Windows does."""
        self._stop()

    def bus_reset(self) -> None:
        self._stop()

    def power_lost(self) -> None:
        self._stop()
        self._probe = Agreement()
        self._last = None
        self.controls.reset()

    async def run(self) -> None:
        """The sensor: a frame at each interval while the guest streams."""
        now_s = asyncio.get_running_loop().time
        while True:
            await self._started.wait()
            stream = self._stream
            if stream is None:
                self._started.clear()
                continue
            await asyncio.sleep(stream.due_s - now_s())
            if stream is self._stream:
                await self._take(stream)
                stream.due_s = max(stream.due_s + stream.agreement.interval_s, now_s())

    async def _take(self, stream: _Stream) -> None:
        if self.fault in (CameraFault.SILENT, CameraFault.HUNG):
            return
        if stream.outgoing:
            self.frames_dropped += 1
            return
        light, at_ns = min(max(self.light(), 0.0), 1.0), time.monotonic_ns()
        frame = await self._frame(stream.agreement, light)
        if stream is not self._stream:
            return  # stopped while the picture was developed
        stream.odd = not stream.odd
        stream.record = SentFrame(self._number, at_ns, light, stream.agreement.pixel_format, stream.agreement.size)
        stream.frame = self._spoilt(frame)
        damaged = self.fault is CameraFault.CORRUPT and stream.agreement.pixel_format is PixelFormat.YUYV
        stream.outgoing.extend(payloads(stream.frame, odd=stream.odd, at_ns=at_ns, damaged=damaged))
        self.data_ready.set()

    async def _frame(self, agreement: Agreement, light: float) -> bytes:
        if self.fault is CameraFault.FROZEN and self._last is not None and self._last[0] == agreement:
            return self._last[1]
        wanted = order(self._scene, light, self.controls.development, agreement.pixel_format, agreement.size)
        if wanted not in self._prints:
            self._prints[wanted] = await asyncio.to_thread(develop, wanted)  # the other peers must answer meanwhile
            while len(self._prints) > MOST_PRINTS:
                self._prints.popitem(last=False)
        self._prints.move_to_end(wanted)
        self._number += 1
        frame = self._prints[wanted].frame(self._number)
        self._last = (agreement, frame)
        return frame

    def _spoilt(self, frame: bytes) -> bytes:
        if self.fault is CameraFault.TRUNCATED:
            return frame[: len(frame) // 2]
        if self.fault is CameraFault.CORRUPT and frame.startswith(b"\xff\xd8"):
            return frame[:TABLES_BYTES] + frame[len(frame) // 2 :]
        return frame

    def _negotiate(self, selector: int, request: int, data: bytes) -> bytes:
        if selector not in (PROBE, COMMIT):
            raise Stalled
        if request == SET_CUR:
            try:
                self._probe = agree(data)
            except struct.error as error:
                raise Stalled from error
            if selector == COMMIT:
                self._start()
            return b""
        offered = self._probe.intervals
        agreements = {
            GET_CUR: self._probe,
            GET_DEF: Agreement(),
            GET_MIN: replace(self._probe, interval=offered[0]),
            GET_MAX: replace(self._probe, interval=offered[-1]),
        }
        if request in agreements:
            return agreements[request].pack()
        if request == GET_LEN:
            return len(self._probe.pack()).to_bytes(2, "little")
        if request == GET_INFO:
            return bytes([READABLE_AND_SETTABLE])
        raise Stalled

    def _start(self) -> None:
        first_s = asyncio.get_running_loop().time() + self._probe.interval_s
        self._stream = _Stream(self._probe, first_s)
        self._started.set()

    def _stop(self) -> None:
        self._stream = None
