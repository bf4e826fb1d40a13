"""A JPEG file as the frame that a board's camera would have sent."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from drivers.types import Frame
from model.errors import Unreadable
from model.tensors import jpeg_frame

MAX_BYTES: Final = 64 * 1024 * 1024  # larger than any camera's photo
JPEG_START: Final = b"\xff\xd8\xff"  # ITU-T T.81, B.1.1.3: SOI and the next marker's first byte
FORMATS: Final = (
    (b"\x89PNG", "a PNG"),
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"RIFF", "a WebP"),
    (b"II*\0", "a TIFF"),
)
REMEDY: Final = "Save it as JPEG, as the board's cameras deliver it"
PATH_REMEDY: Final = "Check the path, and who may read it"


def read_photo(path: Path, source: str) -> Frame:
    """The file at `path` as a frame of the camera `source`. Raises `Unreadable`, without the path, for anything else.

    Give each file a camera of its own: two that are equal are then no frozen camera.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise Unreadable("this is no file", remedy=PATH_REMEDY)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"{error.strerror}", remedy=PATH_REMEDY) from error
    except ValueError as error:  # a zero byte, which no name has
        raise Unreadable(f"{error}", remedy=PATH_REMEDY) from error
    if not content:
        raise Unreadable("the file is empty", remedy=REMEDY)
    if len(content) > MAX_BYTES:
        raise Unreadable(f"larger than {MAX_BYTES // 1024 // 1024} MiB: this is no photo of a duct", remedy=REMEDY)
    if not content.startswith(JPEG_START):
        kind = next((name for start, name in FORMATS if content.startswith(start)), "no image")
        raise Unreadable(f"this is {kind}, not a JPEG", remedy=REMEDY)
    return jpeg_frame(content, source)
