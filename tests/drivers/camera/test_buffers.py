from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator

import pytest

from drivers.camera.buffers import Filled, MappedCapture
from drivers.camera.capture import Stream
from drivers.camera.integrity import BUF_FLAG_ERROR
from drivers.camera.negotiate import Size
from drivers.types import PixelFormat

pytestmark = pytest.mark.real

STREAM = Stream("a camera", PixelFormat.MJPEG, Size(640, 480), 0)
BUFFERS = [bytes([65 + index]) * 10 for index in range(3)]  # AAA.., BBB.., CCC..


class FakeQueue:
    """A device whose buffers the test fills. An event descriptor makes it readable, as a real one is."""

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)
        self.empty: deque[int] = deque()
        self.filled: deque[Filled] = deque()
        self.later: list[int] = []  # flags of pictures that come as soon as a buffer is given back
        self.sequence = 0
        self.on = False

    def picture(self, flags: int = 0) -> None:
        self.sequence += 1
        if self.empty:
            index = self.empty.popleft()
            self.filled.append(
                Filled(index=index, length_bytes=4, flags=flags, seconds=0, microseconds=0, sequence=self.sequence)
            )
            os.eventfd_write(self.fd, 1)

    def enqueue(self, index: int) -> None:
        self.empty.append(index)
        if self.later:
            self.picture(self.later.pop())

    def dequeue(self) -> Filled | None:
        return self.filled.popleft() if self.filled else None

    def stream_on(self) -> None:
        self.on = True

    def stream_off(self) -> None:
        self.on = False


@pytest.fixture
def queue() -> Iterator[FakeQueue]:
    queue = FakeQueue()
    yield queue
    os.close(queue.fd)


@pytest.fixture
def capture(queue: FakeQueue) -> MappedCapture:
    capture = MappedCapture(STREAM, queue, BUFFERS, lambda: None)
    capture.start()
    return capture


def test_a_picture_is_copied_and_its_buffer_given_back(capture: MappedCapture, queue: FakeQueue) -> None:
    queue.picture()

    taken = capture.newest(0)

    assert taken is not None
    assert (taken.data, taken.sequence, taken.skipped, taken.damaged) == (b"AAAA", 1, 0, False)
    assert sorted(queue.empty) == [0, 1, 2]


def test_of_two_pictures_the_newer_is_taken(capture: MappedCapture, queue: FakeQueue) -> None:
    queue.picture()
    queue.picture()

    taken = capture.newest(0)

    assert taken is not None
    assert (taken.sequence, taken.skipped) == (2, 1)


def test_pictures_that_filled_all_buffers_while_nobody_looked_are_old(capture: MappedCapture, queue: FakeQueue) -> None:
    for _ in range(5):  # the last two found no room
        queue.picture()
    queue.later = [0]

    taken = capture.newest(0)

    assert taken is not None
    assert (taken.sequence, taken.skipped) == (6, 3)


def test_a_damaged_picture_gives_way_to_an_older_sound_one(capture: MappedCapture, queue: FakeQueue) -> None:
    queue.picture()
    queue.picture(BUF_FLAG_ERROR)

    taken = capture.newest(0)

    assert taken is not None
    assert (taken.sequence, taken.damaged) == (1, False)


def test_a_damaged_picture_alone_is_marked(capture: MappedCapture, queue: FakeQueue) -> None:
    queue.picture(BUF_FLAG_ERROR)

    taken = capture.newest(0)

    assert taken is not None
    assert taken.damaged


def test_no_picture_in_time_is_none(capture: MappedCapture) -> None:
    assert capture.newest(0) is None


def test_pictures_while_exposure_settles_are_given_back_unread(capture: MappedCapture, queue: FakeQueue) -> None:
    queue.picture()
    queue.picture()

    assert capture.discard(0) == 2
    assert sorted(queue.empty) == [0, 1, 2]


def test_a_device_that_hangs_up_without_a_picture_is_an_error_and_not_polled_for_ever() -> None:
    queue = FakeQueue()
    os.close(queue.fd)
    queue.fd, other_end = os.pipe()
    os.close(other_end)  # poll says POLLHUP, as for a camera that was unplugged

    with pytest.raises(OSError, match="Input/output error"):
        MappedCapture(STREAM, queue, BUFFERS, lambda: None).newest(0)
    os.close(queue.fd)
