"""What was seen of one signal in the last minutes, hours or days, at a cost that does not grow with them.

A window is a row of at most 514 buckets. A sample joins the newest bucket, or begins a new one if that was begun a
512th of the window ago. A bucket leaves when its newest sample is too old. So a sample counts for at most a 512th of
the window too long, and for exactly the window where samples come no closer than that (`10m`: 1.2 s).

The total over all buckets is never had by subtraction, which would let rounding errors pile up for years: they are a
queue of two stacks. Each bucket of the older stack holds the total of itself and of all that are newer in that stack,
so that the oldest can be dropped; of the newer stack one total is kept. Where the older one is used up, the newer one
is turned over: 512 additions, once in 512 buckets.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Collection
from enum import Enum
from typing import NamedTuple

from drivers.types import NS_PER_S, Instant

BUCKETS = 512
S_PER_H = 3_600


class Function(Enum):
    """What a rule may ask of a window: docs/expressions.md."""

    AVG = "avg"
    MIN = "min"
    MAX = "max"
    RATE = "rate"
    STDDEV = "stddev"
    COUNT = "count"
    AGE = "age"


Question = Callable[[Instant], float | None]
"""What a function makes of a window, at some moment; None is unknown."""


class Total(NamedTuple):
    """Number, means, sums of squared deviations, and extremes of some samples (`at` in s, of a time of its own)."""

    number: float = 0.0
    mean_at: float = 0.0
    mean: float = 0.0
    at_at: float = 0.0
    at_value: float = 0.0
    value_value: float = 0.0
    least: float = math.inf
    most: float = -math.inf


NOTHING = Total()
WIDTH = len(NOTHING)
_new = tuple.__new__  # what `Total(...)` comes to: it is made for each sample in each window


def together(one: Total, other: Total) -> Total:
    """The total of both (Chan, Golub and LeVeque, 1979: updating formulae for sums of squares, and of products)."""
    number, mean_at, mean, at_at, at_value, value_value, least, most = one
    other_number, other_at, other_mean, other_at_at, other_at_value, other_value_value, other_least, other_most = other
    if not number:
        return other
    if not other_number:
        return one
    both = number + other_number
    share = other_number / both
    later, more = other_at - mean_at, other_mean - mean
    weight = number * share
    return _new(
        Total,
        (
            both,
            mean_at + later * share,
            mean + more * share,
            at_at + other_at_at + later * later * weight,
            at_value + other_at_value + later * more * weight,
            value_value + other_value_value + more * more * weight,
            least if least < other_least else other_least,
            most if most > other_most else other_most,
        ),
    )


class _Stack:
    """Buckets in flat arrays, 72 bytes each: the total, and when the newest sample of the bucket came."""

    __slots__ = ("_totals", "_until")

    def __init__(self) -> None:
        self._totals = array("d")
        self._until = array("q")

    def __len__(self) -> int:
        return len(self._until)

    def push(self, total: Total, until: int) -> None:
        self._totals.extend(total)
        self._until.append(until)

    def drop(self) -> None:
        del self._totals[-WIDTH:], self._until[-1]

    def top(self) -> Total:
        return Total(*self._totals[-WIDTH:]) if self._until else NOTHING

    def top_until(self) -> int:
        return self._until[-1]


class _Window:
    """The samples of the last `duration_ns`. What has left it does not come back, should time go back a little."""

    def __init__(self, duration_ns: int) -> None:
        self._duration_ns = duration_ns
        self._bucket_ns = -(-duration_ns // BUCKETS)
        self._began: Instant | None = None  # with the first sample: seconds since then are exact as floats, for years
        self._older = _Stack()
        self._newer = _Stack()
        self._newer_total = NOTHING
        self._open = NOTHING
        self._open_since = self._open_until = Instant(0)
        self._stays_until = Instant(0)  # before then, no bucket leaves
        self._closed: Total | None = None  # of all but the open bucket, where it has been asked for
        self._total: Total | None = None

    def feed(self, value: float, at: Instant) -> None:
        if self._began is None:
            self._began = at
        if at >= self._stays_until:
            self._leave(at)
        if self._open[0] and at - self._open_since >= self._bucket_ns:
            self._newer.push(self._open, self._open_until)
            self._newer_total = together(self._newer_total, self._open)
            self._open = NOTHING
            self._closed = None
        if not self._open[0]:
            self._open_since = at
        self._open_until = at
        self._total = None
        at_s = (at - self._began) / NS_PER_S
        self._open = together(self._open, _new(Total, (1.0, at_s, value, 0.0, 0.0, 0.0, value, value)))

    def total(self, now: Instant) -> Total:
        if now >= self._stays_until:
            self._leave(now)
        if self._total is None:
            if self._closed is None:
                self._closed = together(self._older.top(), self._newer_total)
            self._total = together(self._closed, self._open)
        return self._total

    def _leave(self, now: Instant) -> None:
        """Drop the buckets whose newest sample is as old as the window is long."""
        self._closed = self._total = None
        gone = now - self._duration_ns
        if self._open_until <= gone:  # and so are all that are older
            self._older, self._newer = _Stack(), _Stack()
            self._newer_total = self._open = NOTHING
            return
        while True:
            if not self._older:
                self._turn_over()
            oldest_until = self._older.top_until() if self._older else self._open_until
            if oldest_until > gone:
                self._stays_until = Instant(oldest_until + self._duration_ns)
                return
            self._older.drop()

    def _turn_over(self) -> None:
        total = NOTHING
        while self._newer:
            total = together(self._newer.top(), total)
            self._older.push(total, self._newer.top_until())
            self._newer.drop()
        self._newer_total = NOTHING


class History:
    """All windows over one signal of one source, one for each duration; any function may be asked of each of them.

    Unknown samples are in no window. Samples come in the order of their time; an older one is passed over, and so is
    one that is not finite. A window answers from what there is, also before it has seen its whole duration.
    """

    def __init__(self, durations_ns: Collection[int]) -> None:
        """Durations are above 0; none are needed for `age`."""
        self._windows = {duration_ns: _Window(duration_ns) for duration_ns in durations_ns}
        self._known_at: Instant | None = None

    def feed(self, value: float | None, at: Instant) -> None:
        if value is None or not math.isfinite(value):
            return
        if self._known_at is not None and at < self._known_at:
            return
        self._known_at = at
        for window in self._windows.values():
            window.feed(value, at)

    def ask(self, function: Function, duration_ns: int, now: Instant) -> float | None:
        """The answer at `now`, or as near to it as may be where something was fed or asked later; None is unknown.

        `duration_ns` is one of those that the history was made for, and counts for nothing with `age`.
        """
        return self.question(function, duration_ns)(now)

    def question(self, function: Function, duration_ns: int) -> Question:
        """The same, for whoever asks again and again."""
        if function is Function.AGE:
            return self._age
        window, answer = self._windows[duration_ns], ANSWERS[function]

        def ask(now: Instant) -> float | None:
            found = answer(window.total(now))
            return found if found is not None and math.isfinite(found) else None

        return ask

    def _age(self, now: Instant) -> float | None:
        return None if self._known_at is None else max(0, now - self._known_at) / NS_PER_S


def _mean(total: Total) -> float | None:
    return total.mean if total.number else None


def _per_hour(total: Total) -> float | None:
    """The slope of the straight line that fits best (least squares)."""
    return total.at_value / total.at_at * S_PER_H if total.at_at > 0.0 else None


def _deviation(total: Total) -> float | None:
    """Of a sample, by n - 1: one value alone says nothing of how much they differ."""
    return math.sqrt(total.value_value / (total.number - 1.0)) if total.number > 1.0 else None


ANSWERS: dict[Function, Callable[[Total], float | None]] = {
    Function.AVG: _mean,
    Function.MIN: lambda total: total.least,
    Function.MAX: lambda total: total.most,
    Function.RATE: _per_hour,
    Function.STDDEV: _deviation,
    Function.COUNT: lambda total: total.number,
}
