"""Photos for the tests of data sets: drawn, so that two seeds look unlike and one seed looks alike at any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from model.training.data.groundtruth import manifest_lines
from model.training.data.looking import Seen
from model.training.data.samples import Sample, Split, read_samples
from model.types import Label

Rgb = npt.NDArray[np.uint8]


def photo(seed: int, width: int = 160, height: int = 120) -> Rgb:
    """Soft blobs: eight by eight random cosines."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=(8, 8)) / (1 + np.add.outer(np.arange(8), np.arange(8)))
    across = np.cos(np.pi * np.outer(np.arange(8), (np.arange(width) + 0.5) / width))
    down = np.cos(np.pi * np.outer(np.arange(8), (np.arange(height) + 0.5) / height))
    blobs = down.T @ weights @ across
    grey = 128 + 40 * (blobs - blobs.mean()) / blobs.std()
    rgb: Rgb = np.clip(np.stack([grey, 0.9 * grey + 10, 0.8 * grey + 20], axis=-1), 0, 255).astype(np.uint8)
    return rgb


def save(path: Path, rgb: Rgb, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path, **options)
    return path


def folder(root: Path, *, clean: int, dirty: int) -> Path:
    """Photos that are all unlike: clean/0.jpg with seed 0 and so on, dirty/0.jpg with seed 1000."""
    for number in range(clean):
        save(root / f"clean/{number}.jpg", photo(number))
    for number in range(dirty):
        save(root / f"dirty/{number}.jpg", photo(1000 + number))
    return root


def listed(manifest: Path, photos: Path) -> Path:
    """A manifest beside the folder `photos`, of what lies in it."""
    refs = [(f"{photos.name}/{sample.name}", sample.label) for sample in read_samples(photos)]
    manifest.write_text("".join(manifest_lines(refs, attribute="duct", job="x", created="2026-11-26T10:00:00")))
    return manifest


def seen(name: str, *, prints: int | None = 0, sha256: str = "", split: Split = Split.ANY, **more: Any) -> Seen:
    """A picture, labelled as its folder says. `prints`: hashes of one number are equal, of others far apart; None: it
    cannot be used."""
    label = Label.DIRTY if "dirty" in name else Label.CLEAN
    hashes = None if prints is None else np.random.default_rng(prints).integers(0, 2**63, 4).astype(np.uint64)
    facts = {"prints": hashes, "width": 160, "height": 120, **more}
    sample = Sample(name=name, path=Path(name), label=label, split=split)
    return Seen(sample=sample, sha256=(sha256 or name).ljust(64, "0"), **facts)
