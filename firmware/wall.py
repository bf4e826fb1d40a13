"""Wall time beside the duct's time: only for stamps that people and the broker read, never for decisions."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from drivers.board import kernel_clock_synchronised
from drivers.clock import Clock
from drivers.types import NS_PER_S, Instant
from firmware.uplink.wire import WallClock


def for_people(wall: WallClock, at: Instant) -> str:
    """The board's local time with its offset from UTC, to the second: `2026-05-01T14:00:00+02:00`."""
    return datetime.fromtimestamp((at + wall.offset_ns) // NS_PER_S, UTC).astimezone().isoformat()


Wall = Callable[[], WallClock]


def real_wall(clock: Clock) -> Wall:
    """The machine's wall clock, asked anew each time: it may be set right, or wrong, while the board runs."""

    def now() -> WallClock:
        return WallClock(offset_ns=time.time_ns() - clock.now(), synchronised=bool(kernel_clock_synchronised()))

    return now


def simulated_wall(clock: Clock) -> Wall:
    """Wall time that went with the duct's time from the start of the run on."""
    fixed = WallClock(offset_ns=time.time_ns() - clock.now(), synchronised=True)
    return lambda: fixed
