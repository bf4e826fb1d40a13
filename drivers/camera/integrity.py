"""Whether a frame is whole, and when it was taken. Pure."""

from __future__ import annotations

from drivers.types import NS_PER_S

# include/uapi/linux/videodev2.h
BUF_FLAG_ERROR = 0x00000040
BUF_FLAG_TIMESTAMP_MASK = 0xE000
BUF_FLAG_TIMESTAMP_MONOTONIC = 0x2000

START_OF_IMAGE = b"\xff\xd8"  # ITU-T T.81, table B.1
END_OF_IMAGE = b"\xff\xd9"


class Corrupt(Exception):
    """The frame must not be handed out. The message says what is wrong with it."""


def whole_mjpeg(data: bytes) -> memoryview:
    """The picture without the padding that cameras add behind it. Raises `Corrupt`.

    Entropy-coded data cannot hold the end marker (T.81, B.1.1.5), so one in a cut-off picture is not its own
    only if a thumbnail in the header brought it: cameras send none.
    """
    if not data.startswith(START_OF_IMAGE):
        raise Corrupt("no start of image")
    end = data.rfind(END_OF_IMAGE)
    if end < 0:
        raise Corrupt("cut off: no end of image")
    return memoryview(data)[: end + len(END_OF_IMAGE)]


def whole_yuyv(data: bytes, width: int, height: int, stride: int) -> memoryview:
    """`height` rows of `width * 2` bytes. Rows that the camera pads to `stride` bytes are cut. Raises `Corrupt`."""
    row = width * 2
    stride = max(stride, row)
    needed = stride * (height - 1) + row
    if len(data) < needed:
        raise Corrupt(f"short: {len(data)} of {needed} bytes")
    if stride == row:
        return memoryview(data)[:needed]
    return memoryview(b"".join(data[start : start + row] for start in range(0, stride * height, stride)))


def stamped_by_kernel(flags: int) -> bool:
    """Whether a buffer's time stamp is CLOCK_MONOTONIC (V4L2 documentation, Buffers, timestamp flags)."""
    return flags & BUF_FLAG_TIMESTAMP_MASK == BUF_FLAG_TIMESTAMP_MONOTONIC


def captured_ns(flags: int, seconds: int, microseconds: int, *, arrived_ns: int) -> int:
    """When the picture was taken, on CLOCK_MONOTONIC: by the kernel's stamp, or by arrival where that cannot be.

    Stamps made from a camera's own clock (uvcvideo's `hwtimestamps`) can lie in the future: then arrival holds.
    """
    stamp_ns = seconds * NS_PER_S + microseconds * 1000
    if not stamped_by_kernel(flags) or not 0 < stamp_ns <= arrived_ns:
        return arrived_ns
    return stamp_ns
