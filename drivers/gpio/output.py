"""A line that the board drives: light, relay, buzzer."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.errors import Absent, Lost
from drivers.faults import Fault, reported_as
from drivers.gpio.dimmer import MAX_HZ
from drivers.gpio.lines import LineSettings, OpenChip, OutputLine, open_chip
from drivers.thread_bound import ThreadBound
from drivers.types import SourceId

SET_LIMIT_S = 1.0  # a processor's own line takes microseconds, one behind USB or I2C milliseconds


class GpioOutputSettings(LineSettings, frozen=True, kw_only=True):
    """`active_high`: whether high is on. `pwm_hz`: 0 for a line that is on or off; for a light some hundred, well above
    the cameras' frame rate, and only on a chip of the board itself. `safe_on`: the state before anybody sets one, and
    on every exit."""

    active_high: bool = True
    pwm_hz: float = 0.0
    safe_on: bool = False

    def __post_init__(self) -> None:
        if self.pwm_hz and not 0.1 <= self.pwm_hz <= MAX_HZ:
            raise ValueError(f"pwm_hz is 0 for none, or from 0.1 to {MAX_HZ:g}")


class GpioOutput:
    """The line goes to its safe state when it is opened and whenever it is left: by error, by cancellation, by the end.

    It is driven there as long as the process lives. When that ends, or is killed, the kernel lets go of the line, and
    what it does then is up to the GPIO controller: fit the resistor that pulls it to the safe side.
    """

    def __init__(self, settings: GpioOutputSettings, _: Clock, *, open_chip: OpenChip = open_chip) -> None:
        self.source = SourceId(settings.name)
        self._settings = settings
        self._safe = float(settings.safe_on)
        self._open_chip = open_chip
        self._line = ThreadBound(self.source, f"line {settings.line} of {settings.chip}", self._open, self._make_safe)

    async def __aenter__(self) -> Self:
        with reported_as(Absent, self.source):
            await self._line.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._line.close()

    async def set(self, level: float) -> None:
        """Raises ValueError for a level that is not from 0.0 to 1.0."""
        if not 0.0 <= level <= 1.0:
            raise ValueError(f"a level is from 0.0 to 1.0, not {level}")
        with reported_as(Lost, self.source):
            await self._line.call(OutputLine.set, level, limit_s=SET_LIMIT_S)

    def _open(self) -> OutputLine:
        it = self._settings
        return OutputLine(it, self._open_chip, active_high=it.active_high, pwm_hz=it.pwm_hz, on=it.safe_on)

    def _make_safe(self, line: OutputLine) -> None:
        try:
            line.set(self._safe)
        except Fault:
            return  # the chip has gone, and with it the line
