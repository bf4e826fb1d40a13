"""A camera's frame as a JPEG that any program shows."""

from __future__ import annotations

from drivers.camera.jpeg import encode_jpeg
from drivers.types import Frame, PixelFormat
from model.errors import Unreadable
from model.tensors import MAX_INPUT_PX, MIN_INPUT_PX, Decoder

MAX_BYTES = 1024 * 1024  # a larger picture is drawn anew, with at most MAX_INPUT_PX a side
START_OF_SCAN, HUFFMAN_TABLE = b"\xff\xda", b"\xff\xc4"  # ITU-T T.81, table B.1


def still(frame: Frame) -> bytes:
    """At most about a megabyte; as the camera delivered it, if that is a whole JPEG. Empty for what does not decode.

    Motion-JPEG without Huffman tables, which many UVC cameras leave out, is drawn anew: not every browser knows it.
    """
    try:
        picture = Decoder(*_size(frame)).decode(frame)
    except Unreadable:
        return b""
    payload = bytes(frame.payload)
    is_whole = frame.pixel_format is PixelFormat.MJPEG and HUFFMAN_TABLE in payload.partition(START_OF_SCAN)[0]
    return payload if is_whole and len(payload) <= MAX_BYTES else encode_jpeg(picture)


def _size(frame: Frame) -> tuple[int, int]:
    """Height and width to draw it at: its own, or less."""
    scale = min(1.0, MAX_INPUT_PX / max(frame.width, frame.height, 1))
    return max(MIN_INPUT_PX, round(frame.height * scale)), max(MIN_INPUT_PX, round(frame.width * scale))
