from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import aclosing

import pytest

from drivers.camera.capture import Stream, Taken
from drivers.camera.identity import NotThere
from drivers.camera.live import BAD_IN_A_ROW, LiveCamera, Patience
from drivers.camera.negotiate import NoMatch, Size
from drivers.clock import Clock, MonotonicClock, SimulatedClock
from drivers.errors import Absent, BadData, DriverError, Lost
from drivers.types import Frame, PixelFormat, SourceId

pytestmark = pytest.mark.real

WHOLE = b"\xff\xd8 picture \xff\xd9"
CUT_OFF = WHOLE[:-2]


class FakeCapture:
    """A camera that delivers what the test scripts: pictures, nothing (None), an error, or a call that blocks."""

    stream = Stream("Fake, 640x480 MJPG, 30/s", PixelFormat.MJPEG, Size(640, 480), 0)

    def __init__(self, *script: bytes | OSError | Callable[[], object] | None) -> None:
        self.script = deque(script)
        self.calls: list[str] = []
        self.closed = threading.Event()
        self.sequence = 0

    def start(self) -> None:
        self.calls.append("start")

    def discard(self, wait_s: float) -> int:
        return 0 if self.newest(wait_s) is None else 1

    def newest(self, wait_s: float) -> Taken | None:
        assert 0 < wait_s < 1  # a stream that nobody wants any more is to end soon
        step = self.script.popleft() if self.script else None
        if isinstance(step, OSError):
            raise step
        if callable(step):
            step()
            return None
        if step is None:
            return None
        self.sequence += 1
        return Taken(data=step, damaged=False, captured_ns=1000 + self.sequence, sequence=self.sequence, skipped=0)

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")
        self.closed.set()


Opening = FakeCapture | Exception | Callable[[], FakeCapture]


def camera(
    *openings: Opening, warm_up: int = 0, frame_timeout_s: float = 30, limit_s: float = 30, clock: Clock | None = None
) -> LiveCamera:
    coming = deque(openings)

    def open_capture() -> FakeCapture:
        opening = coming.popleft()
        if isinstance(opening, Exception):
            raise opening
        return opening if isinstance(opening, FakeCapture) else opening()

    patience = Patience(
        frame_timeout_s=frame_timeout_s,
        warm_up_frames=warm_up,
        warm_up_limit_s=0.05,
        answer_limit_s=limit_s,
        open_limit_s=limit_s,
    )
    return LiveCamera(SourceId("duct-left"), "/dev/cam", open_capture, patience, clock or MonotonicClock())


