"""The spool in a thread of its own: opened when it is needed, and opened anew or rebuilt where it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from functools import partial
from pathlib import Path

from drivers.worker import Stuck, Worker
from firmware.observations import Condition
from firmware.uplink.news import News
from firmware.uplink.salvage import Salvage, open_spool
from firmware.uplink.spool import Damaged, Row, Spool, SpoolFailed, Stock
from firmware.uplink.wire import Priority

OPEN_LIMIT_S = 60.0  # opening reads the whole file: 32 MiB from a slow card, and writes it anew if it is damaged
CALL_LIMIT_S = 10.0  # a worn memory card stalls for seconds


class Wanted(Enum):
    """What is to be done with the file before it is written again."""

    NOTHING = "nothing"
    OPEN = "open"
    REBUILD = "rebuild"


class SpoolThread:
    """Calls raise `Damaged`, `SpoolFailed`, or `Stuck` where the disk does not answer. `news` hears of repairs."""

    def __init__(self, path: Path, boot_id: str, *, max_rows: int, max_bytes: int, news: News) -> None:
        self.wanted = Wanted.OPEN
        self.stock = Stock(0, 0)
        self._held = _Held(partial(open_spool, path, boot_id, max_rows=max_rows, max_bytes=max_bytes))
        self._news = news
        self._worker = Worker("outbox")
        self._reading: asyncio.Future[list[Row]] | None = None

    async def mend(self) -> bool:
        """Do what is wanted. Returns whether the file was opened anew. Raises `SpoolFailed` or `Stuck`."""
        if self.wanted is Wanted.NOTHING:
            return False
        rebuild = self.wanted is Wanted.REBUILD
        self.stock, salvage = await self._worker.run(self._held.open, rebuild, limit_s=OPEN_LIMIT_S)
        self.wanted = Wanted.NOTHING
        if salvage is not None:
            self._news.trouble(
                f"the outbox was damaged: {salvage.saved} messages were saved, a new file is in use",
                f"If it happens again, check the disk. The damaged file is {salvage.kept_as}",
                Condition.DEGRADED,
            )
        return True

    def doubt(self, error: Damaged | SpoolFailed) -> None:
        """Want what helps against this error."""
        if isinstance(error, Damaged):
            self.wanted = Wanted.REBUILD
        elif error.reopen and self.wanted is Wanted.NOTHING:
            self.wanted = Wanted.OPEN

    async def read(self, after: Mapping[Priority, Row], limit: int) -> list[Row]:
        """See `Spool.read`. Nothing, where the file is not open. For one reader, which may give up at any moment.

        What was given up is read all the same, and waited for by the next call: the worker never has two to do.
        """
        if self._reading is not None:
            await asyncio.wait([self._reading])
        self._reading = asyncio.ensure_future(self._worker.run(self._held.read, after, limit, limit_s=CALL_LIMIT_S))
        self._reading.add_done_callback(_noted)
        return await asyncio.shield(self._reading)

    async def write(
        self, new: Sequence[Row], done: Sequence[Row], *, durable: bool, spare: Collection[Row]
    ) -> Mapping[Priority, int]:
        """See `Spool.write`; returns what had to go. With nothing to write, only wait for the medium if asked to."""
        if not (new or done or durable):
            return {}
        write = partial(self._held.write, new, done, durable=durable, spare=spare)
        stock = await self._worker.run(write, limit_s=CALL_LIMIT_S)
        self.stock = Stock(stock.rows, stock.size_bytes)
        return stock.dropped

    async def close(self, limit_s: float) -> None:
        """Close the file and let the thread end. A disk that hangs is left to itself: then closed later."""
        self._held.given_up = True
        with suppress(Stuck):
            await self._worker.run(self._held.close, limit_s=limit_s)
        self._worker.close()


def _noted(reading: asyncio.Future[list[Row]]) -> None:
    """Its reader may be gone, and asyncio would log the error as lost."""
    if not reading.cancelled():
        reading.exception()


class _Held:
    """What belongs to the thread: the open file, if there is one. Nobody need wait for the end of a call."""

    def __init__(self, open_now: Callable[..., tuple[Spool, Salvage | None]]) -> None:
        self.given_up = False  # set from outside: whatever call there is, is the last
        self._open_now = open_now
        self._spool: Spool | None = None

    def open(self, rebuild: bool) -> tuple[Stock, Salvage | None]:
        with self._perhaps_the_last():
            self.close()
            self._spool, salvage = self._open_now(rebuild=rebuild)
            return self._spool.stock, salvage

    def read(self, after: Mapping[Priority, Row], limit: int) -> list[Row]:
        with self._perhaps_the_last():
            return [] if self._spool is None else self._spool.read(after, limit)

    def write(self, new: Sequence[Row], done: Sequence[Row], *, durable: bool, spare: Collection[Row]) -> Stock:
        with self._perhaps_the_last():
            if self._spool is None:
                raise SpoolFailed("the outbox is not open", remedy="It is opened again by itself")
            if new or done:
                return self._spool.write(new, done, durable=durable, spare=spare)
            self._spool.sync()
            return self._spool.stock

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    @contextmanager
    def _perhaps_the_last(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self.given_up:
                self.close()
