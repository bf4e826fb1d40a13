"""How fast a duct gets dirty, and when it will no longer meet its class: from estimates, so estimated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from drivers.types import NS_PER_S, Instant

DAY_NS = 86_400 * NS_PER_S
DAYS = 30  # that are remembered
NEEDED = 7  # of them must be known
TODAY_AT_MOST = 256  # values of the day under way; beyond it every second one is given up
NORMAL_95 = 1.645  # 90 % two-sided
MOST_DAYS = 3650.0  # ten years: longer than anybody plans, or never


@dataclass(frozen=True, slots=True)
class Forecast:
    """`rate` in g/m2 a day. Days from the last known day to the limit, with a 90 % interval; MOST_DAYS may be never."""

    rate: float
    days: float
    days_low: float
    days_high: float


def forecast(days: Sequence[float | None], limit_g_m2: float) -> Forecast | None:
    """From the medians of days, newest first, of which None is unknown. None where fewer than 7 are known.

    Theil and Sen: the rate is the median of the slopes between any two days. Its interval is Sen's of 1968, by
    Kendall's variance (Gilbert 1987, "Statistical Methods for Environmental Pollution Monitoring", 16.4).
    """
    points = [(-float(ago), level) for ago, level in enumerate(days[:DAYS]) if level is not None]
    if len(points) < NEEDED:
        return None
    pairs = ((one, other) for n, one in enumerate(points) for other in points[n + 1 :])
    slopes = sorted((one[1] - other[1]) / (one[0] - other[0]) for one, other in pairs)
    rate = median(slopes)
    n = len(points)
    off = NORMAL_95 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    slowest = slopes[max(0, math.floor((len(slopes) - off) / 2) - 1)]
    fastest = slopes[min(len(slopes) - 1, math.ceil((len(slopes) + off) / 2))]
    newest = points[0][0]
    level = median(level - rate * (day - newest) for day, level in points)
    return Forecast(rate, *(days_to(limit_g_m2, level, slope) for slope in (rate, fastest, slowest)))


def days_to(limit_g_m2: float, level_g_m2: float, rate: float) -> float:
    """0 beyond the limit; MOST_DAYS may be never. `rate` is in g/m2 a day."""
    left = limit_g_m2 - level_g_m2
    if left <= 0:
        return 0.0
    return min(MOST_DAYS, left / rate) if rate > 0 else MOST_DAYS


@dataclass(slots=True)
class DirtRate:
    """The medians of the last 30 days of one camera, newest first, and the values of the day under way.

    Days are counted from the first value on. Values that come so often that a day has more than 256 are thinned out
    evenly: of a day with 288 snapshots every second one is kept. Raises ValueError for a state that cannot be.
    """

    began: Instant
    past: list[float | None] = field(default_factory=list)
    today: list[float] = field(default_factory=list)
    every: int = 1  # how many values one in `today` stands for
    passed: int = 0

    def __post_init__(self) -> None:
        if self.every < 1 or len(self.today) > TODAY_AT_MOST:
            raise ValueError("a day that no feeding leads to")

    def feed(self, g_m2: float, at: Instant) -> bool:
        """Take an estimate. True if a day is over."""
        days = max(0, at - self.began) // DAY_NS
        if days:
            over = [median(self.today) if self.today else None, *[None] * (min(days, DAYS) - 1)]
            self.past = [*reversed(over), *self.past][:DAYS]
            if was_cleaned(self.past):
                self.past = self.past[:CLEAN_DAYS]
            self.began = Instant(self.began + days * DAY_NS)
            self.today, self.every, self.passed = [], 1, 0
        self._take(g_m2)
        return bool(days)

    def moved(self, by_ns: int) -> None:
        """Go on on a clock that shows `by_ns` more."""
        self.began = Instant(self.began + by_ns)

    def _take(self, g_m2: float) -> None:
        self.passed += 1
        if self.passed % self.every:
            return
        self.today.append(g_m2)
        if len(self.today) > TODAY_AT_MOST:
            self.today = self.today[::2]
            self.every *= 2


CLEAN_DAYS = 2


def was_cleaned(days: Sequence[float | None]) -> bool:
    """A duct does not clean itself: two days in a row with less than half of what was usual before mean that it was."""
    last = [level for level in days[:CLEAN_DAYS] if level is not None]
    before = [level for level in days[CLEAN_DAYS : CLEAN_DAYS + NEEDED] if level is not None]
    return len(last) == CLEAN_DAYS and bool(before) and max(last) < median(before) / 2
