"""Makes verdicts punctual on a busy board: real-time priority, locked memory, garbage collected in idle gaps.

Measured: priority of loop and classifier decides, not thread against process (docs/adr/0004-real-time.md).
"""

from __future__ import annotations

import ctypes
import gc
import os

MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4  # linux/mman.h; ONFAULT locks what is touched: 71 MB instead of 475


def raise_priority(priority: int) -> str | None:
    """Put the calling thread under SCHED_FIFO. Returns what is lacking and how to grant it, or None.

    Threads started later do not inherit it (SCHED_RESET_ON_FORK, sched(7)): only loop and classifier are urgent.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except PermissionError:
        return (
            f"no real-time priority {priority}: verdicts may be late when the board is busy. "
            "Grant it with LimitRTPRIO=99 in the systemd unit, or run with CAP_SYS_NICE."
        )
    return None


def lock_memory() -> str | None:
    """Keep touched pages in RAM, mlockall(2). Returns what is lacking and how to grant it, or None."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0:
        return None
    return (
        f"memory is not locked ({os.strerror(ctypes.get_errno())}): a verdict may wait for the disk. "
        "Grant it with LimitMEMLOCK=infinity in the systemd unit, or run with CAP_IPC_LOCK."
    )


def settle_garbage() -> None:
    """After start-up: take what is there out of the collector's sight, and collect only when told."""
    gc.collect()
    gc.freeze()
    gc.disable()


def collect_garbage() -> None:
    """Call in an idle gap: between snapshots, before the light goes on."""
    gc.collect()
