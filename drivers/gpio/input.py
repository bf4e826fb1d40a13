"""A line that the board watches: fan contact, button."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.errors import Absent, Lost
from drivers.faults import reported_as
from drivers.gpio.lines import InputLine, LineSettings, OpenChip, Pull, open_chip
from drivers.settings import Duration
from drivers.thread_bound import ThreadBound
from drivers.types import SourceId

WATCH_S = 10.0  # the thread watches this long for a change, then says that there was none
LOOK_LIMIT_S = 5.0  # a look takes microseconds; a line behind USB or I2C may have to wait for its bus


class GpioInputSettings(LineSettings, frozen=True, kw_only=True):
    """A contact to ground by default, with the chip's own pull-up: `active_high` is false, closed is true. `settle`:
    how long a state must last to count, two looks at the line (0.05 s) or more."""

    active_high: bool = False
    pull: Pull = "up"
    settle: Duration = Duration(0.05)


class GpioInput:
    """The line, looked at twenty times a second in a thread of its own; changes reach the loop debounced."""

    def __init__(self, settings: GpioInputSettings, _: Clock, *, open_chip: OpenChip = open_chip) -> None:
        self.source = SourceId(settings.name)
        self._settings = settings
        self._open_chip = open_chip
        self._line = ThreadBound(self.source, f"line {settings.line} of {settings.chip}", self._open)

    async def __aenter__(self) -> Self:
        with reported_as(Absent, self.source):
            await self._line.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._line.close()

    async def states(self) -> AsyncGenerator[bool, None]:
        given_up = threading.Event()
        try:
            with reported_as(Lost, self.source):
                yield await self._line.call(InputLine.now, limit_s=LOOK_LIMIT_S)
                while True:
                    if await self._line.call(InputLine.changed, WATCH_S, given_up, limit_s=WATCH_S + LOOK_LIMIT_S):
                        yield await self._line.call(InputLine.now, limit_s=LOOK_LIMIT_S)
        finally:
            given_up.set()

    def _open(self) -> InputLine:
        it = self._settings
        return InputLine(it, self._open_chip, active_high=it.active_high, pull=it.pull, settle_s=it.settle)
