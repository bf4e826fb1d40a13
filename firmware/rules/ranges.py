"""Which values a quantity can have: a limit beyond them is a mistake."""

from __future__ import annotations

import math

from drivers.types import Quantity

RANGE_OF_UNIT = {"Cel": (-273.15, math.inf), "%": (0.0, 100.0), "%RH": (0.0, 100.0)}
SHARES = {
    Quantity.FAN_RUNNING,
    Quantity.CLOCK_SYNCHRONISED,
    Quantity.ALIVE,
    Quantity.DIRTY_SCORE,
    Quantity.BLIND,
    Quantity.MOVED,
    Quantity.DISAGREE,
    Quantity.BUDGET_MISSED,
}
"""Quantities from 0 to 1."""


def range_of(measured: Quantity) -> tuple[float, float]:
    """The least and the most that it can be, both included."""
    if measured in SHARES:
        return 0.0, 1.0
    return RANGE_OF_UNIT.get(measured.unit, (0.0, math.inf))
