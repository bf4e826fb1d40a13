"""gpiozero's own simulator as the board's pins, with what a USB chip can do in addition: be unplugged."""
# mypy: disallow-subclassing-any=False
# (gpiozero has no types)

from __future__ import annotations

from typing import Any

from gpiozero import PinError
from gpiozero.pins.mock import MockFactory, MockPWMPin


class UnpluggablePin(MockPWMPin):
    def _get_state(self) -> Any:
        self.factory.check()
        return super()._get_state()

    def _set_state(self, value: float) -> None:
        self.factory.check()
        super()._set_state(value)


class Pins(MockFactory):
    """A Raspberry Pi's pins. Its openings and closings are counted by `Board`."""

    def __init__(self) -> None:
        super().__init__(pin_class=UnpluggablePin)
        self.unplugged = False
        self.closed = False

    def check(self) -> None:
        if self.unplugged:
            raise PinError("bad GPIO read")

    def close(self) -> None:
        self.closed = True


class Board:
    """Hands out pins, and remembers which."""

    def __init__(self) -> None:
        self.chips: list[Pins] = []
        self.there = True

    def open_chip(self, _: str) -> Pins:
        if not self.there:
            raise PinError("can not open gpiochip")
        self.chips.append(Pins())
        return self.chips[-1]

    def pin(self, line: int) -> Any:
        return self.chips[-1].pin(line)

    def unplug(self) -> None:
        self.there = False
        self.chips[-1].unplugged = True
