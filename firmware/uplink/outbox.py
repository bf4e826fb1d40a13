"""Messages on their way to the broker: numbered, bounded, in order, and there again after the process was killed.

What a message survives, and from when:
- the broker being away: as soon as it is accepted;
- the death of this process: alarms and health changes once the outbox's thread has written them, which is next in its
  queue; anything else after `GATHER_S` more, in which a broker at hand acknowledges it and no write is needed;
- a power cut: alarms and health changes with that same write, anything else at most `SYNC_S` later.

Bounds: `max_rows` and `max_bytes` (of topics and payloads; the file takes up to about a third more) on disk, and those
of `stage` in memory for while the disk is full or fails. Beyond either, the oldest message of the lowest class goes
and is counted. A file that cannot be read holds up nothing: what is in memory is sent, what is in the file comes later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.types import Instant, SourceId
from drivers.worker import Stuck
from firmware.observations import Condition, HealthChange
from firmware.uplink.news import News
from firmware.uplink.spool import BOOT_ID, Damaged, Row, SpoolFailed, Stock
from firmware.uplink.spool_thread import SpoolThread, Wanted
from firmware.uplink.stage import RowId, Stage
from firmware.uplink.wire import Message, Priority

FILE = SourceId("outbox")
SPACE = SourceId("outbox-space")

GATHER_S = 0.05  # several times a round trip on site: with the broker at hand, telemetry never touches the disk
GATHER_ROWS = 256  # not awaited any longer once there are as many
SYNC_S = 5.0  # telemetry of this long may be lost in a power cut; each sync wears the memory card
RETRY_S = 5.0  # until a file that failed is tried again
FIRST_OPEN_S = 10.0  # what is in memory waits this long for what is older; a disk that hangs must not hold up an alarm
LAST_WRITE_S, LAST_CLOSE_S = 0.8, 0.2  # of the two seconds in which the firmware stops
ROOM_AGAIN = 0.9  # of a bound: below it the outbox no longer counts as full


class Outbox:
    """Takes messages without ever waiting, and hands them out in the order of sending until they are acknowledged.

    `boot_id` names this start of the firmware and must be new for each: 1 to 36 of 0-9, a-f and `-`.
    `report` hears of each change for the worse or better, once; it may put the change into this outbox.
    """

    def __init__(
        self,
        path: Path,
        *,
        boot_id: str,
        report: Callable[[HealthChange], None],
        now: Callable[[], Instant],
        max_rows: int = 100_000,
        max_bytes: int = 32 * 1024 * 1024,
        retry_s: float = RETRY_S,
    ) -> None:
        if not BOOT_ID.fullmatch(boot_id):
            raise ValueError(f"boot id {boot_id!r} must be 1 to 36 of 0-9, a-f and -")
        self.boot_id = boot_id
        self._retry_s = retry_s
        self._room = Stock(int(max_rows * ROOM_AGAIN), int(max_bytes * ROOM_AGAIN))
        self._file_news = News(FILE, report, now)
        self._space_news = News(SPACE, report, now)
        self._file = SpoolThread(path, boot_id, max_rows=max_rows, max_bytes=max_bytes, news=self._file_news)
        self._seq = 0
        self._stage = Stage()
        self._attempted: set[RowId] = set()  # staged rows that may be in the file already
        self._taken: dict[RowId, Row] = {}  # on their way to the broker
        self._done: dict[RowId, Row] = {}  # acknowledged, and perhaps in the file: never more than it holds
        self._cursor: dict[Priority, Row] = {}  # the last that was taken of each class
        self._changes = 1  # how often the file changed
        self._seen = 0  # how many of these changes have nothing after the cursor any more
        self._dropped = dict.fromkeys(Priority, 0)
        self._sync_by_s: float | None = None  # loop time at which the medium must have what was written
        self._tried = asyncio.Event()  # the file was opened, or could not be
        self._due = asyncio.Event()  # there is something to write
        self._urgent = asyncio.Event()  # ... and not a moment later
        self._settled = asyncio.Event()  # there is nothing to write
        self._available = asyncio.Event()  # there may be something to take
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._writer = self._group.create_task(self._keep_writing(), name="outbox")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what is left, for a second at most, and close the file."""
        self._writer.cancel()
        cancelled = isinstance(error, asyncio.CancelledError)
        try:
            await self._group.__aexit__(*((kind, error, traceback) if cancelled else (None, None, None)))
        finally:
            await self._close()

    def accept(self, message: Message) -> int:
        """Number a message and keep it. Never waits, never fails. Returns its number: 1, 2, 3 ... in each start."""
        self._seq += 1
        row = Row(message.priority, self.boot_id, self._seq, message.topic, message.payload)
        for gone in self._stage.add(row, spare=self._taken):
            self._drop({gone.priority: 1})
        self._must_write(urgent=row.priority is Priority.ALARM or len(self._stage) >= GATHER_ROWS)
        self._available.set()
        return self._seq

    def rewind(self) -> int:
        """Begin a connection: whatever was taken and not acknowledged is handed out again.

        Returns the number of the newest message: those up to it, and those of other starts, are history.
        """
        self._taken.clear()
        self._start_over()
        return self._seq

    async def take(self, limit: int) -> list[Row]:
        """Wait for messages; take 1 to `limit` in the order of sending: alarms first, in each class the oldest first.

        For one consumer. A cancelled call has taken nothing.
        """
        await self._file_tried()
        while True:
            self._available.clear()
            staged = [row for row in self._stage if row.id not in self._taken]
            filed = await self._read(limit)  # after the stage: what moves to the file meanwhile is in both
            merged = _merged(filed, staged)
            if rows := merged[:limit]:
                if len(merged) > limit:
                    self._seen = 0
                self._taken.update((row.id, row) for row in rows)
                self._cursor.update((row.priority, row) for row in rows)
                return rows
            await self._available.wait()

    def acknowledge(self, row: Row) -> None:
        """The broker has it: it is not handed out again, not even by a later start."""
        self._taken.pop(row.id, None)
        if self._stage.remove(row) and row.id not in self._attempted:
            return
        self._done[row.id] = row
        self._must_write(urgent=True)

    async def flush(self, limit_s: float) -> bool:
        """Wait until the file has everything that was accepted. False if that took longer than the limit."""
        self._urgent.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._stage or self._done:
                    await self._settled.wait()
                return True
        return False

    def figures(self) -> dict[str, float]:
        """For the health report."""
        return {
            "outbox_waiting": self._file.stock.rows + len(self._stage),
            "outbox_bytes": self._file.stock.size_bytes + self._stage.size_bytes,
            "outbox_in_memory": len(self._stage),
            **{f"outbox_dropped_{priority.name.lower()}": count for priority, count in self._dropped.items()},
        }

    async def _read(self, limit: int) -> list[Row]:
        """The next rows of the file that are neither on their way nor acknowledged; none if it cannot be read."""
        for _ in range(2):  # once more when it was opened anew
            try:
                return await self._read_on(limit)
            except Stuck:
                return []
            except (Damaged, SpoolFailed) as error:
                await self._mended(error)
        return []

    async def _read_on(self, limit: int) -> list[Row]:
        rows: list[Row] = []
        after = dict(self._cursor)
        while self._seen != self._changes and len(rows) < limit:
            changes = self._changes
            found = await self._file.read(dict(after), limit)
            after.update((row.priority, row) for row in found)
            rows += [row for row in found if row.id not in self._taken and row.id not in self._done]
            if len(found) < limit:
                self._seen = changes
        return rows

    async def _mended(self, error: Damaged | SpoolFailed) -> None:
        """Have the file opened anew, or rebuilt, before anything newer is sent."""
        self._file.doubt(error)
        self._tried.clear()
        self._must_write(urgent=True)
        await self._file_tried()

    async def _file_tried(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_OPEN_S):
                await self._tried.wait()

    async def _keep_writing(self) -> None:
        rebuilt = False
        while True:
            self._due.clear()
            self._urgent.clear()
            try:
                await self._write()
            except Damaged as error:
                self._file.doubt(error)
                if not rebuilt:
                    rebuilt = True
                    continue
                self._file_news.trouble(f"the outbox is damaged again at once: {error}", "Replace the disk")
            except SpoolFailed as error:
                self._file.doubt(error)
                self._file_news.trouble(error.problem, error.remedy)
            except Stuck:
                self._file_news.trouble("the outbox's disk does not answer", "Check the disk, then restart the board")
            else:
                rebuilt = False
                if self._file.wanted is Wanted.NOTHING:
                    self._file_news.well()
                    self._tried.set()
                await self._work()
                continue
            self._tried.set()
            await asyncio.sleep(self._retry_s)

    async def _work(self) -> None:
        """Wait until something must be written, or what was written must reach the medium."""
        if not self._stage and not self._done:
            self._settled.set()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._sync_by_s):
                    await self._due.wait()
        if self._due.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._urgent.wait()

    async def _write(self, *, durable: bool = False) -> None:
        """Bring the file up to date with what was accepted and acknowledged."""
        if await self._file.mend():
            self._start_over()
        new, done = list(self._stage), list(self._done.values())
        overdue = self._sync_by_s is not None and self._sync_by_s <= asyncio.get_running_loop().time()
        durable = durable or overdue or any(row.priority is Priority.ALARM for row in new)
        self._attempted.update(row.id for row in new)
        self._drop(await self._file.write(new, done, durable=durable, spare=list(self._taken.values())))
        for row in new:
            self._stage.remove(row)
        for row in done:
            self._done.pop(row.id, None)
        self._attempted.clear()
        self._changes += 1
        stock = self._file.stock
        if stock.rows <= self._room.rows and stock.size_bytes <= self._room.size_bytes:
            self._space_news.well()
        self._note_unsynced(durable=durable)

    def _note_unsynced(self, *, durable: bool) -> None:
        if durable or not self._file.stock.rows:  # nothing that a power cut could take
            self._sync_by_s = None
        elif self._sync_by_s is None:
            self._sync_by_s = asyncio.get_running_loop().time() + SYNC_S

    def _drop(self, dropped: Mapping[Priority, int]) -> None:
        for priority, count in dropped.items():
            self._dropped[priority] += count
        if dropped:
            self._space_news.trouble(
                "the outbox is full: the oldest messages of the lowest class are dropped",
                "Bring the broker back, or raise uplink.max_messages and uplink.max_bytes",
                Condition.DEGRADED,
            )

    def _must_write(self, *, urgent: bool) -> None:
        self._settled.clear()
        self._due.set()
        if urgent:
            self._urgent.set()

    def _start_over(self) -> None:
        self._cursor.clear()
        self._changes += 1
        self._available.set()

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(LAST_WRITE_S):
                await self._write(durable=True)
        except (Damaged, SpoolFailed, Stuck, TimeoutError) as error:
            problem = f"{len(self._stage)} messages are lost, as the outbox could not be written: {error}"
            self._file_news.trouble(problem, "Check the disk")
        await self._file.close(LAST_CLOSE_S)


def _merged(filed: Sequence[Row], staged: Sequence[Row]) -> list[Row]:
    """Both in the order of sending. In each class the file's come first: they are older."""
    known = {row.id for row in filed}
    rows = [*filed, *(row for row in staged if row.id not in known)]
    return sorted(rows, key=lambda row: row.priority)  # stable
