"""How a simulated sensor fails: in the ways that the real ones do."""

from __future__ import annotations

import time

from drivers.clock import Clock
from drivers.errors import Absent, BadData, Lost
from drivers.simulated.course import chance
from drivers.simulated.faults import Fault
from drivers.simulated.world import World
from drivers.types import SourceId
from drivers.worker import Stuck, Worker

HANG_LIMIT_S = 2.0  # what the drivers of real sensors allow one reading
HANG_POLL_S = 0.05  # how soon a thread that hangs notices that the fault is over


class Ailment:
    """The faults of one sensor. It starts a thread only where one is to hang."""

    def __init__(self, source: SourceId, world: World, clock: Clock) -> None:
        self._source = source
        self._world = world
        self._clock = clock
        self._hanging: Worker | None = None

    def admit(self) -> None:
        """Raise `Absent` if the sensor cannot be opened now."""
        if self._world.fails(Fault.SENSOR_DEAD, self._source):
            raise Absent(self._source, "no answer", remedy=_remedy(Fault.SENSOR_DEAD))
        if self._hanging is not None and self._hanging.stuck:
            raise Absent(self._source, "the last reading still hangs", remedy=_remedy(Fault.SENSOR_HANGS))

    async def endure(self) -> bool:
        """Raise `Lost` or `BadData` if the sensor fails now; return whether it answers rubbish instead of values."""
        if self._world.fails(Fault.SENSOR_DEAD, self._source):
            raise Lost(self._source, "no longer answers", remedy=_remedy(Fault.SENSOR_DEAD))
        if self._world.fails(Fault.SENSOR_HANGS, self._source):
            await self._hang()
        if not self._world.fails(Fault.SENSOR_RUBBISH, self._source):
            return False
        if chance(self._world.key(self._source, "rubbish", self._clock.now())) < 0.5:
            raise BadData(self._source, "wrong checksum", remedy=_remedy(Fault.SENSOR_RUBBISH))
        return True

    async def _hang(self) -> None:
        if self._hanging is None:
            self._hanging = Worker(f"{self._source} hangs")
        try:
            await self._hanging.run(self._block, limit_s=HANG_LIMIT_S)
        except Stuck:
            problem = f"no answer within {HANG_LIMIT_S:g} s"
            raise Lost(self._source, problem, remedy=_remedy(Fault.SENSOR_HANGS)) from None

    def _block(self) -> None:
        while self._world.fails(Fault.SENSOR_HANGS, self._source):
            time.sleep(HANG_POLL_S)


def _remedy(fault: Fault) -> str:
    return f"Check its cable. (Here: the simulated fault {fault.title}.)"
