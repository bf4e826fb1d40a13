"""From a scene and its light to the bytes that a camera sends: exposed, noisy, encoded.

A sensor's frames all differ, and encoding each would take a core. So a picture is encoded a few times only, in strips,
each time with other noise, and a frame is put together from strips of different times: half a millisecond, and more
than a million frames before one comes again. In a JPEG picture the strips end in restart markers (T.81, B.1.1.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from drivers.camera.jpeg import encode_jpeg
from drivers.camera.negotiate import Size
from drivers.camera.yuyv import to_yuyv
from drivers.types import PixelFormat
from hil.rig.pictures import Rgb, Scene
from hil.rig.uvc_controls import Development

STRIPS = 10  # each of whole blocks of 8 rows at 240, 480 and 720 rows
TIMES_BITS = 2
TIMES = 1 << TIMES_BITS
FRAMES = 1 << TIMES_BITS * STRIPS  # that are all different
MIX = 0x9E3779B1  # odd, so that multiplying by it only shuffles the frames: neighbours differ in all strips
LIGHT_STEPS = 32
NOISE_LEVELS = 3.0  # of 255, standard deviation, at gain 1: about that of drivers.duct.optics

BLOCK = Size(16, 8)  # of a JPEG with half the colours across
RESTART_INTERVAL, START_OF_FRAME, START_OF_SCAN, RESTART = 0xDD, 0xC0, 0xDA, 0xD0
END_OF_IMAGE = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Order:
    """All that the bytes of a frame depend on, but for the noise."""

    scene: Scene
    light: float  # 0..1
    development: Development
    pixel_format: PixelFormat
    size: Size


def order(scene: Scene, light: float, development: Development, pixel_format: PixelFormat, size: Size) -> Order:
    """Light in steps, so that a flicker does not make every frame a new picture."""
    return Order(scene, round(light * LIGHT_STEPS) / LIGHT_STEPS, development, pixel_format, size)


@dataclass(frozen=True, slots=True)
class Prints:
    """A picture's strips, each in `TIMES` versions with other noise."""

    head: bytes
    strips: tuple[tuple[bytes, ...], ...]
    tail: bytes

    def frame(self, number: int) -> bytes:
        choice = number * MIX % FRAMES
        chosen = (times[choice >> TIMES_BITS * at & TIMES - 1] for at, times in enumerate(self.strips))
        return b"".join((self.head, *chosen, self.tail))


def develop(wanted: Order) -> Prints:
    """Blocks: 0.1 s, and seconds if the scene has not been drawn at this size."""
    levels = _exposed(wanted)
    noisy = [_noisy(levels, time, wanted.development.gain) for time in range(TIMES)]
    if wanted.pixel_format is PixelFormat.YUYV:
        times = [_cut(to_yuyv(picture)) for picture in noisy]
        return Prints(b"", tuple(zip(*times, strict=True)), b"")
    return _jpeg_prints(noisy, wanted.size)


def _exposed(wanted: Order) -> NDArray[np.float32]:
    """Levels of 255. Light adds up and multiplies in squares of the levels, as the renderer has them."""
    lit, dark = (look(wanted.size) for look in (wanted.scene.lit, wanted.scene.dark))
    squares = np.square(np.arange(256, dtype=np.float32))
    light = squares[dark] + (squares[lit] - squares[dark]) * np.float32(wanted.light)
    levels: NDArray[np.float32] = np.sqrt(np.maximum(light * np.float32(wanted.development.exposure), 0))
    levels += np.float32(wanted.development.brightness)
    return levels


def _noisy(levels: NDArray[np.float32], time: int, gain: float) -> Rgb:
    store = _noise(levels.size)
    start = time * (store.size - levels.size) // TIMES
    noise = store[start : start + levels.size].reshape(levels.shape) * np.float32(NOISE_LEVELS * gain**0.5)
    noise += levels + np.float32(0.5)
    np.clip(noise, 0, 255, out=noise)
    return noise.astype(np.uint8)


@lru_cache(maxsize=3)
def _noise(elements: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal(elements + elements // 4, dtype=np.float32)


def _cut(data: bytes) -> list[bytes]:
    length = len(data) // STRIPS
    return [data[start : start + length] for start in range(0, STRIPS * length, length)]


def _jpeg_prints(noisy: list[Rgb], size: Size) -> Prints:
    rows = size.height // STRIPS
    times = [[_scan(encode_jpeg(picture[at * rows : at * rows + rows])) for at in range(STRIPS)] for picture in noisy]
    head = times[0][0][0]
    markers = [bytes([0xFF, RESTART + at % 8]) for at in range(STRIPS - 1)] + [b""]
    strips = tuple(tuple(time[at][1] + markers[at] for time in times) for at in range(STRIPS))
    return Prints(_headed(head, size, rows), strips, END_OF_IMAGE)


def _scan(jpeg: bytes) -> tuple[bytes, bytes]:
    """What comes before a JPEG's coded data, and these. The tables are the same for every strip: T.81, annex K."""
    at = _segment(jpeg, START_OF_SCAN)
    start = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return jpeg[:start], jpeg[start : -len(END_OF_IMAGE)]


def _headed(head: bytes, size: Size, rows: int) -> bytes:
    """The head of a strip as that of the whole picture, which is as high as all strips and starts anew with each."""
    frame, scan = _segment(head, START_OF_FRAME), _segment(head, START_OF_SCAN)
    blocks = size.width // BLOCK.width * (rows // BLOCK.height)
    interval = bytes([0xFF, RESTART_INTERVAL, 0, 4]) + blocks.to_bytes(2, "big")
    return head[: frame + 5] + size.height.to_bytes(2, "big") + head[frame + 7 : scan] + interval + head[scan:]


def _segment(jpeg: bytes, marker: int) -> int:
    """Where a marker's segment starts."""
    at = 2
    while jpeg[at + 1] != marker:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return at
