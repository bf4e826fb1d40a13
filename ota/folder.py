"""A repository in a folder, such as that of a USB stick."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from ota.errors import NotThere, Unreachable
from ota.repository import Answer, Watch

COPY: Final = "Copy the repository again, whole"
STICK: Final = "Plug the stick in again, or try another one"


class Folder:
    """Only plain files are read: a pipe or a device there would hang or never end."""

    metered = False

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str, limit: int) -> bytes | None:
        path = self._path / name
        try:
            with _opened(path) as file:
                return file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unreachable(f"{path}: cannot be read ({error})", remedy=STICK) from error

    @contextmanager
    def open(self, name: str, first: int, length: int, watch: Watch) -> Iterator[Answer]:
        path = self._path / name
        try:
            file = _opened(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotThere(f"{path}: {error.strerror}", remedy=COPY) from error
        except OSError as error:
            raise Unreachable(f"{path}: {error.strerror}", remedy=COPY) from error
        with file:
            if os.fstat(file.fileno()).st_size != length:
                raise Unreachable(f"{path}: is no file of {length} bytes", remedy=COPY)
            file.seek(first)

            def read(most: int) -> bytes:
                watch()
                try:
                    return file.read(most)
                except OSError as error:
                    raise Unreachable(f"{path}: {error.strerror}", remedy=STICK) from error

            yield Answer(first, read)


def _opened(path: Path) -> BinaryIO:
    """Raises OSError, and `Unreachable` for what is no plain file."""
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - its reader closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise Unreachable(f"{path}: not a plain file", remedy=COPY)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe would keep whoever opens it
