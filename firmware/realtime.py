"""Makes verdicts punctual on a busy board: real-time priority, locked memory, garbage collected in idle gaps.

Measured: the priority of all threads decides, not thread against process (docs/adr/0004-real-time.md).
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from pathlib import Path

GRANT_PRIORITY = "Grant it with LimitRTPRIO=99 in the systemd unit, or run with CAP_SYS_NICE."
GRANT_MEMORY = "Grant it with LimitMEMLOCK=infinity in the systemd unit, or run with CAP_IPC_LOCK."
TASKS = Path("/proc/self/task")  # one folder a thread, proc(5)
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4  # linux/mman.h; ONFAULT locks what is touched: 71 MB instead of 475


def make_urgent(priority: int) -> None:
    """Put all threads of the process under SCHED_FIFO at 1 to 99; leave them as they are at 0 or where not granted.

    Threads that are started later inherit it (sched(7)). All are meant: a thread that is pushed aside while it holds
    the interpreter's lock keeps the loop and the classifier waiting, however urgent these are. That of OpenBLAS, too,
    which starts when numpy is imported, before anybody knows the priority.
    """
    for thread in TASKS.iterdir() if priority else ():
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(priority))


def lacking(*, priority: int, memory_locked: bool) -> list[tuple[str, str]]:
    """What was wanted and not granted to the calling thread, each with how to grant it."""
    lacks = []
    if priority and os.sched_getscheduler(0) != os.SCHED_FIFO:
        lacks.append((f"no real-time priority {priority}: verdicts may be late when the board is busy", GRANT_PRIORITY))
    if not memory_locked:
        lacks.append(("memory is not locked: a verdict may wait for the disk", GRANT_MEMORY))
    return lacks


def lock_memory() -> bool:
    """Keep touched pages in RAM, mlockall(2). False where that is not granted."""
    return bool(ctypes.CDLL(None).mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0)


def settle_garbage() -> None:
    """After start-up: take what is there out of the collector's sight, and collect only when told."""
    gc.collect()
    gc.freeze()
    gc.disable()


def collect_garbage() -> None:
    """Call in an idle gap: between snapshots, before the light goes on."""
    gc.collect()
