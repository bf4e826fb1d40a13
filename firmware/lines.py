"""Events and logs as lines on a file descriptor, never waiting for whoever reads them."""

from __future__ import annotations

import errno
import os
import queue
import select
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

MAX_WAITING = 10_000  # lines for a reader that is slow; beyond it the newest are dropped and counted
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FLUSH_S = 1.0  # at the end, how long the reader may take for the rest


class LineWriter:
    """Writes lines in a thread of its own: a reader that stalls holds up nothing, one that left ends the run."""

    def __init__(self, descriptor: int, *, gone: Callable[[], None]) -> None:
        """`gone` is called, from the writer's thread, when nobody reads any more."""
        self.dropped = 0
        self._descriptor = descriptor
        self._gone = gone
        self._lines: queue.Queue[str | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._write, name="events", daemon=True)

    def put(self, line: str) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._lines.put(None, timeout=FLUSH_S)
        except queue.Full:
            return  # the reader stalled for good: the rest is lost with it
        self._thread.join(FLUSH_S)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                _write_whole(self._descriptor, f"{line}\n".encode())
            except OSError as error:
                if error.errno not in DISK_FULL:  # EPIPE: the reader has gone
                    self._gone()
                    return
                self.dropped += 1


def _write_whole(descriptor: int, line: bytes) -> None:
    while line:
        try:
            line = line[os.write(descriptor, line) :]
        except BlockingIOError:  # whoever shares the terminal has set O_NONBLOCK on it
            select.select([], [descriptor], [])
