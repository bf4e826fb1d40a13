"""Remembers alarms across power cuts. A disk that is full, gone, slow or damaged never stops the watching."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from drivers.worker import Stuck, Worker
from firmware.alarms.database import Damaged, Database, JournalEntry, Unavailable
from firmware.alarms.types import AlarmRecord, Transition
from firmware.observations import Condition

LIMIT_S = 5.0  # for one transaction: a worn SD card takes up to a second or two to sync
LAST_SAVE_S, LAST_CLOSE_S = (
    0.5,
    0.2,
)  # of the two seconds in which the firmware stops: what is left are delays under way
MAX_UNWRITTEN = 1_000  # transitions kept in memory while the disk takes none; beyond it the oldest are lost and counted

T = TypeVar("T")
Report = Callable[[Condition, str, str], None]
"""Told once at each change: condition, problem, remedy."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the last run left: its alarms, and how long ago that was. None if either clock was not to be trusted."""

    records: tuple[AlarmRecord, ...]
    outage_ns: int | None


class AlarmStore:
    """The alarms as they stand and a journal of who moved which, when and why: the last `JOURNAL_ROWS` moves."""

    def __init__(self, path: Path, *, wall_ns: Callable[[], int | None], report: Report) -> None:
        """`wall_ns` gives nanoseconds since 1970, or None while the clock is not synchronised."""
        self._path = path
        self._wall_ns = wall_ns
        self._report = report
        self._database = Database(path)
        self._worker = Worker("alarms")
        self._run = secrets.token_hex(4)
        self._noted = 0
        self._lost = 0
        self._unwritten: deque[JournalEntry] = deque(maxlen=MAX_UNWRITTEN)
        self._problem = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._worker.run(self._database.close, limit_s=LAST_CLOSE_S)
        except Stuck:
            return  # the thread hangs in the kernel and ends with the process
        self._worker.close()

    async def load(self) -> Remembered:
        """What was remembered; nothing, and a report, if the file cannot be read."""
        try:
            records, saved_ns = await self._do(self._database.load)
        except (Unavailable, Stuck) as error:
            self._trouble(error)
            return Remembered((), None)
        self._well()
        return Remembered(records, outage_ns(saved_ns, self._wall_ns()))

    async def save(
        self, records: Iterable[AlarmRecord], transitions: Iterable[Transition], *, limit_s: float = LIMIT_S
    ) -> None:
        """Write the alarms as they stand, and how they came there. What cannot be written goes with the next call.

        One caller at a time.
        """
        wall_ns = self._wall_ns()
        for transition in transitions:
            self._lost += len(self._unwritten) == MAX_UNWRITTEN
            self._unwritten.append(JournalEntry(self._run, self._noted, wall_ns, transition))
            self._noted += 1
        entries = tuple(self._unwritten)
        try:
            await self._do(self._database.save, tuple(records), entries, wall_ns, limit_s=limit_s)
        except (Unavailable, Stuck) as error:
            self._trouble(error, limit_s)
            return
        self._unwritten.clear()
        self._well()

    async def journal(self, limit: int) -> Sequence[JournalEntry]:
        """The last moves that are on disk, oldest first; none, and a report, if it cannot be read."""
        try:
            return await self._do(self._database.journal, limit)
        except (Unavailable, Stuck) as error:
            self._trouble(error)
            return ()

    async def _do(self, call: Callable[..., T], *arguments: Any, limit_s: float = LIMIT_S) -> T:
        try:
            return await self._worker.run(call, *arguments, limit_s=limit_s)
        except Damaged as damage:
            aside = await self._worker.run(self._database.set_aside, limit_s=limit_s)
            self._say(
                f"{self._path} is damaged ({damage}): alarms are remembered anew, the old file is {aside.name}",
                "Check the disk or memory card: if it happens again, replace it",
            )
        try:
            return await self._worker.run(call, *arguments, limit_s=limit_s)
        except Damaged as damage:
            raise Unavailable(f"damaged again at once: {damage}") from damage

    def _trouble(self, error: Unavailable | Stuck, limit_s: float = LIMIT_S) -> None:
        problem = str(error) if isinstance(error, Unavailable) else f"no answer for {limit_s:g} s"
        self._say(
            f"{self._path}: {problem}: alarms are remembered until the next power cut only",
            f"Look with `df -h` and `ls -l` whether the firmware may write to {self._path.parent} and has room there",
        )

    def _say(self, problem: str, remedy: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._report(Condition.DEGRADED, problem, remedy)

    def _well(self) -> None:
        if self._problem:
            lost = f"; {self._lost} moves did not fit in memory and are not in the journal" if self._lost else ""
            self._problem, self._lost = "", 0
            self._report(Condition.RECOVERED, f"{self._path}: alarms are remembered again{lost}", "")


def outage_ns(saved_ns: int | None, now_ns: int | None) -> int | None:
    """Time between two wall times; None if one is missing, or if the clock went back."""
    if saved_ns is None or now_ns is None or now_ns < saved_ns:
        return None
    return now_ns - saved_ns
