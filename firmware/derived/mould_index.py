"""The mould index of Hukka and Viitanen (1999) for pine sapwood, 0 to 6: advisory, for no duct is made of pine.

A. Hukka, H. A. Viitanen, "A mathematical model of mould growth on wooden material", Wood Science and Technology 33,
475-485, doi 10.1007/s002260050131. 1: seen under a microscope; 3: seen by eye; 6: covers the surface.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from drivers.types import Instant
from firmware.derived.hourly import Hourly

HIGHEST = 6.0
GROWS_CEL = (0.0, 50.0)
H_PER_DAY, H_PER_WEEK = 24.0, 168.0
NEVER_H = 1e6


def critical_percent(temperature_cel: float) -> float:
    """The humidity from which on mould grows, at 0 to 50 Cel."""
    if temperature_cel > 20:
        return 80.0
    t = temperature_cel
    return -0.00267 * t**3 + 0.160 * t**2 - 3.13 * t + 100.0


def grows(temperature_cel: float, humidity_percent: float) -> bool:
    lowest, highest = GROWS_CEL
    return lowest < temperature_cel < highest and critical_percent(temperature_cel) <= humidity_percent


def change_in_an_hour(index: float, temperature_cel: float, humidity_percent: float, dry_h: float) -> float:
    """What an hour adds to the index; `dry_h` is for how many hours before it nothing grew."""
    if grows(temperature_cel, humidity_percent):
        return _growth(index, temperature_cel, min(100.0, humidity_percent))
    return _decline_per_day(dry_h) / H_PER_DAY


def _growth(index: float, temperature_cel: float, humidity: float) -> float:
    """For sawn pine: species W = 0, surface SQ = 0."""
    ln_t, ln_h = math.log(temperature_cel), math.log(humidity)
    weeks_to_1 = math.exp(-0.68 * ln_t - 13.9 * ln_h + 66.02)
    weeks_to_3 = math.exp(-0.74 * ln_t - 12.72 * ln_h + 61.50)
    critical = critical_percent(temperature_cel)
    excess = (humidity - critical) / (100.0 - critical) if critical < 100 else 0.0
    most = 1.0 + 7.0 * excess - 2.0 * excess**2
    pace = 1.0 if index < 1 else 2.0 / (weeks_to_3 / weeks_to_1 - 1.0)
    slowed = max(0.0, 1.0 - math.exp(2.3 * (index - most)))
    return pace * slowed / (weeks_to_1 * H_PER_WEEK)


def _decline_per_day(dry_h: float) -> float:
    if dry_h < 6:
        return -0.032
    return 0.0 if dry_h < 24 else -0.016


@dataclass(slots=True)
class Mould:
    """The index so far. An hour of which too little is known changes nothing.

    Raises ValueError for a state that cannot be.
    """

    temperature: Hourly
    humidity: Hourly
    index: float = 0.0
    dry_h: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.index <= HIGHEST or self.dry_h < 0:
            raise ValueError("an index that no feeding leads to")

    def feed(self, temperature_cel: float, humidity_percent: float, at: Instant) -> bool:
        """Take the air at one moment. True if an hour is over and was known."""
        (temperature,) = self.temperature.feed(temperature_cel, at, at_most=1) or (None,)
        (humidity,) = self.humidity.feed(humidity_percent, at, at_most=1) or (None,)
        if temperature is None or humidity is None:
            return False
        change = change_in_an_hour(self.index, temperature, humidity, self.dry_h)
        self.dry_h = 0.0 if grows(temperature, humidity) else min(NEVER_H, self.dry_h + 1)
        self.index = min(HIGHEST, max(0.0, self.index + change))
        return True

    def moved(self, by_ns: int) -> None:
        """Go on on a clock that shows `by_ns` more."""
        self.temperature.moved(by_ns)
        self.humidity.moved(by_ns)
