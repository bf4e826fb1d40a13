"""The slots as the update goes by them: looked at and changed in a thread of their own, as the disk may take long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from drivers.worker import Worker
from firmware.update.examining import manifest_of
from model.manifest import Manifest
from ota.slot_states import Record
from ota.slots import Slots
from ota.updater import Updater

DISK_LIMIT_S = 120.0  # to hash and sync two bundles on a worn card

Move = Callable[[Slots], None]


class Keeping:
    """`record` is what the slots said the last time. `moved` is called when they were looked at, or changed."""

    def __init__(self, updater: Updater, moved: Callable[[], None]) -> None:
        self._updater, self._moved = updater, moved
        self._worker = Worker("update: slots")
        self.record = Record()
        self.is_known = False  # whether `record` is what they say now

    def forget(self) -> None:
        """Something else changed them: `record` holds only once they are looked at."""
        self.is_known = False

    async def look(self) -> None:
        """Raises `OtaError`, `Stuck`."""
        await self._done(None, DISK_LIMIT_S, decided_on=())

    async def change(self, seen: Record, move: Move, *, limit_s: float = DISK_LIMIT_S) -> bool:
        """Make the move that was decided on by what was `seen`, and take note of how they stand.

        Not if they stand otherwise: time may have ended what waited for too long, a file may be lost, somebody may have
        gone back. Then False, and whoever decides looks again. Raises `OtaError`, `Stuck`.
        """
        return await self._done(move, limit_s, decided_on=_essence(seen))

    async def manifest(self, bundle: Path) -> Manifest:
        """Of a bundle on this board. Raises `Failed`, `Stuck`."""
        return await self._worker.run(manifest_of, bundle, limit_s=DISK_LIMIT_S)

    def close(self) -> None:
        """Once nothing more is asked; what was, is done."""
        self._worker.close()

    async def _done(self, move: Move | None, limit_s: float, *, decided_on: tuple[object, ...]) -> bool:
        def change() -> tuple[Record, bool]:
            with self._updater.slots() as slots:
                made = move is not None and _essence(slots.record) == decided_on
                if move is not None and made:
                    move(slots)
                return slots.record, made

        self.record, made = await self._worker.run(change, limit_s=limit_s)
        self.is_known = True
        self._moved()
        return made


def _essence(record: Record) -> tuple[object, ...]:
    """What a decision is made by: which model counts, and what waits for which verdict."""
    waiting = None if record.pending is None else record[record.pending]
    return record.active, record.pending, waiting and (waiting.state, waiting.holds)
