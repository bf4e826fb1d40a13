"""How slow a repository's metadata may come. A server that trickles is no better than a silent one (slow retrieval)."""

from __future__ import annotations

import time
from collections.abc import Callable

from ota.errors import Unreachable

REMEDY = "Check this board's network; it tries again later"


class Pace:
    """Of one visit: starts with it. Asked before each wait, told of each byte, headers included.

    `deadline_s` is for the whole visit; at the limits of all roles together a board with 2 kB/s (GPRS) keeps it.
    `gap_s` is the longest silence. `least_bytes_per_s` is the least average over one file, from `grace_s` on.
    """

    def __init__(
        self,
        *,
        deadline_s: float = 300,
        gap_s: float = 15,
        least_bytes_per_s: float = 500,
        grace_s: float = 15,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deadline_s, self._gap_s = deadline_s, gap_s
        self._least_bytes_per_s, self._grace_s = least_bytes_per_s, grace_s
        self._clock = clock
        self._ends_at = clock() + deadline_s
        self._begun_at, self._received = clock(), 0

    def begin_file(self) -> None:
        self._begun_at, self._received = self._clock(), 0

    def wait_s(self) -> float:
        """How long the next wait may be, above 0. Raises `Unreachable` where no time is left."""
        left_s = self._ends_at - self._clock()
        if left_s <= 0:
            raise Unreachable(f"the repository took more than {self._deadline_s:g} s", remedy=REMEDY)
        return min(self._gap_s, left_s)

    def received(self, count: int) -> None:
        """Raises `Unreachable` where the bytes come too slowly."""
        self._received += count
        took_s = self._clock() - self._begun_at
        if took_s > self._grace_s and self._received < self._least_bytes_per_s * took_s:
            raise Unreachable(
                f"the repository sent {self._received} bytes in {took_s:.0f} s, less than "
                f"{self._least_bytes_per_s:g} bytes/s",
                remedy=REMEDY,
            )
