"""What is in a photo's file, as bytes: read safely, decoded elsewhere."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from model.errors import Unreadable

MOST_BYTES = 64 * 1024 * 1024  # larger than any camera's photo
REMEDY = "Save it anew as an 8-bit JPEG or PNG, or leave it out"


def read_content(path: Path) -> bytes:
    """The file's bytes. Raises FileNotFoundError, or `Unreadable` with the reason."""
    try:
        if not path.exists():  # nor can, with a name that no file can have
            raise FileNotFoundError(path)
        if not path.is_file():  # a pipe would be waited for
            raise Unreadable("is not a file", remedy=REMEDY)
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}", remedy="Check who may read it, and its disk") from error
    if len(content) > MOST_BYTES:
        raise Unreadable(f"is larger than {MOST_BYTES // 1024 // 1024} MiB, which is no photo", remedy=REMEDY)
    return content


def real(path: Path) -> Path:
    """Absolute, and without links but those that lead in a circle: there is nothing at their end. Raises nothing for
    a path that a file can have."""
    return Path(os.path.realpath(path))


def can_be_path(text: str) -> bool:
    """Whether a file can have it: without a zero byte, and of what the file system has letters for."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def digest(content: bytes) -> str:
    """What tells one file from another of the same name: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_of(path: Path) -> str | None:
    """The same of a file; None if it cannot be read."""
    try:
        return digest(read_content(path))
    except (FileNotFoundError, Unreadable):
        return None
