"""A `Disk` in memory that loses its power, or refuses, at a chosen operation. What a cut leaves: `after_cut`."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from ota.storage import PIECE_BYTES, Disk
from tests.fakes.after_cut import File, Held

CHANGES: Final = frozenset({"write", "append", "sync", "rename", "remove", "make_folder"})
GROWS: Final = frozenset({"write", "append", "make_folder"})
ALL: Final = CHANGES | {"read", "size", "pieces", "names"}
PLENTY: Final = 1 << 40


class PowerCut(BaseException):
    """Nothing catches it, as nothing catches the real one."""


class Operation(NamedTuple):
    kind: str
    path: Path


@dataclass(frozen=True, slots=True)
class Fault:
    """At the operation number `at`, reads included. A cut comes after it; an error instead of it, or of a half of it.

    `error` is an errno, or None for a cut. `then` are the operations that fail from then on.
    """

    at: int
    error: int | None = None
    then: frozenset[str] = frozenset()


class CutDisk(Disk):
    """`root` is there and lasts. `operations` are those since it was made or forked."""

    def __init__(self, root: Path, *, room_bytes: int = PLENTY) -> None:
        self.root = root
        self.room_bytes = room_bytes
        self.operations: list[Operation] = []
        self._fault: Fault | None = None
        self._cut = False
        self._held = Held(folders={root})

    def fork(self, fault: Fault | None = None) -> CutDisk:
        """The same disk for a new process: what does not last yet still does not."""
        return self._with(self._held.copy(), fault)

    def after_cut(self, most: int, random: Random) -> Iterator[CutDisk]:
        """Disks as a power cut may leave this one: all, or `most` of them, the extremes first."""
        return (self._with(held, None) for held in self._held.after_cut(most, random))

    def files(self) -> dict[Path, bytes]:
        """What is to be seen, without an operation."""
        return {path: self._held.files[number].seen for path, number in self._held.names.items()}

    def read(self, path: Path, limit: int) -> bytes | None:
        self._operate("read", path)
        content = self._content(path)
        return None if content is None else content[: limit + 1]

    def size(self, path: Path) -> int | None:
        self._operate("size", path)
        content = self._content(path)
        return None if content is None else len(content)

    def pieces(self, path: Path) -> Iterator[bytes]:
        self._operate("pieces", path)
        content = self._content(path)
        if content is None:
            raise _error(errno.ENOENT, path)
        return (content[start : start + PIECE_BYTES] for start in range(0, len(content), PIECE_BYTES))

    def free(self, _folder: Path) -> int:
        return max(0, self.room_bytes - sum(map(len, self.files().values())))

    def names(self, folder: Path) -> list[str]:
        self._operate("names", folder)
        return sorted(path.name for path in (*self._held.names, *self._held.folders) if path.parent == folder)

    def write(self, path: Path, content: bytes) -> None:
        self._put(path, b"", content, "write")

    def append(self, path: Path, content: bytes) -> None:
        self._put(path, self._content(path) or b"", content, "append")

    def sync(self, path: Path) -> None:
        number = self._held.names.get(path)
        with_error = self._operate("sync", path, raises=False)
        if with_error is not None:
            if number is not None and self._held.files[number].seen != self._held.files[number].safe:
                self._held.files[number] = replace(self._held.files[number], failed=True)
            raise _error(with_error, path)
        if path in self._held.folders:
            self._held.sync_names(path)
        elif number is None:
            raise _error(errno.ENOENT, path)
        elif not self._held.files[number].failed:
            self._held.files[number] = File(self._held.files[number].seen, self._held.files[number].seen)
        self._cut_here()

    def rename(self, path: Path, to: Path) -> None:
        self._operate("rename", path)
        number = self._held.names.get(path)
        if number is None:
            raise _error(errno.ENOENT, path)
        self._require_folder(to)
        if path != to:
            self._held.put(to, number)
            self._held.put(path, None)
        self._cut_here()

    def remove(self, path: Path) -> None:
        self._operate("remove", path)
        if path in self._held.folders:
            raise _error(errno.EISDIR, path)
        if path in self._held.names:
            self._held.put(path, None)
        self._cut_here()

    def make_folder(self, path: Path) -> None:
        self._operate("make_folder", path)
        for folder in (path, *path.parents):
            if folder in self._held.names:
                raise _error(errno.EEXIST if folder == path else errno.ENOTDIR, path)
        missing = {folder for folder in (path, *path.parents) if folder not in self._held.folders}
        self._held.fleeting |= {folder for folder in missing if self.root in folder.parents}
        self._held.folders |= {folder for folder in missing if self.root in folder.parents}
        self._cut_here()

    def _put(self, path: Path, before: bytes, content: bytes, kind: str) -> None:
        fits = max(0, self.room_bytes - sum(map(len, self.files().values())) + len(self._content(path) or b""))
        error = self._operate(kind, path, raises=False)
        self._require_folder(path)
        number = self._held.names.get(path)
        old = File(b"") if number is None else self._held.files[number]
        if error is not None:
            content = content[: len(content) // 2]
        elif len(before) + len(content) > fits:
            content, error = content[: max(0, fits - len(before))], errno.ENOSPC
        grown = old.grown and kind == "append"
        if number is None:
            number = max(self._held.files, default=0) + 1
            self._held.put(path, number)
        self._held.files[number] = File(before + content, old.safe, grown, failed=old.failed and kind == "append")
        if error is not None:
            raise _error(error, path)
        self._cut_here()

    def _content(self, path: Path) -> bytes | None:
        if path in self._held.folders:
            raise _error(errno.EISDIR, path)
        number = self._held.names.get(path)
        return None if number is None else self._held.files[number].seen

    def _require_folder(self, path: Path) -> None:
        if path.parent not in self._held.folders:
            raise _error(errno.ENOENT, path)
        if path in self._held.folders:
            raise _error(errno.EISDIR, path)

    def _operate(self, kind: str, path: Path, *, raises: bool = True) -> int | None:
        """Note it. The error that it has to end with, unless it is raised here."""
        if self._cut:
            raise PowerCut
        self.operations.append(Operation(kind, path))
        fault, number = self._fault, len(self.operations) - 1
        if fault is None or fault.error is None:
            return None
        if number != fault.at and not (number > fault.at and kind in fault.then):
            return None
        if raises:
            raise _error(fault.error, path)
        return fault.error

    def _cut_here(self) -> None:
        """After a change was made."""
        if self._fault is not None and self._fault.error is None and len(self.operations) - 1 == self._fault.at:
            self._cut = True
            raise PowerCut

    def _with(self, held: Held, fault: Fault | None) -> CutDisk:
        other = CutDisk(self.root, room_bytes=self.room_bytes)
        other._held, other._fault = held, fault
        return other


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))
