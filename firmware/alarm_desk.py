"""Who looks at a board's alarms or acts on them goes here: whichever way they came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from drivers.clock import Clock
from drivers.types import Quantity
from firmware.alarms.operations import Operation, Reset
from firmware.alarms.states import ACTIVE
from firmware.alarms.types import AlarmId, AlarmRecord, Transition
from firmware.deciding import Asked, Message
from firmware.rules.engine import RuleEngine
from firmware.rules.types import Annotations

RESET_LIMIT_S = 10.0  # for the alarms to take a reset: a worn SD card takes its time
OF_DIRT = {Quantity.DIRTY_SCORE.signal, Quantity.ESTIMATED_DEPOSIT.signal}


class AlarmDesk:
    """Looks at the engine, and lets it act in the order in which all else arrives: through the mailbox."""

    def __init__(self, engine: RuleEngine, put: Callable[[Message], None], clock: Clock) -> None:
        self._engine = engine
        self._put = put
        self._clock = clock

    def records(self) -> Sequence[AlarmRecord]:
        """As they stand."""
        return self._engine.records(self._clock.now())

    def annotations(self, alarm: AlarmId) -> Annotations | None:
        return self._engine.annotations(alarm)

    async def operate(self, operation: Operation) -> Sequence[Transition]:
        """What came of it. Never returns if the alarms take no more messages."""
        moved: asyncio.Future[Sequence[Transition]] = asyncio.get_running_loop().create_future()

        def tell(transitions: Sequence[Transition]) -> None:
            if not moved.done():  # whoever asked may have gone
                moved.set_result(transitions)

        self._put(Asked(operation, tell))
        return await moved

    async def reset_dirt(self, by: str) -> Mapping[str, bool]:
        """The duct is clean: which alarms on dirt stood, and whether each is over now.

        A camera that was moved is none of it: somebody has to look at that.
        """
        of_dirt = [one for one in self.records() if one.signal in OF_DIRT and not one.fault]
        standing = [one.alarm for one in of_dirt if one.state in ACTIVE]
        with suppress(TimeoutError):
            async with asyncio.timeout(RESET_LIMIT_S):
                for alarm in standing:
                    await self.operate(Reset(alarm, by))  # after the last verdicts, which are on their way before it
        active = {one.alarm for one in self.records() if one.state in ACTIVE}
        return {str(alarm): alarm not in active for alarm in standing}
