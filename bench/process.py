"""What the kernel says of a process: memory (proc(5)) and processor time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bench.machine import field

PROC = Path("/proc")
CPUCLOCK_SCHED = 2  # <linux/posix-timers.h>: the sum of what the scheduler gave to all threads, those that ended too
BYTES_PER_KB, BYTES_PER_MB = 1024, 1_000_000  # a kB of proc(5), and a MB of the goals


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """In MB. `resident` counts shared libraries whole, `proportional` by the number of those that share them,
    `private` not at all; `peak` is the most that was ever resident."""

    resident: float
    proportional: float
    private: float
    peak: float


def memory(pid: int) -> Memory:
    rollup = (PROC / str(pid) / "smaps_rollup").read_text()
    status = (PROC / str(pid) / "status").read_text()
    return Memory(
        resident=_mb(rollup, "Rss"),
        proportional=_mb(rollup, "Pss"),
        private=_mb(rollup, "Private_Clean") + _mb(rollup, "Private_Dirty"),
        peak=_mb(status, "VmHWM"),
    )


def cpu_ns(pid: int) -> int:
    """Processor time of the process since its start, user and system, to the nanosecond."""
    return time.clock_gettime_ns((~pid << 3) | CPUCLOCK_SCHED)


def _mb(text: str, name: str) -> float:
    return int(field(text, name).split()[0]) * BYTES_PER_KB / BYTES_PER_MB
