"""Devices that do what a test scripts: for the board's own protocols, on the board's own clock."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.errors import Absent, DriverError, Lost
from drivers.types import NS_PER_S, Frame, Instant, Reading, SourceId
from tests.builders import frame, reading


class FakeDevice:
    """Opens and closes, and counts both. `absent` while the plug is out."""

    def __init__(self, name: str) -> None:
        self.source = SourceId(name)
        self.absent = False
        self.opened = 0
        self.closed = 0

    async def __aenter__(self) -> Self:
        if self.absent:
            raise Absent(self.source, "not there", remedy="Plug it in.")
        self.opened += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.closed += 1


class FakeSensor(FakeDevice):
    """Answers with the next of a list: a value, or an error that is raised; the last one for ever."""

    def __init__(self, name: str, answers: Sequence[float | DriverError], clock: Clock) -> None:
        super().__init__(name)
        self._answers = list(answers)
        self._clock = clock

    async def read(self) -> Sequence[Reading]:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, DriverError):
            raise answer
        return [reading(answer, source=self.source, taken_s=self._clock.now() / NS_PER_S)]


class FakeInput(FakeDevice):
    """Is in each of the scripted states for a second, and then its line is lost."""

    def __init__(self, name: str, states: Sequence[bool], clock: Clock) -> None:
        super().__init__(name)
        self._states = states
        self._clock = clock

    async def states(self) -> AsyncGenerator[bool, None]:
        for state in self._states:
            yield state
            await self._clock.sleep_until(Instant(self._clock.now() + NS_PER_S))
        raise Lost(self.source, "the line is gone", remedy="Look for it.")


class FakeLight(FakeDevice):
    """Remembers its level, and each level with its moment."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("light")
        self.level = 0.0
        self.history: list[tuple[Instant, float]] = []
        self._clock = clock

    async def set(self, level: float) -> None:
        self.level = level
        self.history.append((self._clock.now(), level))


class FakeCamera(FakeDevice):
    """Delivers a frame every `interval_s` of the duct's time; `payload` tells whether the light was on."""

    def __init__(self, name: str, clock: Clock, light: FakeLight, *, interval_s: float = 0.1) -> None:
        super().__init__(name)
        self.description = "fake"
        self.breaks_after: int | None = None
        self.hangs = False
        self.stops_in_s = 0.0
        self._clock = clock
        self._light = light
        self._interval_ns = round(interval_s * NS_PER_S)

    async def frames(self) -> AsyncGenerator[Frame, None]:
        sequence = 0
        try:
            while True:
                wait_ns = 10**15 if self.hangs else self._interval_ns
                await self._clock.sleep_until(Instant(self._clock.now() + wait_ns))
                if self.breaks_after is not None and sequence >= self.breaks_after:
                    raise Lost(self.source, "unplugged", remedy="Plug it in.")
                lit = b"lit" if self._light.level else b"dark"
                yield frame(self.source, sequence=sequence, payload=lit, taken_s=self._clock.now() / NS_PER_S)
                sequence += 1
        finally:
            if self.stops_in_s:
                await self._clock.sleep_until(Instant(self._clock.now() + round(self.stops_in_s * NS_PER_S)))
