"""Pictures to measure with: simulated ducts as a camera would deliver them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from drivers.camera.yuyv import to_yuyv
from drivers.duct.optics import Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from drivers.types import Frame, Instant, PixelFormat, SourceId

Picture = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 1280, 720
SCENE = 3
DEPOSITS_G_M2 = (0.05, 0.3, 0.8, 1.5, 3.0, 8.0)  # from clean to dirty
QUALITIES = range(30, 96)


def ducts(width: int = WIDTH, height: int = HEIGHT) -> list[Picture]:
    """One duct at six stages. Drawing the scene takes some seconds."""
    renderer = Renderer(random_scene(SCENE), width, height)
    return [
        renderer.render(mean_g_m2=deposit, light=1.0, optics=Optics(), frame_seed=seed)
        for seed, deposit in enumerate(DEPOSITS_G_M2)
    ]


def jpeg_of(picture: Picture, size_bytes: int) -> bytes:
    """The picture as a camera of this bit rate sends it, 4:2:2: the best quality that keeps to the size."""
    import simplejpeg

    def encoded(quality: int) -> bytes:
        data: bytes = simplejpeg.encode_jpeg(picture, quality=quality, colorsubsampling="422")
        return data

    low, high = 0, len(QUALITIES) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if len(encoded(QUALITIES[middle])) <= size_bytes:
            low = middle
        else:
            high = middle - 1
    return encoded(QUALITIES[low])


def mjpeg_frames(pictures: Sequence[Picture], size_bytes: int) -> list[Frame]:
    return [
        frame_of(jpeg_of(picture, size_bytes), PixelFormat.MJPEG, number) for number, picture in enumerate(pictures)
    ]


def yuyv_frames(pictures: Sequence[Picture]) -> list[Frame]:
    return [frame_of(to_yuyv(picture), PixelFormat.YUYV, number) for number, picture in enumerate(pictures)]


def write_folder(pictures: Sequence[Picture], folder: Path, size_bytes: int) -> None:
    """For a replay camera."""
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        (folder / f"{number:03}.jpg").write_bytes(jpeg_of(picture, size_bytes))


def frame_of(payload: bytes, pixel_format: PixelFormat, sequence: int) -> Frame:
    now_ns = time.monotonic_ns()
    return Frame(
        source=SourceId("upstream"),
        sequence=sequence,
        payload=memoryview(payload),
        pixel_format=pixel_format,
        width=WIDTH,
        height=HEIGHT,
        captured_ns=now_ns,
        at=Instant(now_ns),
    )
