"""From a camera's frame to the picture that the model was trained on: decoded once, at the size needed.

How a frame is shrunk is part of the model: a manifest names its decode path, and training goes through the same code.
The one path so far is `halving/1`. JPEG is decoded at the smallest of 1/1, 1/2, 1/4, 1/8 that is not smaller than the
input; YUYV is taken as it is, two pixels a word. What is left goes through `model.shrink`; colours are converted last.
The aspect ratio is not kept. The one door of simplejpeg on the reading side.
"""

from __future__ import annotations

from math import ceil
from typing import Final

import numpy as np
import numpy.typing as npt
import simplejpeg

from drivers.types import Frame, Instant, PixelFormat, SourceId
from model.colour import Bt601, rgb_of_rgbx
from model.colour import Picture as Picture
from model.errors import Unreadable
from model.shrink import Shrink, Words

MAX_PIXELS: Final = 64_000_000  # the largest photo one would feed in; bounds memory at 256 MB of words
MIN_INPUT_PX: Final = 16  # side of a model's input: below, nothing can be told of the picture
MAX_INPUT_PX: Final = 1024
MAX_SHAPES: Final = 4  # picture sizes with buffers kept: cameras seldom have more than two
JPEG_SCALES: Final = (8, 4, 2, 1)  # powers of two: the ones that libjpeg-turbo has SIMD code for
CAMERA_REMEDY: Final = "Check the camera's cable and USB port, or configure its other pixel format"
DECODE_PATHS: Final = ("halving/1",)


class Decoder:
    """Turns frames into pictures of `height` x `width`. Keeps buffers: for one thread only."""

    def __init__(self, height: int, width: int) -> None:
        if not (min(height, width) >= MIN_INPUT_PX and max(height, width) <= MAX_INPUT_PX):
            raise ValueError(
                f"a model's input has {MIN_INPUT_PX} to {MAX_INPUT_PX} pixels a side, not {height} x {width}"
            )
        self._height, self._width = height, width
        self._bt601 = Bt601(height, width)
        self._shrinks: dict[tuple[int, int], Shrink] = {}

    def decode(self, frame: Frame) -> Picture:
        """Return a new picture. Raises `Unreadable` for what is truncated, corrupt, too large or of another size."""
        if frame.width < 1 or frame.height < 1 or frame.width * frame.height > MAX_PIXELS:
            raise Unreadable(
                f"{frame.source}: a picture of {frame.width} x {frame.height} pixels",
                remedy=f"Use 1 to {MAX_PIXELS // 1_000_000} megapixels",
            )
        if frame.pixel_format is PixelFormat.MJPEG:
            return rgb_of_rgbx(self._shrunk(_jpeg_words(frame, self._height, self._width)))
        return self._bt601(self._shrunk(_yuyv_words(frame, self._width)))

    def _shrunk(self, words: Words) -> Words:
        rows, columns = words.shape
        if (rows, columns) not in self._shrinks:
            if len(self._shrinks) == MAX_SHAPES:
                self._shrinks.clear()
            self._shrinks[rows, columns] = Shrink(rows, columns, self._height, self._width)
        return self._shrinks[rows, columns](words)


def quantise(picture: Picture) -> npt.NDArray[np.int8]:
    """The input tensor, shape (1, height, width, 3), for scale 2/255 and zero point -1: pixel 0 is -1.0, 255 is 1.0."""
    return (picture ^ np.uint8(0x80)).view(np.int8)[np.newaxis]


def jpeg_size(payload: bytes | memoryview) -> tuple[int, int]:
    """Width and height that a JPEG's header states. Raises `Unreadable`."""
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(payload)
    except ValueError as error:
        raise Unreadable(f"not a JPEG picture ({error})", remedy=CAMERA_REMEDY) from error
    return width, height


def jpeg_frame(content: bytes, source: str) -> Frame:
    """A JPEG that no camera has just sent, as if one had. Raises `Unreadable` if its header is none of a JPEG's."""
    width, height = jpeg_size(content)
    return Frame(
        source=SourceId(source),
        sequence=0,
        payload=memoryview(content),
        pixel_format=PixelFormat.MJPEG,
        width=width,
        height=height,
        captured_ns=0,
        at=Instant(0),
    )


def _jpeg_words(frame: Frame, height: int, width: int) -> Words:
    if jpeg_size(frame.payload) != (frame.width, frame.height):
        raise Unreadable(
            f"{frame.source}: a JPEG of another size than {frame.width} x {frame.height}", remedy=CAMERA_REMEDY
        )
    for scale in JPEG_SCALES:
        rows, columns = ceil(frame.height / scale), ceil(frame.width / scale)
        if rows >= height and columns >= width:
            break
    try:
        # strict: a truncated or damaged frame is an error, where libjpeg alone would only warn and leave grey
        pixels = simplejpeg.decode_jpeg(
            frame.payload, "RGBX", min_height=rows, min_width=columns, min_factor=scale, strict=True
        )
    except ValueError as error:
        raise Unreadable(f"{frame.source}: damaged JPEG ({error})", remedy=CAMERA_REMEDY) from error
    words: Words = pixels.view(np.uint32)[..., 0]
    return words


def _yuyv_words(frame: Frame, width: int) -> Words:
    stride = frame.width * 2
    if len(frame.payload) != stride * frame.height or frame.width < 2:
        raise Unreadable(
            f"{frame.source}: {len(frame.payload)} bytes where {frame.width} x {frame.height} of YUYV "
            f"are {stride * frame.height}",
            remedy=CAMERA_REMEDY,
        )
    rows = np.frombuffer(frame.payload, np.uint8).reshape(frame.height, stride)
    whole = frame.width // 2
    pairs = np.ascontiguousarray(rows[:, : whole * 4]).view(np.uint32)
    return pairs if whole >= width else _apart(pairs)


def _apart(pairs: Words) -> Words:
    """One word a pixel, Y U Y V with twice the same Y: for pictures hardly wider than the model's input."""
    pixels = np.empty((pairs.shape[0], pairs.shape[1] * 2), np.uint32)
    colour = pairs & np.uint32(0xFF00FF00)
    left, right = pairs & np.uint32(0xFF), pairs >> np.uint32(16) & np.uint32(0xFF)
    pixels[:, 0::2] = colour | left | left << np.uint32(16)
    pixels[:, 1::2] = colour | right | right << np.uint32(16)
    return pixels
