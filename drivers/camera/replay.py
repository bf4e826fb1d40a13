"""A camera that replays recorded pictures: a folder of JPEG files, or a Motion-JPEG video file."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from drivers.camera.negotiate import Size
from drivers.camera.recordings import Recorded, Recording, Unusable, open_recording
from drivers.clock import Clock, MonotonicClock
from drivers.errors import Absent, BadData, Lost
from drivers.settings import Settings
from drivers.types import NS_PER_S, Frame, Instant, PixelFormat, SourceId
from drivers.worker import Stuck, Worker

READ_LIMIT_S = 5.0  # one picture, also from a slow card or a network share
BAD_IN_A_ROW = 10  # damaged files until the folder counts as damaged

T = TypeVar("T")


class ReplaySettings(Settings, frozen=True, kw_only=True):
    """Where the pictures are, and how fast they come."""

    driver: str = "replay"
    path: Path  # a folder with .jpg files, shown in the order of their names, or a Motion-JPEG file
    rate: float = 1.0  # frames a second
    loop: bool = True  # begin anew at the end; otherwise the camera is lost then

    def __post_init__(self) -> None:
        if not 0.001 <= self.rate <= 240:
            raise ValueError(f"rate {self.rate} must be from 0.001 to 240 frames a second")


class ReplayCamera:
    """`drivers.protocol.Camera` on recorded pictures.

    Each opening goes on where the last one ended, and every picture is handed out in turn however slowly they are
    fetched, so that a replay is the same each time. Damaged pictures are left out and counted in `corrupt`.
    """

    def __init__(self, settings: ReplaySettings, clock: Clock, *, read_limit_s: float = READ_LIMIT_S) -> None:
        self.corrupt = 0
        self._read_limit_s = read_limit_s
        self._worker: Worker | None = None  # of the last opening: while it hangs, there is no other
        self._settings = settings
        self._clock = clock
        self._interval_ns = round(NS_PER_S / settings.rate)
        self._position = 0
        self._sequence = 0
        self._opened: tuple[Worker, Recording] | None = None

    @property
    def source(self) -> SourceId:
        return SourceId(self._settings.name)

    @property
    def description(self) -> str:
        _, recording = self._session()
        return f"{recording.description}, {self._settings.rate:g}/s"

    async def __aenter__(self) -> Self:
        if self._worker is not None and self._worker.stuck:
            raise Lost(self.source, "reading still hangs", remedy=f"Check the disk that holds {self._settings.path}")
        worker = self._worker = Worker(f"camera {self.source}")
        try:
            recording = await self._ask(worker, open_recording, self._settings.path)
        except Unusable as error:
            worker.close()
            raise Absent(self.source, str(error), remedy=error.remedy) from error
        except BaseException:
            worker.close()
            raise
        self._opened = worker, recording
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        worker, recording = self._session()
        self._opened = None
        with suppress(Lost):  # of a disk that fails while it is left, nobody wants to hear
            await self._ask(worker, recording.close)
        worker.close()

    async def frames(self) -> AsyncGenerator[Frame, None]:
        due = self._clock.now()
        while True:
            data, size = await self._next_whole()
            await self._clock.sleep_until(due)
            yield self._frame(data, size)
            due = Instant(max(due + self._interval_ns, self._clock.now()))

    async def _next_whole(self) -> tuple[bytes, Size]:
        damaged = 0
        while damaged < BAD_IN_A_ROW:
            recorded = await self._next()
            self._position = recorded.next_position
            if recorded.picture is not None:
                return recorded.picture
            self.corrupt += 1
            damaged += 1
        problem = f"{damaged} damaged pictures in a row, the last one {recorded.name}"
        raise BadData(self.source, problem, remedy="Look at the files with an image viewer")

    async def _next(self) -> Recorded:
        worker, recording = self._session()
        recorded = await self._ask(worker, recording.read, self._position)
        if recorded is None and self._settings.loop:
            recorded = await self._ask(worker, recording.read, 0)
        if recorded is None:
            problem = f"the recording ended after {self._sequence} pictures"
            raise Lost(self.source, problem, remedy="Set loop = true to have it begin anew")
        return recorded

    def _frame(self, data: bytes, size: Size) -> Frame:
        now = self._clock.now()
        self._sequence += 1
        return Frame(
            source=self.source,
            sequence=self._sequence,
            payload=memoryview(data),
            pixel_format=PixelFormat.MJPEG,
            width=size.width,
            height=size.height,
            captured_ns=now if isinstance(self._clock, MonotonicClock) else time.monotonic_ns(),
            at=now,
        )

    def _session(self) -> tuple[Worker, Recording]:
        if self._opened is None:
            raise RuntimeError(f"{self.source} is used outside of its `async with`")
        return self._opened

    async def _ask(self, worker: Worker, call: Callable[..., T], *arguments: Any) -> T:
        remedy = f"Check the disk that holds {self._settings.path}"
        try:
            return await worker.run(call, *arguments, limit_s=self._read_limit_s)
        except Stuck as error:
            raise Lost(self.source, f"no picture read within {self._read_limit_s:g} s", remedy=remedy) from error
        except OSError as error:
            raise Lost(self.source, f"reading failed: {error.strerror}", remedy=remedy) from error
