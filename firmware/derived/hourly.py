"""Means over whole hours of a value that is read now and then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.types import NS_PER_S, Instant

HOUR_NS = 3600 * NS_PER_S
STANDS_NS = HOUR_NS // 4  # a value stands for the time after it, for no longer than this
NEEDED_NS = 3 * HOUR_NS // 4  # of an hour must be covered so: 75 %, which the US EPA asks of sensors (EPA/600/R-20/280)


@dataclass(slots=True)
class Hourly:
    """The hour under way. Hours are counted from the first value on, not by the wall clock, which may be wrong."""

    began: Instant
    last: float
    last_at: Instant
    sum: float = 0.0  # of values times the nanoseconds that they stood for
    covered_ns: int = 0

    def feed(self, value: float, at: Instant, *, at_most: int) -> Sequence[float | None]:
        """Take a value; return the means of the hours that are over, oldest first, only the last `at_most` of them.

        None is an hour of which too little is known. A value that is older than the last one is passed over.
        """
        over: list[float | None] = []
        if at < self.last_at:
            return over
        stands_until = min(at, self.last_at + STANDS_NS)
        hours = (at - self.began) // HOUR_NS
        if hours:
            end = self.began + HOUR_NS
            self._cover(min(stands_until, end))
            over.append(self.sum / self.covered_ns if self.covered_ns >= NEEDED_NS else None)
            over.extend([None] * min(hours - 1, at_most))
            self.began = Instant(self.began + hours * HOUR_NS)
            self.sum, self.covered_ns = 0.0, 0
            self.last_at = max(self.last_at, self.began)
        self._cover(max(stands_until, self.last_at))
        self.last, self.last_at = value, at
        return over[-at_most:]

    def moved(self, by_ns: int) -> None:
        """Go on on a clock that shows `by_ns` more."""
        self.began, self.last_at = Instant(self.began + by_ns), Instant(self.last_at + by_ns)

    def _cover(self, until: int) -> None:
        self.sum += self.last * max(0, until - self.last_at)
        self.covered_ns += max(0, until - self.last_at)
