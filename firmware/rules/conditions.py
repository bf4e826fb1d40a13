"""When a limit is exceeded and when it is over, in three values, and for how long or how often that must be so.

`None` is *unknown* throughout: it neither raises nor clears, and it adds nothing to a delay.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from drivers.types import Instant
from firmware.alarms.types import Evidence

MOST_VOTES = 60  # of "n of m": the votes of a delay are kept in one signed 64-bit column of SQLite
UNITS_NS = {"d": 86_400 * 10**9, "h": 3_600 * 10**9, "min": 60 * 10**9, "s": 10**9, "ms": 10**6}


class Side(Enum):
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit with a deadband of zero or more, both in the signal's unit (BACnet: High_Limit, Low_Limit, Deadband).

    Between the limit and the edge of the deadband an alarm stays what it is.
    """

    side: Side
    value: float
    deadband: float = 0.0

    @property
    def edge(self) -> float:
        """Where a raised alarm starts to be over."""
        return self.value - self.deadband if self.side is Side.ABOVE else self.value + self.deadband

    def exceeded(self, value: float | None) -> bool | None:
        """Does it count towards raising the alarm?"""
        if value is None:
            return None
        return value > self.value if self.side is Side.ABOVE else value < self.value

    def over(self, value: float | None) -> bool | None:
        """Does it count towards ending a raised alarm?"""
        if value is None:
            return None
        return value <= self.edge if self.side is Side.ABOVE else value >= self.edge


@dataclass(frozen=True, slots=True)
class Held:
    """A delay by time: the answer must be yes, without a no in between, for `ns`. Zero is no delay."""

    ns: int

    def __str__(self) -> str:
        return in_words(self.ns)


@dataclass(frozen=True, slots=True)
class Agreed:
    """A delay by count: yes in `needed` of the last `of` answers that were known, 1 <= needed <= of <= MOST_VOTES."""

    needed: int
    of: int

    def __str__(self) -> str:
        return f"{self.needed} of {self.of}"


Delay = Held | Agreed
AT_ONCE: Delay = Held(0)


def in_words(ns: int) -> str:
    """A duration as one writes it in a rule: `10min`, `90s`."""
    unit = next((unit for unit, unit_ns in UNITS_NS.items() if ns and ns % unit_ns == 0), "s")
    return f"{ns / UNITS_NS[unit]:g}{unit}"


class Progress(Protocol):
    """A delay under way. It is over when `see` or `due` says so; after that it is thrown away."""

    def see(self, answer: bool | None, at: Instant) -> bool:
        """Take an answer that holds from `at` until the next one."""

    def due(self, now: Instant) -> bool:
        """Is the delay over by `now`, if the last answer still holds?"""

    def evidence(self, now: Instant) -> Evidence: ...


def progress(delay: Delay, evidence: Evidence, now: Instant) -> Progress:
    """Start a delay, or continue one from what was written down of it."""
    if isinstance(delay, Held):
        return _Holding(delay.ns, evidence.elapsed_ns, now if evidence.running else None)
    return _Voting(delay, evidence.votes)


class _Holding:
    """Adds up the time of yes. Unknown stops the watch, no sets it to zero."""

    __slots__ = ("_elapsed_ns", "_ns", "_since")

    def __init__(self, ns: int, elapsed_ns: int, since: Instant | None) -> None:
        self._ns = ns
        self._elapsed_ns = elapsed_ns
        self._since = since

    def see(self, answer: bool | None, at: Instant) -> bool:
        if answer:
            if self._since is None:
                self._since = at
            return self.due(at)
        if answer is None:
            self._elapsed_ns = self._until(at)
        else:
            self._elapsed_ns = 0
        self._since = None
        return False

    def due(self, now: Instant) -> bool:
        return self._since is not None and self._until(now) >= self._ns

    def evidence(self, now: Instant) -> Evidence:
        return Evidence(elapsed_ns=self._until(now), running=self._since is not None)

    def _until(self, now: Instant) -> int:
        return self._elapsed_ns + max(0, now - self._since) if self._since is not None else self._elapsed_ns


class _Voting:
    """Remembers the last answers. Unknown is no vote: it neither counts nor pushes one out."""

    __slots__ = ("_mask", "_needed", "_votes")

    def __init__(self, delay: Agreed, votes: int) -> None:
        self._needed = delay.needed
        self._mask = (1 << delay.of) - 1
        self._votes = votes & self._mask

    def see(self, answer: bool | None, at: Instant) -> bool:  # noqa: ARG002 - a count does not ask for the time
        if answer is None:
            return False
        self._votes = (self._votes << 1 | answer) & self._mask
        return self._votes.bit_count() >= self._needed

    def due(self, now: Instant) -> bool:  # noqa: ARG002 - a count does not ask for the time
        return False

    def evidence(self, now: Instant) -> Evidence:  # noqa: ARG002 - a count does not ask for the time
        return Evidence(votes=self._votes)
