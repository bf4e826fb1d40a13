"""Cameras on the kernel's V4L2. The one door of linuxpy.

Interface and error numbers: "Video for Linux API" in the kernel's userspace-api documentation.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from drivers.camera.buffers import Filled, MappedCapture
from drivers.camera.capture import Stream
from drivers.camera.controls import Control, Range, plan
from drivers.camera.controls import Wish as ControlWish
from drivers.camera.identity import Wanted, find
from drivers.camera.integrity import stamped_by_kernel
from drivers.camera.live import LiveCamera, Patience
from drivers.camera.negotiate import (
    Choice,
    NoMatch,
    Offer,
    Rates,
    Size,
    Steps,
    choose_picture,
    choose_rate,
    describe,
    spoken,
)
from drivers.clock import Clock
from drivers.settings import Duration, Settings
from drivers.types import PixelFormat, SourceId

BUFFERS = 4  # at 30/s: 130 ms in which nobody needs to look. 1280x720 YUYV: 7 MiB of kernel memory
MOST_BUFFERS = 32  # VIDEO_MAX_FRAME in videodev2.h
LARGEST_SIDE = 4096  # 32 MiB a YUYV frame: more would not fit a small board's memory twice


class V4l2Settings(Settings, frozen=True, kw_only=True):
    """A camera on USB or another bus. One of `path`, `serial`, `bus` says which."""

    driver: str = "v4l2"
    path: Path | None = None  # a link that udev keeps: /dev/v4l/by-id/... or /dev/v4l/by-path/...
    serial: str | None = None
    bus: str | None = None  # as `v4l2-ctl --list-devices` shows it: usb-0000:00:14.0-1.3
    width: int = 1280
    height: int = 720
    formats: tuple[PixelFormat, ...] = (PixelFormat.MJPEG, PixelFormat.YUYV)  # the first that is offered
    rate: float = 15.0  # frames a second
    exposure: str = "auto"  # or a duration: "8ms"
    gain: int | None = None  # in the camera's own unit; none: automatic
    white_balance: int | None = None  # kelvin; none: automatic
    warm_up_frames: int = 8  # discarded after the start: the first ones of UVC cameras are dark or damaged
    warm_up_limit: Duration = Duration(3.0)
    frame_timeout: Duration = Duration(3.0)  # no whole frame for so long: the camera is lost

    def __post_init__(self) -> None:
        _ = self.wanted, self.controls
        for name, value in (("width", self.width), ("height", self.height)):
            if not 16 <= value <= LARGEST_SIDE or value % 2:
                raise ValueError(f"{name} {value} must be an even number from 16 to {LARGEST_SIDE}")
        if not self.formats:
            raise ValueError('formats must name at least one of "MJPG", "YUYV"')
        if not 0.1 <= self.rate <= 240:
            raise ValueError(f"rate {self.rate} must be from 0.1 to 240 frames a second")
        if not 0 <= self.warm_up_frames <= 100:
            raise ValueError(f"warm_up_frames {self.warm_up_frames} must be from 0 to 100")
        if not (0 <= self.warm_up_limit <= 60 and 0.1 <= self.frame_timeout <= 60):
            raise ValueError("warm_up_limit must be from 0s to 60s, frame_timeout from 100ms to 60s")

    @property
    def wanted(self) -> Wanted:
        return Wanted(path=self.path, serial=self.serial, bus=self.bus)

    @property
    def controls(self) -> ControlWish:
        exposure_s = None if self.exposure == "auto" else Duration.parse(self.exposure)
        return ControlWish(exposure_s=exposure_s, gain=self.gain, white_balance_kelvin=self.white_balance)

    def claims(self) -> tuple[str, ...]:
        return (f"camera {self.wanted}",)


class V4l2Camera(LiveCamera):
    """A camera of the kernel, found by its stable name at every opening."""

    def __init__(self, settings: V4l2Settings, clock: Clock) -> None:
        patience = Patience(settings.frame_timeout, settings.warm_up_frames, settings.warm_up_limit)
        super().__init__(
            SourceId(settings.name), str(settings.wanted), partial(open_capture, settings), patience, clock
        )


def open_capture(settings: V4l2Settings) -> MappedCapture:
    """Find, open and set up the camera; nothing streams yet. Blocks.

    Raises OSError, `identity.NotThere` or `negotiate.NoMatch`.
    """
    from linuxpy.video import device as linuxpy  # 85 ms and 24 MB: only where there is a camera

    undo = ExitStack()
    try:
        fd = os.open(find(settings.wanted), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        undo.callback(os.close, fd)
        device = _Device(linuxpy, fd)
        card = device.card()
        choice = choose_picture(device.offers(), settings.formats, Size(settings.width, settings.height))
        choice, stride = device.set_picture(choice)
        rate, rate_note = device.set_rate(choice, Fraction(settings.rate).limit_denominator(1000))
        notes = [rate_note, *device.set_controls(settings.controls)]
        mapped = [undo.enter_context(device.mapped(index)) for index in range(device.request_buffers())]
        if not device.stamps_by_kernel():
            notes.append("stamped on arrival, as the driver has no monotonic stamps")
        stream = Stream(describe(card, choice, rate, notes), choice.pixel_format, choice.size, stride)
        return MappedCapture(stream, device, mapped, undo.close)
    except BaseException:
        undo.close()
        raise


@dataclass(frozen=True, slots=True)
class _Device:
    """`buffers.Queue` and the other calls of one open device file, in our own types. All may raise OSError."""

    linuxpy: ModuleType
    fd: int

    def card(self) -> str:
        """The camera's name. Metadata nodes, encoders and multi-planar devices are no cameras for us: ENOTTY."""
        capabilities = self.linuxpy.read_capabilities(self.fd)
        needed = self.linuxpy.Capability.VIDEO_CAPTURE | self.linuxpy.Capability.STREAMING
        if capabilities.device_caps & needed != needed:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        return str(capabilities.card.decode(errors="replace"))

    def offers(self) -> list[Offer]:
        known = {self._code(kind): kind for kind in PixelFormat}
        query = self.linuxpy.raw.v4l2_fmtdesc(type=self._type)
        codes = [row.pixelformat for row in self._rows("ENUM_FMT", query)]
        return [Offer(known[code], list(self._sizes(code))) for code in codes if code in known]

    def _sizes(self, code: int) -> Iterator[Size | Steps]:
        for row in self._rows("ENUM_FRAMESIZES", self.linuxpy.raw.v4l2_frmsizeenum(pixel_format=code)):
            if row.type == self.linuxpy.FrameSizeType.DISCRETE:
                yield Size(row.discrete.width, row.discrete.height)
            else:
                span = row.stepwise
                smallest, largest = Size(span.min_width, span.min_height), Size(span.max_width, span.max_height)
                yield Steps(smallest, largest, Size(span.step_width, span.step_height))

    def set_picture(self, choice: Choice) -> tuple[Choice, int]:
        """What the driver granted, and its bytes from one row to the next, 0 for MJPEG."""
        size, code = choice.size, choice.pixel_format.value
        granted = self.linuxpy.set_format(self.fd, self._type, size.width, size.height, code).fmt.pix
        if granted.pixelformat != self._code(choice.pixel_format):
            raise NoMatch(f"offers {code} but delivers {self.linuxpy.human_pixel_format(granted.pixelformat)}")
        stride = granted.bytesperline if choice.pixel_format is PixelFormat.YUYV else 0
        return choice.granted(Size(granted.width, granted.height)), stride

    def set_rate(self, choice: Choice, wanted: Fraction) -> tuple[Fraction | None, str]:
        """The rate granted, None where the camera has only one and does not say which; and a note for people."""
        rate, note = choose_rate(self._rates(choice), wanted)
        if rate is None:
            return None, note
        interval = self.linuxpy.set_fps(self.fd, self._type, rate).parm.capture.timeperframe
        granted = _inverse(interval) or rate
        if spoken(granted) != spoken(rate):
            note = f"the driver does not take {spoken(rate)}"
        return granted, note

    def _rates(self, choice: Choice) -> Rates:
        single = []
        size = {"width": choice.size.width, "height": choice.size.height}
        query = self.linuxpy.raw.v4l2_frmivalenum(pixel_format=self._code(choice.pixel_format), **size)
        for row in self._rows("ENUM_FRAMEINTERVALS", query):
            if row.type != self.linuxpy.FrameIntervalType.DISCRETE:
                return Rates(slowest=_inverse(row.stepwise.max), fastest=_inverse(row.stepwise.min))
            single.append(_inverse(row.discrete))
        return Rates([rate for rate in single if rate is not None])

    def set_controls(self, wish: ControlWish) -> list[str]:
        """Notes for people. A control that the camera refuses is no reason to do without its pictures."""
        offered = {control: span for control in Control if (span := self._range(control)) is not None}
        planned = plan(wish, offered)
        notes = list(planned.notes)
        for control, value in planned.values:
            try:
                self.linuxpy.set_control(self.fd, control, value)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    raise
                notes.append(f"{control.name.lower()} {value} refused: {os.strerror(error.errno or 0)}")
        return notes

    def _range(self, control: Control) -> Range | None:
        query = self.linuxpy.raw.v4l2_query_ext_ctrl(id=control)
        try:
            self.linuxpy.ioctl(self.fd, self.linuxpy.IOC.QUERY_EXT_CTRL, query)
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.ENOTTY}:  # it has no such control, or none at all
                return None
            raise
        return Range(query.minimum, query.maximum, query.step, self._menu(query))

    def _menu(self, control: Any) -> frozenset[int]:
        if control.type != self.linuxpy.ControlType.MENU:
            return frozenset()
        query = self.linuxpy.raw.v4l2_querymenu(id=control.id)
        span = {"start": control.minimum, "stop": control.maximum + 1, "ignore_einval": True}
        return frozenset(row.index for row in self._rows("QUERYMENU", query, **span))

    def request_buffers(self) -> int:
        """How many the driver made, which may be more or fewer than asked for."""
        request = self.linuxpy.request_buffers(self.fd, self._type, self.linuxpy.Memory.MMAP, BUFFERS)
        return min(int(request.count), MOST_BUFFERS)

    def mapped(self, index: int) -> mmap.mmap:
        buffer = self._query_buffer(index)
        return mmap.mmap(self.fd, buffer.length, mmap.MAP_SHARED, mmap.PROT_READ, offset=buffer.m.offset)

    def stamps_by_kernel(self) -> bool:
        return stamped_by_kernel(self._query_buffer(0).flags)

    def enqueue(self, index: int) -> None:
        self.linuxpy.enqueue_buffer(self.fd, self._type, self.linuxpy.Memory.MMAP, 0, index)

    def dequeue(self) -> Filled | None:
        try:
            buffer = self.linuxpy.dequeue_buffer(self.fd, self._type, self.linuxpy.Memory.MMAP)
        except BlockingIOError:
            return None
        return Filled(
            index=buffer.index,
            length_bytes=buffer.bytesused,
            flags=buffer.flags,
            seconds=buffer.timestamp.secs,
            microseconds=buffer.timestamp.usecs,
            sequence=buffer.sequence,
        )

    def stream_on(self) -> None:
        self.linuxpy.stream_on(self.fd, self._type)

    def stream_off(self) -> None:
        self.linuxpy.stream_off(self.fd, self._type)

    @property
    def _type(self) -> Any:
        return self.linuxpy.BufferType.VIDEO_CAPTURE

    def _code(self, kind: PixelFormat) -> int:
        return int(self.linuxpy.raw.v4l2_fourcc(*kind.value))

    def _query_buffer(self, index: int) -> Any:
        return self.linuxpy.query_buffer(self.fd, self._type, self.linuxpy.Memory.MMAP, index)

    def _rows(self, call: str, query: Any, **span: Any) -> Iterator[Any]:
        """What the driver lists, each time in the same `query`; linuxpy stops after 128 rows."""
        yield from self.linuxpy.iter_read(self.fd, self.linuxpy.IOC[call], query, **span)


def _inverse(fraction: Any) -> Fraction | None:
    """Frames a second of a `v4l2_fract` in seconds; None for the zeros that some drivers give."""
    if not (fraction.numerator and fraction.denominator):
        return None
    return Fraction(fraction.denominator, fraction.numerator)
