"""A camera that streams: opens it, lets exposure settle, hands out the newest whole frame, and never waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from drivers.camera import faults
from drivers.camera.capture import Capture, Stream, Taken
from drivers.camera.identity import NotThere
from drivers.camera.integrity import Corrupt
from drivers.camera.negotiate import NoMatch
from drivers.clock import Clock, MonotonicClock
from drivers.errors import Absent, BadData, DriverError, Lost
from drivers.types import Frame, Instant, SourceId
from drivers.worker import Stuck, Worker

ANSWER_LIMIT_S = 6.0  # a control transfer times out after 5 s (uvcvideo.h, UVC_CTRL_CONTROL_TIMEOUT): hear its error
IMPORT_S = 9.0  # the first opening imports linuxpy: 0.1 s on a PC, seconds from a cold, slow card
STOP_LIMIT_S = 0.5  # the light stays on meanwhile, and the firmware must end within 2 s: what takes longer goes on
CLOSE_LIMIT_S = 0.5  # ... without us, and the camera cannot be opened again before it is done
POLL_S = 0.1  # longest wait in the worker thread: so long may a stream that is no longer wanted occupy it
BAD_IN_A_ROW = 10  # corrupt frames until the camera counts as ill: at 15/s less than a second

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a good frame and for each call, and what to discard first while exposure settles."""

    frame_timeout_s: float
    warm_up_frames: int
    warm_up_limit_s: float
    answer_limit_s: float = ANSWER_LIMIT_S
    open_limit_s: float = ANSWER_LIMIT_S + IMPORT_S


class LiveCamera:
    """`drivers.protocol.Camera` on a `Capture`. Each opening finds and opens the device anew.

    A call that hangs in the kernel ends in `Lost`; so does every opening until it has come back.
    """

    def __init__(
        self, source: SourceId, where: str, open_capture: Callable[[], Capture], patience: Patience, clock: Clock
    ) -> None:
        self.corrupt = 0  # frames since the start that were not handed out because they were damaged
        self.skipped = 0  # good ones that nobody fetched in time
        self._source = source
        self._where = where
        self._open_capture = open_capture
        self._patience = patience
        self._clock = clock
        self._session: _Session | None = None

    @property
    def source(self) -> SourceId:
        return self._source

    @property
    def description(self) -> str:
        return self._opened().stream.description

    async def __aenter__(self) -> Self:
        if self._session is not None and self._session.hangs:
            raise faults.hung(self._source, self._patience.answer_limit_s)
        self._session = _Session(f"camera {self._source}")
        try:
            await self._session.open(self._open_capture, self._patience.open_limit_s)
        except BaseException as error:
            await self._session.leave()
            if (fault := self._opening_fault(error)) is not None:
                raise fault from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.leave()

    async def frames(self) -> AsyncGenerator[Frame, None]:
        capture = self._opened()
        await self._ask(capture.start)
        try:
            heard_s = await self._warm_up(capture)
            while True:
                yield await self._next(capture, heard_s)
                heard_s = asyncio.get_running_loop().time()
        finally:
            with suppress(DriverError):  # whatever is wrong was said, or will be at the next opening
                await self._ask(capture.stop, limit_s=STOP_LIMIT_S)

    async def _warm_up(self, capture: Capture) -> float:
        """Let exposure settle; the loop's time at which the last picture came, or else of the start."""
        loop = asyncio.get_running_loop()
        heard_s = loop.time()
        limit_s = heard_s + self._patience.warm_up_limit_s
        discarded = 0
        while discarded < self._patience.warm_up_frames and loop.time() < limit_s:
            if count := await self._ask(capture.discard, POLL_S):
                heard_s = loop.time()
                discarded += count
        return heard_s

    async def _next(self, capture: Capture, heard_s: float) -> Frame:
        """The next whole frame. Raises `BadData` if those that come are damaged, `Lost` if none come."""
        loop = asyncio.get_running_loop()
        limit_s = heard_s + self._patience.frame_timeout_s
        damage: list[str] = []
        while len(damage) < BAD_IN_A_ROW and loop.time() < limit_s:
            taken = await self._ask(capture.newest, POLL_S)
            if taken is None:
                continue
            self.skipped += taken.skipped
            try:
                return self._frame(taken, taken.whole(capture.stream), capture.stream)
            except Corrupt as error:
                self.corrupt += 1
                damage.append(str(error))
        if damage:
            problem = f"{len(damage)} damaged pictures in a row, the last one {damage[-1]}"
            raise BadData(self._source, problem, remedy="Use a shorter cable, another port or a lower rate")
        problem = f"no picture within {self._patience.frame_timeout_s:g} s"
        raise Lost(self._source, problem, remedy=faults.CABLE)

    def _frame(self, taken: Taken, payload: memoryview, stream: Stream) -> Frame:
        on_monotonic = isinstance(self._clock, MonotonicClock)
        return Frame(
            source=self._source,
            sequence=taken.sequence,
            payload=payload,
            pixel_format=stream.pixel_format,
            width=stream.size.width,
            height=stream.size.height,
            captured_ns=taken.captured_ns,
            at=Instant(taken.captured_ns) if on_monotonic else self._clock.now(),
        )

    def _opened(self) -> Capture:
        if self._session is None or self._session.capture is None:
            raise RuntimeError(f"{self._source} is used outside of its `async with`")
        return self._session.capture

    async def _ask(self, call: Callable[..., T], *arguments: Any, limit_s: float | None = None) -> T:
        assert self._session is not None
        limit_s = self._patience.answer_limit_s if limit_s is None else limit_s
        try:
            return await self._session.run(call, *arguments, limit_s=limit_s)
        except Stuck as error:
            raise faults.hung(self._source, limit_s) from error
        except OSError as error:
            raise faults.while_streaming(self._source, self._where, error) from error

    def _opening_fault(self, error: BaseException) -> DriverError | None:
        match error:
            case Stuck():
                return faults.hung(self._source, self._patience.open_limit_s)
            case OSError():
                return faults.at_opening(self._source, self._where, error)
            case NotThere():
                return Absent(self._source, str(error), remedy=faults.CABLE)
            case NoMatch():
                return Absent(self._source, str(error), remedy="Set `formats` to what it offers, or use another camera")
        return None


class _Session:
    """One opening: its thread, and the capture that lives in it and is closed at its end, however late that comes."""

    def __init__(self, name: str) -> None:
        self.capture: Capture | None = None
        self._worker = Worker(name, on_end=self._close)

    @property
    def hangs(self) -> bool:
        return self._worker.stuck

    async def open(self, open_capture: Callable[[], Capture], limit_s: float) -> None:
        def opened() -> None:
            self.capture = open_capture()

        await self.run(opened, limit_s=limit_s)

    async def run(self, call: Callable[..., T], *arguments: Any, limit_s: float) -> T:
        return await self._worker.run(call, *arguments, limit_s=limit_s)

    async def leave(self) -> None:
        """Close the capture; if a call hangs, as soon as that comes back."""
        try:
            with suppress(Stuck):
                await self._worker.run(self._close, limit_s=CLOSE_LIMIT_S)
        finally:
            self._worker.close()

    def _close(self) -> None:
        if self.capture is not None:
            self.capture.close()
            self.capture = None
