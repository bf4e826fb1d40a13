"""From a photo on disk to the JPEG that a board's camera would have sent, and back to pixels."""

from __future__ import annotations

from pathlib import Path

from model.errors import Unreadable
from model.tensors import MAX_INPUT_PX, MIN_INPUT_PX, Decoder, jpeg_frame
from model.training.data.contents import REMEDY, read_content
from model.training.data.pictures import LONGEST_PX, Rgb, is_turned, open_picture

JPEG_START = b"\xff\xd8\xff"  # ITU-T T.81, B.1.1.3: SOI and the next marker's first byte
QUALITY = 95  # of JPEGs made here: what is lost is less than a camera's own JPEG loses


def read_jpeg(path: Path) -> bytes:
    """The photo as JPEG, upright: a JPEG file byte for byte if it is, anything else decoded and encoded.

    Raises `Unreadable`.
    """
    try:
        content = read_content(path)
    except FileNotFoundError as error:
        raise Unreadable(f"there is no file {path}", remedy="Copy it there, or leave it out") from error
    if content.startswith(JPEG_START) and not is_turned(content):
        return content
    return open_picture(content, shorter_px=LONGEST_PX).jpeg(LONGEST_PX, quality=QUALITY)


def decode(jpeg: bytes, *, longest_px: int = MAX_INPUT_PX) -> Rgb:
    """(height, width, 3) by a board's own decoder, no side longer than `longest_px`. Raises `Unreadable`."""
    frame = jpeg_frame(jpeg, "decoded")
    if min(frame.width, frame.height) < MIN_INPUT_PX:
        raise Unreadable(f"has only {frame.width} x {frame.height} pixels", remedy=REMEDY)
    share = min(1.0, longest_px / max(frame.width, frame.height))
    height, width = (max(MIN_INPUT_PX, round(side * share)) for side in (frame.height, frame.width))
    return Decoder(height, width).decode(frame)
