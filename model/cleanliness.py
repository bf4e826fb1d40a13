"""Which cleanliness quality class of EN 15780 a duct meets, as far as an estimate of its deposit tells."""

from __future__ import annotations

from typing import NamedTuple

from model.types import Cleanliness, Degree


class Limits(NamedTuple):
    """For each class the deposit in g/m2 that it must stay below, best class first: rising."""

    high: float
    medium: float
    low: float


SUPPLY_DUCTS = Limits(high=0.6, medium=3.0, low=4.5)  # EN 15780:2011; from a secondary source


def classes(degree: Degree, limits: Limits) -> tuple[Cleanliness, ...]:
    """All classes that the interval leaves open, best first: one alone if no limit is within it."""
    best, worst = (sum(g_m2 >= limit for limit in limits) for g_m2 in (degree.low_g_m2, degree.high_g_m2))
    return tuple(Cleanliness)[best : worst + 1]