async def take(camera: LiveCamera, count: int = 1) -> list[Frame]:
    async with camera, aclosing(camera.frames()) as frames:
        return [await anext(frames) for _ in range(count)]


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """A call in the kernel that does not come back before the test says so, or has ended."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_frame_carries_picture_place_and_time() -> None:
    (frame,) = await take(camera(FakeCapture(WHOLE + b"padding")))

    assert (frame.source, bytes(frame.payload), frame.pixel_format) == ("duct-left", WHOLE, PixelFormat.MJPEG)
    assert (frame.width, frame.height, frame.sequence) == (640, 480, 1)
    assert frame.at == frame.captured_ns == 1001


async def test_on_a_simulated_duct_a_frame_is_stamped_in_the_ducts_time() -> None:
    (frame,) = await take(camera(FakeCapture(WHOLE), clock=SimulatedClock()))

    assert (frame.at, frame.captured_ns) == (0, 1001)


async def test_pictures_are_discarded_while_exposure_settles() -> None:
    (frame,) = await take(camera(FakeCapture(CUT_OFF, WHOLE, None, WHOLE, WHOLE), warm_up=3))

    assert frame.sequence == 4


async def test_a_camera_that_delivers_nothing_while_exposure_settles_is_not_waited_for_for_ever() -> None:
    with pytest.raises(Lost, match=r"no picture within 0.05 s"):
        await take(camera(FakeCapture(), warm_up=8, frame_timeout_s=0.05))


async def test_a_damaged_picture_is_dropped_and_counted() -> None:
    left = camera(FakeCapture(CUT_OFF, None, CUT_OFF, WHOLE))

    (frame,) = await take(left)

    assert (frame.sequence, left.corrupt) == (3, 2)


async def test_too_many_damaged_pictures_in_a_row_are_bad_data() -> None:
    left = camera(FakeCapture(*[CUT_OFF] * BAD_IN_A_ROW, WHOLE))

    with pytest.raises(BadData, match="duct-left: 10 damaged pictures in a row, the last one cut off"):
        await take(left)


async def test_few_damaged_pictures_and_then_nothing_are_bad_data_too() -> None:
    with pytest.raises(BadData, match="2 damaged pictures in a row"):
        await take(camera(FakeCapture(CUT_OFF, CUT_OFF), frame_timeout_s=0.05))


async def test_a_camera_unplugged_while_it_streams_is_lost_and_found_again() -> None:
    gone = FakeCapture(WHOLE, OSError(errno.ENODEV, os.strerror(errno.ENODEV)))
    left = camera(gone, NotThere("no camera with serial A1"), FakeCapture(WHOLE))

    with pytest.raises(Lost, match=r"duct-left: unplugged. Check its cable"):
        await take(left, 2)
    with pytest.raises(Absent, match=r"duct-left: no camera with serial A1. Check its cable"):
        await take(left)
    (frame,) = await take(left)

    assert bytes(frame.payload) == WHOLE
    assert gone.calls == ["start", "stop", "close"]


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (OSError(errno.EBUSY, "busy"), Absent, "another program, or another camera of this configuration, has"),
        (OSError(errno.EIO, "ill"), Lost, "Input/output error"),
        (NoMatch("offers no MJPG, only YUYV"), Absent, "offers no MJPG, only YUYV. Set `formats`"),
    ],
)
async def test_a_camera_that_does_not_open_says_why(error: Exception, kind: type[DriverError], said: str) -> None:
    with pytest.raises(kind, match=f"duct-left: {said}"):
        await take(camera(error))


async def test_a_call_that_hangs_in_the_kernel_is_a_lost_camera_and_leaves_the_other_alone(
    hanging: threading.Event,
) -> None:
    left = camera(FakeCapture(hanging.wait), limit_s=0.05)
    right = camera(FakeCapture(WHOLE))

    lost, frames = await asyncio.gather(take(left), take(right), return_exceptions=True)

    assert isinstance(lost, Lost)
    assert "hangs in the kernel, no answer within 0.05 s" in str(lost)
    assert not isinstance(frames, BaseException)


async def test_a_camera_that_hangs_stays_lost_until_the_call_comes_back(hanging: threading.Event) -> None:
    stuck = FakeCapture(hanging.wait)
    left = camera(stuck, FakeCapture(WHOLE), limit_s=0.05)

    for _ in range(3):
        with pytest.raises(Lost, match="hangs in the kernel"):
            await take(left)
    (worker,) = [thread for thread in threading.enumerate() if thread.name == "camera duct-left"]
    hanging.set()
    await asyncio.to_thread(worker.join)
    frames = await take(left)

    assert (len(frames), stuck.calls) == (1, ["start", "close"])


async def test_a_camera_that_opens_after_nobody_waits_any_more_is_closed(hanging: threading.Event) -> None:
    late = FakeCapture()

    def open_late() -> FakeCapture:
        hanging.wait()
        return late

    with pytest.raises(Lost, match="hangs in the kernel"):
        await take(camera(open_late, limit_s=0.05))
    hanging.set()

    assert await asyncio.to_thread(late.closed.wait, 30)


async def test_a_snapshot_that_is_cancelled_closes_the_camera() -> None:
    streaming = threading.Event()
    capture = FakeCapture(WHOLE, streaming.set)
    waiting = asyncio.create_task(take(camera(capture), 2))
    await asyncio.to_thread(streaming.wait)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert capture.calls == ["start", "stop", "close"]


async def test_a_camera_that_hangs_does_not_hold_up_the_end(hanging: threading.Event) -> None:
    streaming = threading.Event()
    capture = FakeCapture(WHOLE, streaming.set, hanging.wait)
    running = asyncio.create_task(take(camera(capture, limit_s=600), 2))
    await asyncio.to_thread(streaming.wait)

    running.cancel()
    ended, _ = await asyncio.wait([running], timeout=60)

    assert ended == {running}


async def test_what_was_found_is_described_while_open() -> None:
    left = camera(FakeCapture())

    async with left:
        assert left.description == "Fake, 640x480 MJPG, 30/s"
    with pytest.raises(RuntimeError, match="duct-left is used outside of its `async with`"):
        _ = left.description
