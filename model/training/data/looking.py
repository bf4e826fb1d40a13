"""One look at each picture of a data set: everything that is to be known of it, so that no file is read twice."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from model.errors import Unreadable
from model.training.data.contents import digest, read_content
from model.training.data.pictures import Rgb, open_picture
from model.training.data.progress import Progress
from model.training.data.samples import Sample
from model.training.data.twins import DCT_SIDE, DHASH_HEIGHT, DHASH_WIDTH, Prints, fingerprint

BATCH = 64  # pictures held at a time: 10 MB of 224 x 224
MOST_THREADS = 8  # Pillow decodes without the interpreter's lock; disks of many readers grow slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a file turned out to be. `problem` says why it cannot be used, `prints` (4,) are there if it can."""

    sample: Sample
    sha256: str | None = None  # None where there are no bytes
    missing: bool = False
    problem: str = ""
    width: int = 0
    height: int = 0
    prints: Prints | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    seen: Seen
    rgb: Rgb | None = None  # (side, side, 3), if asked for
    thumbnail: bytes = b""  # JPEG, if asked for


def look_at_all(samples: Sequence[Sample], *, rgb_px: int = 0, thumbnail_px: int = 0) -> Iterator[Look]:
    """A look for each sample, in their order. No file ends it; how far it is goes to stderr.

    `rgb_px`, `thumbnail_px`: sides of what is wanted besides, 0 for nothing.
    """
    progress = Progress("looking at pictures", len(samples))
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        try:
            for start in range(0, len(samples), BATCH):
                batch = samples[start : start + BATCH]
                looks = pool.map(lambda sample: look(sample, rgb_px=rgb_px, thumbnail_px=thumbnail_px), batch)
                for done, one in enumerate(looks, start=start + 1):
                    yield one
                    progress(done)
        finally:
            progress.end()


def look(sample: Sample, *, rgb_px: int = 0, thumbnail_px: int = 0) -> Look:
    """Read and decode one picture. What goes wrong is in the answer."""
    sha256 = None
    try:
        content = read_content(sample.path)
        sha256 = digest(content)
        picture = open_picture(content)
        thumbnail = picture.jpeg(thumbnail_px) if thumbnail_px else b""
    except FileNotFoundError:
        return Look(seen=Seen(sample=sample, missing=True, problem=f"there is no file {sample.path}"))
    except Unreadable as error:
        return Look(seen=Seen(sample=sample, sha256=sha256, problem=error.problem))
    prints = fingerprint(picture.grey(DCT_SIDE, DCT_SIDE), picture.grey(DHASH_WIDTH, DHASH_HEIGHT))
    return Look(
        seen=Seen(sample=sample, sha256=sha256, width=picture.width, height=picture.height, prints=prints),
        rgb=picture.rgb(rgb_px) if rgb_px else None,
        thumbnail=thumbnail,
    )
