"""Makes JPEG pictures. With `model.tensors`, which reads them, the door of simplejpeg."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

QUALITY = 85  # about what UVC cameras send


def encode_jpeg(rgb: NDArray[np.uint8], *, quality: int = QUALITY) -> bytes:
    """(height, width, 3) of red, green, blue, as a baseline JPEG with half the colours across, as UVC cameras send."""
    import simplejpeg

    data: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), quality=quality, colorsubsampling="422")
    return data
