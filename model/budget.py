"""Keeps count of the time from capture to verdict against what is allowed."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import accumulate

SUB_BITS = 6  # 64 steps an octave: values are right to 1.6 %, as HdrHistogram is with two digits
SUB_STEPS = 1 << SUB_BITS
MAX_NS = 1 << 36  # 69 s: what took longer is counted as that
STEPS = (36 - SUB_BITS + 1) * SUB_STEPS
RECENT = 100  # verdicts: with two cameras and a snapshot a minute, the last 50 minutes


class LatencyBudget:
    """A log-linear histogram of latencies in 16 kB, however long the board runs, and the share missed of late."""

    def __init__(self, limit_ms: float) -> None:
        if not limit_ms > 0:
            raise ValueError(f"a latency budget must be above 0 ms, not {limit_ms}")
        self.limit_ms = limit_ms
        self.count = 0
        self.overruns = 0
        self._max_ns = 0
        self._steps = [0] * STEPS
        self._recent: deque[bool] = deque(maxlen=RECENT)

    def record(self, latency_ns: int) -> bool:
        """Count one verdict. Return whether it overran the budget."""
        overrun = latency_ns > self.limit_ms * 1_000_000
        self.count += 1
        self.overruns += overrun
        self._recent.append(overrun)
        self._max_ns = max(self._max_ns, latency_ns)
        self._steps[_step(min(max(latency_ns, 0), MAX_NS - 1))] += 1
        return overrun

    @property
    def missed_share(self) -> float:
        """Share of overruns among the last 100 verdicts, 0 before the first: the signal of the alarm rule."""
        return sum(self._recent) / len(self._recent) if self._recent else 0.0

    def percentiles_ns(self, shares: Sequence[float]) -> list[int]:
        """For each share the latency that so many verdicts kept to, rounded up to its step; 1.0 is the maximum."""
        sums = list(accumulate(self._steps))
        return [self._percentile_ns(share, sums) for share in shares]

    def _percentile_ns(self, share: float, sums: list[int]) -> int:
        if self.count == 0 or share >= 1:
            return self._max_ns
        rank = max(1, -int(-share * self.count // 1))
        return min(_upper_ns(bisect_left(sums, rank)), self._max_ns)


def _step(value_ns: int) -> int:
    """Which step a value falls into: one for each nanosecond below 64, then 64 for each doubling."""
    octave = max(0, value_ns.bit_length() - SUB_BITS - 1)
    return (octave << SUB_BITS) + (value_ns >> octave)


def _upper_ns(step: int) -> int:
    octave = max(0, (step >> SUB_BITS) - 1)
    mantissa = step - (octave << SUB_BITS)
    return ((mantissa + 1) << octave) - 1
