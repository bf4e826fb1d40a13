"""gpiozero's own simulator as the board's pins, with what a USB chip can do in addition: be unplugged."""
# mypy: disallow-subclassing-any=False
# (gpiozero has no types)

from __future__ import annotations

from typing import Any

from gpiozero import PinError
from gpiozero.pins.mock import MockFactory, MockPWMPin

from drivers.faults import Fault


class UnpluggablePin(MockPWMPin):
    def _get_state(self) -> Any:
        self.factory.check()
        return super()._get_state()

    def _set_state(self, value: float) -> None:
        self.factory.check()
        super()._set_state(value)


class Pins(MockFactory):
    """A Raspberry Pi's pins."""

    def __init__(self) -> None:
        super().__init__(pin_class=UnpluggablePin)
        self.unplugged = False

    def check(self) -> None:
        if self.unplugged:
            raise PinError("bad GPIO read")


class Board:
    """Hands out the pins of its one chip while it is there; plugged in again, these are others."""

    def __init__(self) -> None:
        self._pins: Pins | None = Pins()

    def open_chip(self, chip: str) -> Pins:
        if self._pins is None:
            raise Fault(f"there is no GPIO chip {chip}", "Connect it.")
        return self._pins

    def pin(self, line: int) -> Any:
        return self.open_chip("").pin(line)

    def unplug(self) -> None:
        assert self._pins is not None
        self._pins.unplugged = True
        self._pins = None

    def plug(self) -> None:
        self._pins = Pins()
