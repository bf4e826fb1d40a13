"""The tars that channels offered before: what deltas start from, and what may be wanted back.

In the publisher's folder: `bundles/CHANNEL/MODEL/COUNTER-SHA256.tar`, the last `KEPT` of each.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ota.bundle import MAX_BUNDLE_BYTES
from ota.storage import Disk
from ota.types import Release

KEPT = 4
"""Boards that lag further behind download the whole bundle."""


def bases(folder: Path, channel: str, release: Release, disk: Disk) -> dict[str, bytes]:
    """What the channel offered before `release` of its model, by SHA-256. What is damaged is left out."""
    found = {}
    for name in disk.names(folder / channel / release.model):
        counter, _, sha256 = name.removesuffix(".tar").partition("-")
        if counter.isdecimal() and int(counter) < release.counter:
            content = disk.read(folder / channel / release.model / name, 2 * MAX_BUNDLE_BYTES) or b""
            if hashlib.sha256(content).hexdigest() == sha256:
                found[sha256] = content
    return found


def keep(folder: Path, channel: str, release: Release, tar: bytes, disk: Disk) -> None:
    """Add what is published, and forget the oldest."""
    place = folder / channel / release.model
    disk.make_folder(place)
    disk.replace(place / f"{release.counter:010d}-{release.target.sha256}.tar", tar)
    for name in [name for name in disk.names(place) if name.endswith(".tar")][:-KEPT]:
        disk.remove(place / name)
