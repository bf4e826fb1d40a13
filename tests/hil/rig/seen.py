"""What is to be seen in a frame: decoded independently of how it was made."""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from drivers.camera.negotiate import Size
from drivers.types import Frame, Instant, PixelFormat, SourceId


def seen(frame: bytes, pixel_format: PixelFormat, size: Size) -> NDArray[np.uint8]:
    """Red, green, blue."""
    if pixel_format is PixelFormat.MJPEG:
        decoded: NDArray[np.uint8] = simplejpeg.decode_jpeg(frame, "RGB", strict=True)
        assert decoded.shape == (size.height, size.width, 3)
        return decoded
    packed = np.frombuffer(frame, np.uint8).reshape(size.height, size.width // 2, 4).astype(float)
    y = (packed[..., 0::2].reshape(size.height, size.width) - 16) * 255 / 219
    u, v = ((np.repeat(packed[..., at], 2, axis=1) - 128) * 255 / 224 for at in (1, 3))
    rgb = np.stack([y + 1.402 * v, y - 0.344 * u - 0.714 * v, y + 1.772 * u], axis=-1)
    return np.clip(rgb, 0, 255).astype(np.uint8)


def luma(frame: bytes, pixel_format: PixelFormat, size: Size) -> float:
    return float(seen(frame, pixel_format, size).mean())


def as_frame(data: bytes, pixel_format: PixelFormat, size: Size) -> Frame:
    """For the classifier."""
    return Frame(
        source=SourceId("rig"),
        sequence=0,
        payload=memoryview(data),
        pixel_format=pixel_format,
        width=size.width,
        height=size.height,
        captured_ns=0,
        at=Instant(0),
    )
