"""Photos from files, decoded safely. The one door of Pillow in this package."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from model.errors import Unreadable
from model.tensors import MAX_PIXELS
from model.training.data.contents import REMEDY

Rgb = npt.NDArray[np.uint8]  # (height, width, 3)
Grey = npt.NDArray[np.uint8]  # (height, width)

FEWEST_PX = 32  # of a side: what a fingerprint is made of, and less than shows a duct
DECODED_PX = 448  # of the shorter side, where a JPEG can be decoded smaller: twice what a network sees
THUMBNAIL_QUALITY = 80
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")  # of `samples.SUFFIXES`; whatever else Pillow reads is not tried

# Pillow promises OSError alone, but its decoders let through what damaged files make of their arithmetic
DAMAGE = (OSError, SyntaxError, EOFError, struct.error, ValueError, TypeError, LookupError, ArithmeticError)

Image.MAX_IMAGE_PIXELS = None  # `MAX_PIXELS`, a board's own limit, is an error and no warning
warnings.filterwarnings("ignore", module="PIL")  # of odd metadata in files whose picture is sound


class Picture:
    """A decoded photo, upright, at least `DECODED_PX` of each side if the file has that many."""

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
        """To show: no side is longer than `longest` pixels, and the file's metadata is not in it."""
        fits = max(self._image.size) <= longest
        small = self._image if fits else ImageOps.contain(self._image, (longest, longest), Image.Resampling.BICUBIC)
        content = io.BytesIO()
        small.save(content, "JPEG", quality=quality)
        return content.getvalue()


def open_picture(content: bytes) -> Picture:
    """Decode a photo, all of it. Raises `Unreadable` with the reason."""
    if not content:
        raise Unreadable("is empty", remedy=REMEDY)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return _decoded(image)
    except UnidentifiedImageError as error:
        raise Unreadable(f"is none of {', '.join(FORMATS)}", remedy=REMEDY) from error
    except DAMAGE as error:
        raise Unreadable(f"is damaged or cut off ({error})", remedy=REMEDY) from error


def _decoded(image: Image.Image) -> Picture:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Unreadable(f"has {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} million", remedy=REMEDY)
    if min(width, height) < FEWEST_PX:
        raise Unreadable(f"has only {width} x {height} pixels", remedy="Take another photo, or leave it out")
    if image.mode.startswith(("I", "F")):
        raise Unreadable("has more than 8 bits a colour", remedy=REMEDY)
    image.draft("RGB", (DECODED_PX, DECODED_PX))
    ImageOps.exif_transpose(image, in_place=True)
    upright = image if image.mode == "RGB" else image.convert("RGB")
    upright.info.clear()  # its metadata
    longer, shorter = max(width, height), min(width, height)
    return Picture(upright, (longer, shorter) if upright.width >= upright.height else (shorter, longer))
