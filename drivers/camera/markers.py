"""Finds whole JPEG pictures in a run of bytes, by their markers (ITU-T T.81, annex B). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from drivers.camera.negotiate import Size

START_OF_IMAGE = b"\xff\xd8\xff"  # with the first byte of the marker that must follow
SOI, EOI, START_OF_SCAN = 0xD8, 0xD9, 0xDA
STANDALONE = {0x01, *range(0xD0, 0xD8)}  # TEM, RST0..7: no length follows
FRAME_HEADERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF; the three are tables and an extension
MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # neither a stuffed 0xFF, nor a restart, nor a fill byte


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a whole picture lies: `data[start:end]`, and its size in pixels."""

    start: int
    end: int
    size: Size


class _Flaw(Enum):
    DAMAGED = "damaged"
    CUT_OFF = "the data end before the picture does"


def next_picture(data: bytes, start: int = 0) -> Picture | None:
    """The first whole picture at or after `start`. Damaged ones are passed over; one that is cut off by the end
    of `data` ends the search.

    Thumbnails inside a header are not mistaken for pictures: their segment is stepped over by its length.
    """
    while (begin := data.find(START_OF_IMAGE, start)) >= 0:
        picture = _picture_at(data, begin)
        if isinstance(picture, Picture):
            return picture
        if picture is _Flaw.CUT_OFF:
            return None
        start = begin + 2
    return None


def _picture_at(data: bytes, begin: int) -> Picture | _Flaw:
    size: Size | None = None
    at = begin + 2
    while at + 4 <= len(data) or data[at : at + 2] == bytes([0xFF, EOI]):
        marker = data[at + 1]
        if data[at] != 0xFF or marker in {0x00, SOI}:  # SOI: the next picture begins before this one ended
            return _Flaw.DAMAGED
        if marker == EOI:
            return _Flaw.DAMAGED if size is None else Picture(begin, at + 2, size)
        if marker == 0xFF:  # fill byte before a marker
            at += 1
            continue
        if marker in STANDALONE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        if length < 2:
            return _Flaw.DAMAGED
        if marker in FRAME_HEADERS:
            size = _size(data[at + 4 : at + 2 + length])
        at += 2 + length
        if marker == START_OF_SCAN:
            found = MARKER_IN_SCAN.search(data, at)
            at = len(data) if found is None else found.start()
    return _Flaw.CUT_OFF


def _size(frame_header: bytes) -> Size | None:
    """T.81, B.2.2: precision, height, width. None for the height 0 that a DNL marker would give later."""
    height, width = int.from_bytes(frame_header[1:3]), int.from_bytes(frame_header[3:5])
    return Size(width, height) if width and height else None
