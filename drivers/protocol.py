"""What a device must be able to do. These texts are the reference for whoever writes a driver."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from types import TracebackType
from typing import Protocol, Self

from drivers.types import Frame, Reading, SourceId


class Device(Protocol):
    """Something on the board, opened by `async with` and closed at its end, as often as one likes.

    `__aenter__` raises `Absent` if the device is not there. It must not block the event loop:
    whatever may block runs in the device's own `drivers.worker.Worker`.
    """

    @property
    def source(self) -> SourceId: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Sensor(Device, Protocol):
    """A device that is asked for readings.

    `read` returns within a bounded time or raises: `Lost` if the device no longer answers,
    `BadData` if the answer cannot be right. It never returns an old value as a new one.
    """

    async def read(self) -> Sequence[Reading]: ...


class Camera(Device, Protocol):
    """A device that delivers frames from the moment they are asked for until the generator is closed.

    Use it as `async with aclosing(camera.frames()) as frames`. The newest frame is handed out; what nobody
    fetched in time is dropped by the driver. Raises `Lost` if no frame comes within a bounded time.
    A frame that is short or corrupt is not handed out; too many in a row raise `BadData`.
    """

    @property
    def description(self) -> str:
        """What was found and chosen, for people: `UVC HD Camera, 1280x720 MJPG, 30/s`. Valid while open."""

    def frames(self) -> AsyncGenerator[Frame, None]: ...


class Output(Device, Protocol):
    """A line that the board drives: light, relay, buzzer. On exit it goes to its configured safe state."""

    async def set(self, level: float) -> None:
        """Drive the line: 0.0 is off, 1.0 is fully on; a line without PWM is on from 0.5."""


class Input(Device, Protocol):
    """A line that the board watches: fan contact, button.

    `states` yields the present state first and then each change, debounced.
    """

    def states(self) -> AsyncGenerator[bool, None]: ...
