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
    Quantity.CLEANING,
    Quantity.BUDGET_MISSED,
}
"""Quantities from 0 to 1."""

BOTH_WAYS = {
    Quantity.DIFFERENTIAL_PRESSURE,
    Quantity.CONDENSATION_MARGIN,
    Quantity.FILTER_LOAD,  # beyond 100 % it is overdue, below 0 % too little air flows
    Quantity.DIRT_RATE,
}
"""Quantities that can be any number."""


def range_of(measured: Quantity) -> tuple[float, float]:
    """The least and the most that it can be, both included."""
    if measured in SHARES:
        return 0.0, 1.0
    if measured in BOTH_WAYS:
        return -math.inf, math.inf
    return RANGE_OF_UNIT.get(measured.unit, (0.0, math.inf))
