"""Pictures kept on the board: the last few snapshots, within a bound of number and bytes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from drivers.types import Frame
from firmware.observations import Picture
from model.types import Verdict

HALF = ".part"
SUFFIXES = {"MJPG": ".jpg", "YUYV": ".yuyv"}


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    length_bytes: int


class Album:
    """A folder of pictures, oldest out first. Its methods block: one worker owns it."""

    def __init__(self, folder: Path, *, max_pictures: int, max_bytes: int) -> None:
        """Raises OSError if the folder cannot be made or read."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._max_pictures = max_pictures
        self._max_bytes = max_bytes
        for half in folder.glob(f"*{HALF}"):  # of a process that was killed while it wrote
            half.unlink(missing_ok=True)
        self._kept = [
            _Kept(path, path.stat().st_size) for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES.values()
        ]

    def keep(self, frame: Frame, verdict: Verdict, taken_utc: str) -> Picture:
        """Write a frame as the camera delivered it. Raises OSError, on a full disk for one, and leaves no half file.

        `taken_utc` starts the file's name, so that the names sort by time: `20261123T101500.250Z`.
        """
        name = f"{taken_utc}-{frame.source}-{verdict.label.value.lower()}{SUFFIXES[frame.pixel_format.value]}"
        path = self._folder / name
        self._make_room(len(frame.payload))
        half = path.with_name(path.name + HALF)
        try:
            half.write_bytes(frame.payload)
            half.rename(path)
        except OSError:
            half.unlink(missing_ok=True)
            raise
        self._kept.append(_Kept(path, len(frame.payload)))
        return Picture(
            source=frame.source,
            path=os.fspath(path.relative_to(self._folder.parent)),
            length_bytes=len(frame.payload),
            sha256=hashlib.sha256(frame.payload).hexdigest(),
            at=frame.at,
        )

    def _make_room(self, wanted_bytes: int) -> None:
        total_bytes = sum(kept.length_bytes for kept in self._kept) + wanted_bytes
        while self._kept and (len(self._kept) >= self._max_pictures or total_bytes > self._max_bytes):
            oldest = self._kept.pop(0)
            oldest.path.unlink(missing_ok=True)
            total_bytes -= oldest.length_bytes
