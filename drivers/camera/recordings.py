"""Recorded pictures: a folder of JPEG files, or a Motion-JPEG video file. Calls block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from drivers.camera.markers import next_picture
from drivers.camera.negotiate import Size

SUFFIXES = {".jpg", ".jpeg"}
MOST_FILES = 100_000  # pictures of one folder that are replayed; further ones are left out
FIRST_WINDOW_BYTES = 1024 * 1024  # read at once of a video: most pictures are smaller
MAX_PICTURE_BYTES = 16 * 1024 * 1024  # a 4096x4096 JPEG of good quality has 4 MiB


class Unusable(Exception):
    """There is nothing to replay. The message says what is there, `remedy` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Recorded:
    """What lies at a position: a picture and its size, or None if it is damaged; and where the next one lies."""

    picture: tuple[bytes, Size] | None
    name: str
    next_position: int


class Recording(Protocol):
    """Pictures by position: 0 first, then what `next_position` says."""

    @property
    def description(self) -> str: ...

    def read(self, position: int) -> Recorded | None:
        """None: the recording ends here. Raises OSError."""

    def close(self) -> None: ...


def open_recording(path: Path) -> Recording:
    """Raises `Unusable`, also for what the system refuses to read."""
    try:
        recording = Folder(path) if path.is_dir() else Video(path)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}", "Check `path` and its permissions") from error
    return recording


class Folder:
    """JPEG files in the order of their names."""

    def __init__(self, path: Path) -> None:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not files:
            others = sorted({file.suffix for file in path.iterdir() if file.suffix})[:5]
            held = f"only {', '.join(others)}" if others else "nothing"
            remedy = "Put JPEG files there; convert others first: mogrify -format jpg *.png"
            raise Unusable(f"no .jpg files in {path}, {held}", remedy)
        self._files: Sequence[Path] = files[:MOST_FILES]
        self.description = f"{len(self._files)} pictures in {path}"

    def read(self, position: int) -> Recorded | None:
        if position >= len(self._files):
            return None
        file = self._files[position]
        with file.open("rb") as opened:
            data = opened.read(MAX_PICTURE_BYTES)
        found = next_picture(data)
        picture = (data[: found.end], found.size) if found is not None and found.start == 0 else None
        return Recorded(picture, file.name, position + 1)

    def close(self) -> None:
        """Nothing stays open between two pictures."""


class Video:
    """Motion-JPEG: pictures one after another, whatever lies between them, such as the chunk heads of an AVI file.

    Positions are bytes. Where no picture is found within `MAX_PICTURE_BYTES`, the recording ends.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        if self.read(0) is None:
            self._file.close()
            remedy = f"Convert it: ffmpeg -i {path.name} -c:v mjpeg -q:v 3 {path.stem}.avi"
            raise Unusable(f"no Motion-JPEG pictures in {path}", remedy)
        self.description = f"Motion-JPEG in {path}"

    def read(self, position: int) -> Recorded | None:
        window_bytes = FIRST_WINDOW_BYTES
        while window_bytes <= MAX_PICTURE_BYTES:
            self._file.seek(position)
            data = self._file.read(window_bytes)
            found = next_picture(data)
            if found is not None:
                picture = (data[found.start : found.end], found.size)
                return Recorded(picture, f"byte {position + found.start}", position + found.end)
            if len(data) < window_bytes:
                return None
            window_bytes *= 2
        return None

    def close(self) -> None:
        self._file.close()
