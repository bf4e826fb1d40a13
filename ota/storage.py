"""The few file operations by which an update lasts. What is done by others is lost or torn with the power.

After a power cut a file has what was in it when it was last synced, and any part of what was written since, or zeros;
a name is the one that its folder had when that was last synced, or any later one (ext4, data=ordered). So whatever must
last is written to a new file, synced, renamed, and its folder synced: `replace`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

HALF = ".half"
PIECE_BYTES = 256 * 1024


class Disk:
    """Each method but `replace` is one operation, and all of them raise OSError."""

    def read(self, path: Path, limit: int) -> bytes | None:
        """At most `limit` bytes and one more, by which a larger file is told; None where there is no file."""
        try:
            with path.open("rb") as file:
                return file.read(limit + 1)
        except FileNotFoundError:
            return None

    def size(self, path: Path) -> int | None:
        """None where there is no file."""
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return None

    def pieces(self, path: Path) -> Iterator[bytes]:
        """The file from its start, by at most `PIECE_BYTES` at a time."""
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def free(self, folder: Path) -> int:
        """Bytes that a program without privileges may still write there."""
        return shutil.disk_usage(folder).free

    def names(self, folder: Path) -> list[str]:
        """Sorted; empty where there is no folder."""
        try:
            return sorted(os.listdir(folder))  # noqa: PTH208 - names are wanted
        except FileNotFoundError:
            return []

    def write(self, path: Path, content: bytes) -> None:
        """Make the file anew."""
        path.write_bytes(content)

    def append(self, path: Path, content: bytes) -> None:
        """Add to the file's end; it is made where there is none."""
        with path.open("ab") as file:
            file.write(content)

    def sync(self, path: Path) -> None:
        """Of a file its content, of a folder its names: they last from now on."""
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, path: Path, to: Path) -> None:
        """What is at `to` is replaced. Lasts once the folder is synced."""
        path.replace(to)

    def remove(self, path: Path) -> None:
        """Nothing happens where there is no file."""
        path.unlink(missing_ok=True)

    def make_folder(self, path: Path) -> None:
        """With all above it; nothing happens where it is there."""
        path.mkdir(parents=True, exist_ok=True)

    def replace(self, path: Path, content: bytes) -> None:
        """After a power cut there is the old file or the new one, whole; after an OSError the old one."""
        half = path.with_name(path.name + HALF)
        try:
            self.remove(half)  # after a cut amid a rename it may be another name of the very file that is replaced
            self.write(half, content)
            self.sync(half)
            self.rename(half, path)
        except OSError:
            self.remove(half)
            raise
        self.sync(path.parent)
