"""The bench's wiring, and the lines of its GPIO chip as seen from outside: what drives each, and when it changed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import IntEnum

LINES = 8
MOST_EDGES = 20_000


class Line(IntEnum):
    """Which line is wired to what. The first three drive something; the others are contacts that close to ground."""

    LED = 0
    RELAY = 1
    BUZZER = 2
    FAN = 3
    BUTTON = 4


PULLED_UP = frozenset({Line.FAN, Line.BUTTON})  # the others down: what a board without power drives is off


@dataclass(frozen=True, slots=True)
class Edge:
    """A line's change; `at_ns` is the host's CLOCK_MONOTONIC."""

    at_ns: int
    line: int
    level: bool


class Lines:
    """The level of a line is what the board drives it to; where the board does not, as a board without power, what the
    bench drives it to; where that does not either, what the line is pulled to."""

    def __init__(self, pulled_up: Collection[int] = PULLED_UP) -> None:
        self.edges: deque[Edge] = deque(maxlen=MOST_EDGES)
        self._pulls = sum(1 << line for line in pulled_up)
        self._driven, self._drives = 0, 0
        self._outputs, self._push_pull, self._latch = 0, 0, 0
        self._levels = self.levels
        self._watchers: list[Callable[[Edge], None]] = []

    @property
    def levels(self) -> int:
        """All lines, one bit each."""
        pulled = self._driven & self._drives | ~self._driven & self._pulls
        high = self._push_pull & self._latch | ~self._push_pull & self._latch & pulled  # an open drain only pulls down
        return (self._outputs & high | ~self._outputs & pulled) & 0xFF

    def level(self, line: int) -> bool:
        return bool(self.levels >> line & 1)

    def is_output(self, line: int) -> bool:
        """Whether the board drives it."""
        return bool(self._outputs >> line & 1)

    def drive(self, line: int, level: bool | None) -> None:
        """Put a level on a line from outside, or with None let go of it. An output of the board's is stronger."""
        bit = 1 << line
        self._driven = self._driven & ~bit | (0 if level is None else bit)
        self._drives = self._drives & ~bit | (bit if level else 0)
        self._note()

    def watch(self, see: Callable[[Edge], None]) -> None:
        """Have `see` called at each edge."""
        self._watchers.append(see)

    async def until(self, line: int, level: bool, limit_s: float) -> int:
        """Wait for a level, and return since when (ns) it is seen. Raises TimeoutError after `limit_s`."""
        if self.level(line) == level:
            return time.monotonic_ns()
        reached: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def see(edge: Edge) -> None:
            if (edge.line, edge.level) == (line, level) and not reached.done():
                reached.set_result(edge.at_ns)

        self.watch(see)
        try:
            async with asyncio.timeout(limit_s):
                return await reached
        finally:
            self._watchers.remove(see)

    def board_sets(self, *, outputs: int, push_pull: int, latch: int) -> None:
        """What the board's side does with its lines, one bit each."""
        self._outputs, self._push_pull, self._latch = outputs, push_pull, latch
        self._note()

    def _note(self) -> None:
        before, self._levels = self._levels, self.levels
        changed, now_ns = before ^ self._levels, time.monotonic_ns()
        for line in range(LINES):
            if changed >> line & 1:
                edge = Edge(now_ns, line, self.level(line))
                self.edges.append(edge)
                for see in list(self._watchers):
                    see(edge)
