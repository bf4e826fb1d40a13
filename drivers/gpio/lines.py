"""Lines of a GPIO chip, through gpiozero's pins.

What drives and watches lines works with any pin factory of gpiozero: a board's is `drivers.gpio.chips.ChipFactory`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Literal, Protocol

from drivers.faults import Fault
from drivers.settings import Settings

Pull = Literal["up", "down", "floating"]

POLL_S = 0.05  # between two looks at an input, which cost 0.2 % of a core; a finger stays on a button for 0.1 s


class Pin(Protocol):
    """What is used of `gpiozero.Pin`. `state` is 0..1, high or low on the wire; a part of it while PWM runs."""

    state: float
    frequency: float | None

    def output_with_state(self, state: float) -> None: ...

    def input_with_pull(self, pull: str) -> None: ...


class Factory(Protocol):
    """What is used of `gpiozero.pins.Factory`."""

    def pin(self, name: int | str) -> Pin: ...


OpenChip = Callable[[str], Factory]


def open_chip(chip: str) -> Factory:
    """The chip with this file or label; opened once and then kept open until the process ends. Raises `Fault`."""
    from drivers.gpio import chips  # with gpiozero, 20 MB: only where a line is wired

    factory: Factory = chips.open_chip(chip)
    return factory


class LineSettings(Settings, frozen=True, kw_only=True):
    """`chip` is a file, /dev/gpiochip0, or better a label as `gpioinfo` or `gpiodetect` show it: numbers may change.
    `line` is a number on this chip, or the name of one of its lines."""

    line: int | str
    chip: str = "/dev/gpiochip0"

    def claims(self) -> tuple[str, ...]:
        return (f"{self.chip} line {self.line}",)


@contextlib.contextmanager
def watched(line: int | str, chip: str) -> Iterator[None]:
    """Turn what the libraries raise inside into a `Fault`."""
    try:
        yield
    except _library_errors() as error:
        said = getattr(error, "strerror", None) or str(error)
        raise Fault(
            f"line {line} of {chip}: {said}",
            "Check both with gpioinfo; if a driver of the kernel or another program uses this line, take another.",
        ) from error


@contextlib.contextmanager
def in_use(at: LineSettings, open_chip: OpenChip) -> Iterator[None]:
    """`watched` for a line that was opened: where the whole chip has gone, say that, as opening it again would."""
    try:
        with watched(at.line, at.chip):
            yield
    except Fault:
        with watched(at.line, at.chip):
            open_chip(at.chip)
        raise


class OutputLine:
    """A line that the board drives, from construction on, and never the wrong way in between.

    Methods block for microseconds, or milliseconds behind USB or I2C, and raise `Fault`.
    """

    def __init__(self, at: LineSettings, open_chip: OpenChip, *, active_high: bool, pwm_hz: float, on: bool) -> None:
        self._at = at
        self._open_chip = open_chip
        self._active_high = active_high
        self._pwm_hz = pwm_hz
        with watched(at.line, at.chip):
            self._pin = open_chip(at.chip).pin(at.line)
            self._pin.output_with_state(float(on == active_high))

    def set(self, level: float) -> None:
        """From 0.0, off, to 1.0, on; in between with a `pwm_hz` above 0, else the nearer of the two."""
        frequency_hz, state = drive(level, active_high=self._active_high, pwm_hz=self._pwm_hz)
        with in_use(self._at, self._open_chip):
            if self._pin.frequency != frequency_hz:
                self._pin.frequency = frequency_hz
            self._pin.state = state


def drive(level: float, *, active_high: bool, pwm_hz: float) -> tuple[float | None, float]:
    """PWM frequency, or None for a steady line, and the state on the wire. Fully on and fully off are steady: PWM is
    made in software, which costs time and lets a light flicker."""
    if pwm_hz == 0 or level in (0.0, 1.0):
        return None, float((level >= 0.5) == active_high)
    return pwm_hz, level if active_high else 1.0 - level


class Debounce:
    """Follows a contact, but not its bouncing: a state counts once it has been seen for `settle_s` without a break."""

    def __init__(self, state: bool, settle_s: float) -> None:
        self.state = state
        self._settle_s = settle_s
        self._since_s: float | None = None

    def feed(self, seen: bool, now_s: float) -> bool:
        """Whether `state` has changed with this look at the line."""
        if seen is self.state:
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s < self._settle_s:
            return False
        self.state = seen
        self._since_s = None
        return True


class InputLine:
    """A line that the board watches. Methods block and raise `Fault`.

    It is looked at every `POLL_S`. Edge events would be the alternative, but lines of chips without interrupts have
    none, and they do not tell when a chip goes.
    """

    def __init__(
        self, at: LineSettings, open_chip: OpenChip, *, active_high: bool, pull: Pull, settle_s: float
    ) -> None:
        self._at = at
        self._open_chip = open_chip
        self._active_high = active_high
        with watched(at.line, at.chip):
            self._pin = open_chip(at.chip).pin(at.line)
            self._pin.input_with_pull(pull)
        self._contact = Debounce(self._look(), settle_s)

    def now(self) -> bool:
        return self._contact.state

    def changed(self, within_s: float, given_up: threading.Event) -> bool:
        """Wait for a change, and return whether one came before `within_s` were over or the caller gave up."""
        end_s = time.monotonic() + within_s
        while not given_up.is_set() and (now_s := time.monotonic()) < end_s:
            if self._contact.feed(self._look(), now_s):
                return True
            given_up.wait(POLL_S)
        return False

    def _look(self) -> bool:
        with in_use(self._at, self._open_chip):
            return bool(self._pin.state) == self._active_high


def _library_errors() -> tuple[type[Exception], ...]:
    from gpiozero import GPIOZeroError

    return (GPIOZeroError, OSError)
