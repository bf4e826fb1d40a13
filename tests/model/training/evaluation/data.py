"""Labelled photos for these tests: drawn, never stored."""

from __future__ import annotations

from pathlib import Path

from drivers.camera.jpeg import encode_jpeg
from model.training.data.samples import Sample
from model.training.render import Camera
from model.types import Label
from tests.model.pictures import ripples

SIZE = (320, 240)
CLEAN_G_M2, DIRTY_G_M2 = 0.1, 15.0


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def ducts(root: Path, *, scenes: int) -> Path:
    """A folder with a clean and a dirty rendered duct of each scene."""
    for scene in range(scenes):
        camera = Camera(3_000_000 + scene, SIZE)
        write(root / f"clean/duct-{scene}.jpg", camera.jpeg(CLEAN_G_M2))
        write(root / f"dirty/duct-{scene}.jpg", camera.jpeg(DIRTY_G_M2))
    return root


def sample(path: Path, content: bytes | None = None, label: Label = Label.CLEAN) -> Sample:
    """`content`: of the file; drawn if left out."""
    write(path, encode_jpeg(ripples(*SIZE)) if content is None else content)
    return Sample(name=path.name, path=path, label=label)
