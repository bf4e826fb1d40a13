"""How far a long task is, on stderr: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

QUIET_S = 2.0  # who waits no longer than that needs no line
ON_TERMINAL_S, IN_LOG_S = 0.2, 15.0  # between lines
MINUTE_S = 60


class Progress:
    """Call it with the number done so far; leave the block when all is."""

    def __init__(self, what: str, total: int, *, first: int = 0) -> None:
        """`first`: so many were done before, in no time that counts here."""
        self._what, self._total, self._first = what, total, first
        self._started_s = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._next_s = self._started_s + QUIET_S
        self._width = 0

    def __call__(self, done: int) -> None:
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + (ON_TERMINAL_S if self._terminal else IN_LOG_S)
        self._write(progress_line(self._what, done, self._total, now_s - self._started_s, first=self._first))

    def end(self) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()

    def _write(self, line: str) -> None:
        if self._terminal:
            sys.stderr.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()


def reported(items: Sequence[T], what: str) -> Iterator[T]:
    """The items one by one, saying how many are done."""
    progress = Progress(what, len(items))
    try:
        for done, item in enumerate(items, start=1):
            yield item
            progress(done)
    finally:
        progress.end()


def progress_line(what: str, done: int, total: int, elapsed_s: float, *, first: int = 0) -> str:
    """`done` of `total`, all but the `first` in `elapsed_s`, and the time left if it goes on like this."""
    line = f"{what}: {done:,} of {total:,}"
    if done <= first or done >= total:
        return line
    left_s = elapsed_s / (done - first) * (total - done)
    left = f"{left_s:.0f} s" if left_s < MINUTE_S else f"{left_s / MINUTE_S:.0f} min"
    return f"{line}, {left} left"
