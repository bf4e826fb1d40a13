"""How fast a repository's files must come, and how fast and how much may: when it is not worth waiting for more.

All of it is a function of what came so far and when. A server that trickles is no better than a silent one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from ota.errors import Unreachable
from ota.repository import Answer

BURST_S: Final = 1.0  # a link that was idle so long is full again
CHUNK_BYTES: Final = 64 * 1024  # the most that is asked for at once
S_PER_DAY: Final = 86_400
LATER: Final = "It goes on where it stopped, the next time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Of one visit to a repository. None is no limit.

    Slower than `least_bytes_a_second` over `window_s`, silent for `silence_s`, or longer than `deadline_s` in all, is
    as good as no answer.
    """

    bytes_a_second: float | None = None
    bytes_a_day: int | None = None
    least_bytes_a_second: float = 200.0  # a tenth of what GPRS gives on a bad day
    window_s: float = 60.0
    silence_s: float = 30.0
    deadline_s: float = 7_200.0

    def __post_init__(self) -> None:
        most = self.bytes_a_second
        if most is not None and not 2 * self.least_bytes_a_second <= most:
            raise ValueError(f"bytes_a_second {most:g} is not twice the least of {self.least_bytes_a_second:g}")


METADATA: Final = Pace(least_bytes_a_second=500.0, window_s=15.0, silence_s=15.0, deadline_s=300.0)
"""A board with 2 kB/s (GPRS) keeps it, at the limits of all roles together."""


class Stopped(Exception):
    """As was asked for."""


class Clocks(NamedTuple):
    """`today` counts days since 1970-01-01 UTC, by a clock that is trusted."""

    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    today: Callable[[], int] = lambda: int(time.time() // S_PER_DAY)


CLOCKS: Final = Clocks()


def _never() -> bool:
    return False


class Visit:
    """One visit, from when it was made: reads as fast and as much as the pace allows, as long as it is worth while.

    `spent` is None where rate and bytes a day are not limited, as at a USB stick; a deadline there is.
    """

    def __init__(self, pace: Pace, spent: Spent | None, clocks: Clocks, stopped: Callable[[], bool] = _never) -> None:
        self.spent = spent
        self._pace = pace
        self._clocks = clocks
        self._stopped = stopped
        now_s = clocks.now_s()
        self._until_s = now_s + pace.deadline_s
        self._bucket = Bucket(0.0, now_s)
        self._window: Window | None = None

    def listen(self) -> None:
        """A file begins: from now on it is judged how much comes."""
        self._window = Window(self._clocks.now_s())

    def watch(self) -> float:
        """For how many seconds to wait at most, above 0. Raises `Stopped`, and `Unreachable` if it is not worth it."""
        if self._stopped():
            raise Stopped
        now_s, pace = self._clocks.now_s(), self._pace
        if now_s >= self._until_s:
            raise Unreachable(f"not all came within {pace.deadline_s:g} s", remedy=LATER)
        if self._window is not None:
            least = pace.least_bytes_a_second
            self._window = judged(self._window, now_s, length_s=pace.window_s, least_bytes_a_second=least)
            if self._window is None:
                raise Unreachable(f"less than {least:g} bytes a second came in {pace.window_s:g} s", remedy=LATER)
        return min(pace.silence_s, self._until_s - now_s)

    def read(self, answer: Answer, most: int) -> bytes:
        """At most so many bytes, and not before it is time for them; none at the end of the answer."""
        rate, a_day = self._pace.bytes_a_second, self._pace.bytes_a_day
        most = min(most, CHUNK_BYTES)
        if self.spent is not None and rate is not None:
            most = max(1, min(most, int(rate * BURST_S)))
        if self.spent is not None and a_day is not None:
            most = min(most, left_of(a_day, self.spent, self._clocks.today()))
            if not most:
                raise Unreachable(f"today's {a_day} bytes are used up", remedy="It goes on tomorrow")
        piece = answer.read(most)
        self._count(len(piece))
        return piece

    def _count(self, count: int) -> None:
        if self._window is not None:
            self._window = replace(self._window, count=self._window.count + count)
        if self.spent is None:
            return
        self.spent = with_more(self.spent, count, self._clocks.today())
        if self._pace.bytes_a_second is not None:
            self._bucket, wait_s = paid(self._bucket, count, self._clocks.now_s(), self._pace.bytes_a_second)
            if wait_s:
                self._clocks.sleep(wait_s)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: it fills by the bytes a second that are allowed. Below 0 it is in debt."""

    level: float
    at_s: float


def paid(bucket: Bucket, count: int, now_s: float, bytes_a_second: float) -> tuple[Bucket, float]:
    """The bucket after `count` bytes that came just now, and the seconds to wait before asking for more."""
    filled = bucket.level + max(0.0, now_s - bucket.at_s) * bytes_a_second
    level = min(filled, BURST_S * bytes_a_second) - count
    return Bucket(level, now_s), max(0.0, -level / bytes_a_second)


@dataclass(frozen=True, slots=True)
class Window:
    """What came since some moment, until it is judged and the next one begins."""

    since_s: float
    count: int = 0


def judged(window: Window, now_s: float, *, length_s: float, least_bytes_a_second: float) -> Window | None:
    """The window to go on with; None if so little came in a full one that nobody would call it an answer."""
    passed_s = now_s - window.since_s
    if passed_s < length_s:
        return window
    return None if window.count < least_bytes_a_second * passed_s else Window(now_s)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was fetched on a day, counted from 1970-01-01 UTC by whatever clock is trusted."""

    day: int
    count: int


def left_of(limit: int, spent: Spent, today: int) -> int:
    """How many bytes of today's `limit` are left. Any other day, also an earlier one, begins with all of it."""
    return max(0, limit - spent.count) if spent.day == today else limit


def with_more(spent: Spent, count: int, today: int) -> Spent:
    return replace(spent, count=spent.count + count) if spent.day == today else Spent(today, count)
