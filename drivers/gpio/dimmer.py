"""PWM on a line, made in software by a thread of lgpio's, which is imported for the first line that is dimmed."""

from __future__ import annotations

import contextlib
import functools
import sys
import tempfile
import threading
from typing import Any

from drivers.faults import Fault

MAX_HZ = 10_000.0  # lgpio's highest


class Dimmer:
    """A line that is low until it is `set`. For chips of the board itself: behind USB or I2C PWM is of no use.

    Raises `Fault` where lgpio is not there, OSError where the line cannot be had.
    """

    def __init__(self, chip: int, line: int, frequency_hz: float) -> None:
        self.frequency_hz = frequency_hz
        self.part = 0.0
        self._lgpio = imported()
        self._line = line
        with self._errors():
            self._handle = _chip(chip)
            self._lgpio.gpio_claim_output(self._handle, line, 0)

    def set(self, part: float) -> None:
        """How much of the time the line is high, 0..1."""
        self.part = part
        with self._errors():
            self._lgpio.tx_pwm(self._handle, self._line, self.frequency_hz, part * 100)

    def close(self) -> None:
        with self._errors():
            self._lgpio.tx_pwm(self._handle, self._line, 0, 0)
            self._lgpio.gpio_free(self._handle, self._line)

    @contextlib.contextmanager
    def _errors(self) -> Any:
        try:
            yield
        except self._lgpio.error as error:
            raise OSError(str(error).strip("'")) from error  # they come in quotes


@functools.cache
def _chip(number: int) -> int:
    """Stays open: closing takes lgpio 0.1 s, during which it holds the interpreter and with it the firmware."""
    return int(imported().gpiochip_open(number))


_importing = threading.Lock()  # lines open at the same time, each in its thread, and the directory is the process's


def imported() -> Any:
    """The library. Importing it makes a pipe `.lgd-nfy0` in the current directory, which may be read-only, or where
    another program of ours overwrites it. It is needed until the import has opened it, and no longer."""
    try:
        with _importing:
            if "lgpio" not in sys.modules:
                with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
                    import lgpio  # noqa: F401
            library = sys.modules["lgpio"]
            library.gpiochip_open  # noqa: B018  # PyPI's placeholder for 3.13 is an empty module
            return library
    except (ImportError, AttributeError, OSError) as error:
        raise Fault(
            f"pwm_hz needs the library lgpio, which is not usable ({error})",
            "apt install python3-lgpio, and make the environment with: python3 -m venv --system-site-packages. "
            "Or do without pwm_hz: the line is then on or off.",
        ) from error
