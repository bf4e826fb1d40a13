"""Pictures and frames for the model's tests: drawn, not stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from drivers.camera.jpeg import encode_jpeg
from drivers.types import Frame, Instant, PixelFormat, SourceId
from model.classifier import Classifier
from model.manifest import Manifest, parse_manifest
from model.shipped import shipped_bundle
from ota.bundle import Bundle, open_bundle

Rgb = npt.NDArray[np.uint8]


def ripples(width: int, height: int, *, noise: float = 4.0, seed: int = 0) -> Rgb:
    """Soft ripples and hard spangles with camera noise, dark in the middle as a duct is: structure at all scales."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = x / width, y / height
    grey = 120 + 40 * np.sin(25 * u) * np.cos(19 * v) + 20 * np.sin(90 * u + 70 * v)
    spangles = np.random.default_rng(7).uniform(-25, 25, (61, 81))
    grey += spangles[(v * 60).astype(np.intp), (u * 80).astype(np.intp)]
    grey *= 1 - 0.8 * np.exp(-((u - 0.5) ** 2 + (v - 0.5) ** 2) * 80)
    rgb = np.stack([grey, 0.9 * grey + 10, 0.8 * grey + 20], axis=-1)
    rgb += np.random.default_rng(seed).normal(0, noise, rgb.shape)
    picture: Rgb = np.clip(rgb, 0, 255).astype(np.uint8)
    return picture


def flat(width: int, height: int, colour: tuple[int, int, int]) -> Rgb:
    return np.full((height, width, 3), colour, np.uint8)


def mjpeg(rgb: Rgb, source: str = "upstream") -> Frame:
    return frame_of(encode_jpeg(rgb), PixelFormat.MJPEG, rgb.shape[1], rgb.shape[0], source)


def yuyv(rgb: Rgb, source: str = "upstream") -> Frame:
    """BT.601, limited range, as a camera sends it: two pixels share their colour."""
    height, width = rgb.shape[0], rgb.shape[1] // 2 * 2
    red, green, blue = np.moveaxis(rgb[:, :width].astype(np.float32), -1, 0)
    words = np.empty((height, width, 2), np.float32)
    words[..., 0] = 16 + (65.738 * red + 129.057 * green + 25.064 * blue) / 256
    u = 128 + (-37.945 * red - 74.494 * green + 112.439 * blue) / 256
    v = 128 + (112.439 * red - 94.154 * green - 18.285 * blue) / 256
    words[:, 0::2, 1] = (u[:, 0::2] + u[:, 1::2]) / 2
    words[:, 1::2, 1] = (v[:, 0::2] + v[:, 1::2]) / 2
    return frame_of(np.rint(words).astype(np.uint8).tobytes(), PixelFormat.YUYV, width, height, source)


def frame_of(payload: bytes, pixel_format: PixelFormat, width: int, height: int, source: str = "upstream") -> Frame:
    return Frame(
        source=SourceId(source),
        sequence=0,
        payload=memoryview(payload),
        pixel_format=pixel_format,
        width=width,
        height=height,
        captured_ns=0,
        at=Instant(0),
    )


def shipped() -> tuple[Bundle, Manifest]:
    bundle = open_bundle(shipped_bundle())
    return bundle, parse_manifest(bundle.manifest)


def shipped_classifier() -> Classifier:
    bundle, manifest = shipped()
    return Classifier(bundle.files["model.tflite"], manifest)


def copy_of(bundle: Bundle, folder: Path) -> Path:
    for name, content in {**bundle.files, "manifest.json": bundle.manifest}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
