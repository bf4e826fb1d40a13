from __future__ import annotations

import pytest

from drivers.faults import Fault
from drivers.gpio.lines import drive, open_chip


@pytest.mark.parametrize(
    ("level", "active_high", "pwm_hz", "expected"),
    [
        (0.0, True, 0.0, (None, 0.0)),
        (1.0, True, 0.0, (None, 1.0)),
        (0.7, True, 0.0, (None, 1.0)),
        (0.7, False, 0.0, (None, 0.0)),
        (0.0, False, 100.0, (None, 1.0)),
        (1.0, False, 100.0, (None, 0.0)),
        (0.25, True, 100.0, (100.0, 0.25)),
        (0.25, False, 100.0, (100.0, 0.75)),
    ],
    ids=["off", "on", "nearer on", "on when low", "off, pwm", "on, pwm", "dimmed", "dimmed when low"],
)
def test_what_goes_onto_the_wire(
    level: float, active_high: bool, pwm_hz: float, expected: tuple[float | None, float]
) -> None:
    assert drive(level, active_high=active_high, pwm_hz=pwm_hz) == expected


@pytest.mark.real
@pytest.mark.parametrize("chip", ["/dev/gpiochip99", "pinctrl-nowhere", "/dev/null"])
def test_a_chip_that_is_not_there_is_refused_and_those_that_are_there_are_listed(chip: str) -> None:
    with pytest.raises(Fault, match=rf"there is no GPIO chip {chip}\. (Set chip to one of|Connect it)"):
        open_chip(chip)
