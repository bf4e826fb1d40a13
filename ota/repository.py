"""Where releases come from: files below `metadata/` and `targets/`, on a web server or in a folder (a USB stick)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol

from ota.errors import Unreachable


class Repository(Protocol):
    def read(self, name: str, limit: int) -> bytes | None:
        """The file `name`, as `metadata/timestamp.json`; None where there is none.

        Of a file with more than `limit` bytes `limit` + 1 are given, by which it is told. Raises `Unreachable`.
        """


class Folder:
    """On a stick, or a shared folder. Only plain files are read: a pipe or a device there would hang or never end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str, limit: int) -> bytes | None:
        path = self._path / name
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe is opened without waiting
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise Unreachable(f"{path}: not a plain file", remedy="Copy the repository to the stick again")
                return file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unreachable(f"{path}: cannot be read ({error})", remedy="Plug the stick in again") from error
