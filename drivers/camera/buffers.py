"""Pictures out of memory-mapped buffers, which the kernel fills while nobody waits."""

from __future__ import annotations

import errno
import mmap
import os
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers.camera.capture import Stream, Taken
from drivers.camera.integrity import BUF_FLAG_ERROR, captured_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the kernel says of a buffer that it filled: `struct v4l2_buffer` in videodev2.h."""

    index: int
    length_bytes: int
    flags: int
    seconds: int
    microseconds: int
    sequence: int


class Queue(Protocol):
    """A device's queue of buffers. Calls may raise OSError."""

    @property
    def fd(self) -> int:
        """To be polled: readable while a filled buffer waits."""

    def enqueue(self, index: int) -> None: ...

    def dequeue(self) -> Filled | None:
        """The oldest filled buffer; None if there is none now."""

    def stream_on(self) -> None: ...

    def stream_off(self) -> None: ...


class MappedCapture:
    """`capture.Capture` on a queue of buffers mapped into our memory. `release` unmaps and closes it all."""

    def __init__(
        self, stream: Stream, queue: Queue, buffers: Sequence[mmap.mmap | bytes], release: Callable[[], None]
    ) -> None:
        self.stream = stream
        self._queue = queue
        self._buffers = buffers
        self._release = release
        self._poll = select.poll()
        self._poll.register(queue.fd, select.POLLIN)

    def start(self) -> None:
        for index in range(len(self._buffers)):
            self._queue.enqueue(index)
        self._queue.stream_on()

    def discard(self, wait_s: float) -> int:
        ready = self._ready(wait_s)
        self._give_back(ready)
        return len(ready)

    def newest(self, wait_s: float) -> Taken | None:
        """A damaged buffer comes only if no other does."""
        ready = self._ready(wait_s)
        skipped = 0
        if len(ready) == len(self._buffers):  # the kernel had nowhere to put newer ones: all of these are old
            skipped = len(ready)
            self._give_back(ready)
            ready = self._ready(wait_s)
        if not ready:
            return None
        sound = [filled for filled in ready if not filled.flags & BUF_FLAG_ERROR]
        taken = self._copy((sound or ready)[-1], damaged=not sound, skipped=skipped + len(ready) - 1)
        self._give_back(ready)
        return taken

    def stop(self) -> None:
        self._queue.stream_off()

    def close(self) -> None:
        self._release()

    def _ready(self, wait_s: float) -> list[Filled]:
        """The filled buffers, oldest first; none if none comes in time."""
        events = self._poll.poll(wait_s * 1000)
        ready: list[Filled] = []
        while len(ready) < len(self._buffers) and (filled := self._queue.dequeue()) is not None:
            ready.append(filled)
        if events and not ready and events[0][1] & (select.POLLERR | select.POLLHUP):
            raise OSError(errno.EIO, os.strerror(errno.EIO))  # else it would be polled again at once, and again
        return ready

    def _copy(self, filled: Filled, *, damaged: bool, skipped: int) -> Taken:
        return Taken(
            data=self._buffers[filled.index][: filled.length_bytes],
            damaged=damaged,
            captured_ns=captured_ns(filled.flags, filled.seconds, filled.microseconds, arrived_ns=time.monotonic_ns()),
            sequence=filled.sequence,
            skipped=skipped,
        )

    def _give_back(self, ready: Sequence[Filled]) -> None:
        for filled in ready:
            self._queue.enqueue(filled.index)
