"""Times calls in turn, so that what else the machine does hits all of them alike; and sums up what came of it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

NS_PER_MS = 1_000_000

Call = Callable[[int], object]
"""Gets the number of the call: 0, 1, 2 ..., for whoever takes another picture each time."""


@dataclass(slots=True)
class Times:
    """Of one contestant, a value for each call. `cpu_ns` is the calling thread's own time, on which other programs
    have no claim; `wall_ns` is what passed meanwhile."""

    cpu_ns: list[int] = field(default_factory=list)
    wall_ns: list[int] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        return median(self.cpu_ns) / NS_PER_MS

    @property
    def least_ms(self) -> float:
        return min(self.cpu_ns) / NS_PER_MS

    @property
    def wall_median_ms(self) -> float:
        return median(self.wall_ns) / NS_PER_MS


def in_turn(
    contestants: Mapping[str, Call], *, rounds: int, calls: int, progress: Callable[[int], None]
) -> dict[str, Times]:
    """In each round every contestant makes `calls` calls on end; the first round, which warms up, is not counted.

    The order turns by one each round: nobody always comes after the same one.
    """
    names = list(contestants)
    times = {name: Times() for name in names}
    with no_garbage():
        for number in range(rounds + 1):
            progress(number)
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                counted = times[name] if number else Times()
                _time(contestants[name], number * calls, calls, counted)
    return times


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of all keeps to; 1.0 is the largest. Raises ValueError where there are none."""
    if not values:
        raise ValueError("no values to take a percentile of")
    ordered = sorted(values)
    return ordered[max(1, -int(-share * len(ordered) // 1)) - 1]


@contextmanager
def no_garbage() -> Iterator[None]:
    """No collection inside, as on the board between two snapshots."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _time(call: Call, first: int, calls: int, times: Times) -> None:
    for number in range(first, first + calls):
        wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        call(number)
        times.cpu_ns.append(time.thread_time_ns() - cpu_ns)
        times.wall_ns.append(time.perf_counter_ns() - wall_ns)
