"""What the camera shell asks of the kernel, as blocking calls, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from drivers.camera.integrity import Corrupt, whole_mjpeg, whole_yuyv
from drivers.camera.negotiate import Size
from drivers.types import PixelFormat


@dataclass(frozen=True, slots=True)
class Stream:
    """What an opened camera delivers. `stride` is the bytes from one row to the next, 0 where there are no rows."""

    description: str
    pixel_format: PixelFormat
    size: Size
    stride: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One buffer, copied out. `skipped` counts the older ones that were dropped for it."""

    data: bytes
    damaged: bool
    captured_ns: int
    sequence: int
    skipped: int

    def whole(self, stream: Stream) -> memoryview:
        """The picture. Raises `Corrupt`."""
        if self.damaged:
            raise Corrupt("marked as damaged by the kernel")
        if stream.pixel_format is PixelFormat.MJPEG:
            return whole_mjpeg(self.data)
        return whole_yuyv(self.data, stream.size.width, stream.size.height, stream.stride)


class Capture(Protocol):
    """A camera that was opened for us. Every call blocks, may raise OSError, and is made from one thread."""

    @property
    def stream(self) -> Stream: ...

    def start(self) -> None:
        """Have the camera deliver pictures into the buffers."""

    def discard(self, wait_s: float) -> int:
        """Wait for pictures and drop them; return how many."""

    def newest(self, wait_s: float) -> Taken | None:
        """Wait for pictures and return the newest. None: nothing came in time."""

    def stop(self) -> None:
        """Stop delivering; `start` may follow."""

    def close(self) -> None:
        """Give everything back, in any state. Never raises OSError; a second call does nothing."""
