"""A disk that is full: while the fault holds, no file of this process can grow. The kernel refuses it, not we."""

from __future__ import annotations

import resource

from drivers.clock import Clock
from drivers.simulated.faults import Fault
from drivers.simulated.world import World


async def fill_disk(world: World, clock: Clock) -> None:
    """Set and lift RLIMIT_FSIZE (getrlimit(2)) at each edge of the fault. Ends after the last.

    A write beyond the limit fails with EFBIG, since Python ignores SIGXFSZ: to SQLite and to files it is a full disk.
    """
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    for edge in world.edges(Fault.DISK_FULL):
        await clock.sleep_until(edge)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0 if world.fails(Fault.DISK_FULL) else most, most))
