"""Photos from files, decoded safely. The one door of Pillow in this package."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from model.errors import Unreadable
from model.tensors import MAX_PIXELS
from model.training.data.contents import REMEDY

Rgb = npt.NDArray[np.uint8]  # (height, width, 3)
Grey = npt.NDArray[np.uint8]  # (height, width)

LONGEST_PX = 65_500  # of a side: the most that libjpeg, a board's decoder, reads and writes (JPEG_MAX_DIMENSION)
FEWEST_PX = 32  # of a side: what a fingerprint is made of, and less than shows a duct
DECODED_PX = 448  # of the shorter side, where a JPEG can be decoded smaller: twice what a network sees
TURNED = range(2, 9)  # EXIF's orientations but 1, which is upright
THUMBNAIL_QUALITY = 80
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")  # of `samples.SUFFIXES`; whatever else Pillow reads is not tried

# Pillow promises OSError alone, but its decoders let through what damaged files make of their arithmetic
DAMAGE = (OSError, SyntaxError, EOFError, struct.error, ValueError, TypeError, LookupError, ArithmeticError)

Image.MAX_IMAGE_PIXELS = None  # `MAX_PIXELS`, a board's own limit, is an error and no warning
warnings.filterwarnings("ignore", module="PIL")  # of odd metadata in files whose picture is sound


class Picture:
    """A decoded photo, upright, as large as asked for at least."""

    def __init__(self, image: Image.Image, size: tuple[int, int]) -> None:
        self._image = image
        self.width, self.height = size  # of the file, upright

    def rgb(self, side: int) -> Rgb:
        """All of it as a square, as a board shrinks a frame: nothing is cut off, whatever its proportions."""
        return np.asarray(self._image.resize((side, side), Image.Resampling.BICUBIC))

    def grey(self, width: int, height: int) -> Grey:
        """Brightness (ITU-R BT.601)."""
        return np.asarray(self._image.resize((width, height), Image.Resampling.LANCZOS).convert("L"))

    def jpeg(self, longest: int, *, quality: int = THUMBNAIL_QUALITY) -> bytes:
        """No side is longer than `longest` pixels, and the file's metadata is not in it. Raises `Unreadable`."""
        image = self._image
        if max(image.size) > longest:
            width, height = (max(1, round(side / max(image.size) * longest)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        content = io.BytesIO()
        try:
            image.save(content, "JPEG", quality=quality)
        except DAMAGE as error:
            raise Unreadable(f"cannot be made a JPEG ({error})", remedy=REMEDY) from error
        return content.getvalue()


def is_turned(jpeg: bytes) -> bool:
    """Whether the camera was held otherwise, by what it has written of that. What cannot be read says nothing."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            return image.getexif().get(ExifTags.Base.Orientation) in TURNED
    except DAMAGE:
        return False


def open_picture(content: bytes, *, shorter_px: int = DECODED_PX) -> Picture:
    """Decode a photo, all of it, and turn it upright. Raises `Unreadable` with the reason.

    `shorter_px`: a JPEG whose sides are longer may be decoded smaller, but no side below that.
    """
    if not content:
        raise Unreadable("is empty", remedy=REMEDY)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return _decoded(image, shorter_px)
    except UnidentifiedImageError as error:
        raise Unreadable(f"is none of {', '.join(FORMATS)}", remedy=REMEDY) from error
    except DAMAGE as error:
        raise Unreadable(f"is damaged or cut off ({error})", remedy=REMEDY) from error


def _decoded(image: Image.Image, shorter_px: int) -> Picture:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Unreadable(f"has {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million", remedy=REMEDY)
    if max(width, height) > LONGEST_PX:
        raise Unreadable(f"has {width} x {height} pixels, more than {LONGEST_PX:,} of a side", remedy=REMEDY)
    if min(width, height) < FEWEST_PX:
        raise Unreadable(f"has only {width} x {height} pixels", remedy="Take another photo, or leave it out")
    if image.mode.startswith(("I", "F")):
        raise Unreadable("has more than 8 bits a colour", remedy=REMEDY)
    image.draft("RGB", (shorter_px, shorter_px))
    ImageOps.exif_transpose(image, in_place=True)
    upright = image if image.mode == "RGB" else image.convert("RGB")
    upright.info.clear()  # its metadata
    longer, shorter = max(width, height), min(width, height)
    return Picture(upright, (longer, shorter) if upright.width >= upright.height else (shorter, longer))
