"""When a board asks for a new model, and when it may take one. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

DAY_MIN = 24 * 60
FIRST_RETRY_S = 60.0
FORM = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day, local, from `start_min` to `end_min` after midnight; over midnight if that is not later."""

    start_min: int
    end_min: int

    def holds(self, minute: int) -> bool:
        """`minute` is 0 to 1439."""
        if self.start_min < self.end_min:
            return self.start_min <= minute < self.end_min
        return minute >= self.start_min or minute < self.end_min


def window(text: str) -> Window:
    """Of `01:30-05:00`. Raises ValueError."""
    match = FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time of day: write it as 01:30-05:00")
    hours = [int(group) for group in match.groups()]
    return Window(60 * hours[0] + hours[1], 60 * hours[2] + hours[3])


def is_open(windows: Sequence[Window], minute: int | None) -> bool:
    """Without windows always. A board that does not know the time (None) has none of them open."""
    return not windows or (minute is not None and any(each.holds(minute) for each in windows))


def pause_s(period_s: float, failures: int, chance: float) -> float:
    """How long to wait before asking again. `chance`, 0..1, is drawn anew each time.

    A fleet that was switched on at once must not ask at once: anything from half a period to one and a half. After
    `failures` in a row a minute, doubled with each, never more than that; again between half and one and a half of it.
    """
    wanted_s = min(period_s, FIRST_RETRY_S * 2 ** min(failures - 1, 20)) if failures else period_s
    return wanted_s * (0.5 + chance)


def first_pause_s(period_s: float, chance: float) -> float:
    """After a start: within a tenth of the period, and within ten minutes."""
    return min(period_s / 10, 600.0) * chance
