"""What TensorFlow's own code says on stderr goes into a file: there is much of it, and none of it is for users."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

STDERR: Final = 2


@contextmanager
def native_messages_into(log: Path) -> Iterator[None]:
    """In the block, what does not go through `sys.stderr` is added to `log`. Raises OSError if there is no room."""
    sys.stderr.flush()
    shown, screen = sys.stderr, os.dup(STDERR)
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), STDERR)
        if shown is sys.__stderr__:  # else somebody reads it without file descriptor 2
            sys.stderr = open(screen, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # goes through `sys.stderr`: advice for programmers
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = shown
        os.dup2(screen, STDERR)  # and `screen` stays open: loggers that were made in the block may hold on to it
