"""The US EPA's NowCast of particulate matter: what a day's mean would be, if the air stayed as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from drivers.types import Instant
from firmware.derived.hourly import Hourly

HOURS = 12
RECENT, NEEDED = 3, 2  # of the last three hours two must be known
LEAST_FACTOR = 0.5


def nowcast_ug_m3(hours: Sequence[float | None]) -> float | None:
    """The weighted mean of hourly means, newest first, of which the first 12 count; None is an hour without one.

    EPA-454/B-24-002, "How the NowCast is calculated". None where too few of the last hours are known.
    """
    known = [(ago, mean) for ago, mean in enumerate(hours[:HOURS]) if mean is not None]
    if sum(ago < RECENT for ago, _ in known) < NEEDED:
        return None
    lowest, highest = min(mean for _, mean in known), max(mean for _, mean in known)
    factor = max(LEAST_FACTOR, lowest / highest) if highest > 0 else 1.0
    return sum(factor**ago * mean for ago, mean in known) / sum(factor**ago for ago, _ in known)


@dataclass(slots=True)
class NowCast:
    """The last 12 hourly means of one concentration, newest first, and the hour under way."""

    hour: Hourly
    past: list[float | None] = field(default_factory=list)

    def feed(self, ug_m3: float, at: Instant) -> bool:
        """Take a concentration of 0 or more. True if an hour is over, and so the NowCast another one."""
        over = self.hour.feed(ug_m3, at, at_most=HOURS)
        self.past = [*reversed(over), *self.past][:HOURS]
        return bool(over)

    @property
    def value(self) -> float | None:
        return nowcast_ug_m3(self.past)
