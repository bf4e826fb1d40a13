"""Remembers what derived signals go on from, in one JSON file. A disk that is full, gone or slow never stops them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from drivers.clock import Clock
from drivers.types import NS_PER_S, Instant, SourceId
from drivers.worker import Stuck, Worker
from firmware.derived.memory import Memory
from firmware.observations import Condition
from firmware.supervisor import Pulse

SAVE_NS = 3600 * NS_PER_S  # what a power cut costs at most; a memory card lasts for years of it
MAX_BYTES = 4 * 1024 * 1024  # of the file: some hundred devices
LIMIT_S = 5.0  # a worn SD card takes up to a second or two to sync
LAST_SAVE_S = 0.5  # of the two seconds in which the firmware stops
HALF = ".half"

Report = Callable[[Condition, str, str], None]
"""Told once at each change: condition, problem, remedy."""


class Saved(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The file. `at` is when that was on the clock of then, `wall_ns` by the wall if that could be trusted."""

    version: Literal[1] = 1
    at: Instant
    wall_ns: int | None
    sources: dict[SourceId, Memory]


class DerivedStore:
    """Written once an hour and at the end: to a new file, which then takes the place of the old one."""

    def __init__(self, path: Path, clock: Clock, *, wall_ns: Callable[[], int | None], report: Report) -> None:
        """`wall_ns` gives nanoseconds since 1970, or None while the clock is not synchronised."""
        self._path = path
        self._clock = clock
        self._wall_ns = wall_ns
        self._report = report
        self._worker = Worker("derived")
        self._problem = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._worker.stuck:  # otherwise the thread hangs in the kernel and ends with the process
            self._worker.close()

    async def load(self) -> Mapping[SourceId, Memory]:
        """What was remembered, moved to the clock of now; nothing, and a report, if the file cannot be used."""
        try:
            content = await self._worker.run(_read, self._path, limit_s=LIMIT_S)
            if content is None:
                return {}
            saved = msgspec.json.decode(content, type=Saved)
        except (OSError, Stuck) as error:
            self._trouble(error)
            return {}
        except msgspec.MsgspecError as error:
            await self._set_aside(str(error))
            return {}
        outage_ns = self._outage_ns(saved.wall_ns)
        for memory in saved.sources.values():
            memory.moved(self._clock.now() - saved.at - (outage_ns or 0), outage_known=outage_ns is not None)
        return saved.sources

    async def save(self, memory: Mapping[SourceId, Memory], *, limit_s: float = LIMIT_S) -> None:
        """Write it all; what cannot be written is told once, and tried again with the next call."""
        saved = Saved(at=self._clock.now(), wall_ns=self._wall_ns(), sources=dict(memory))
        content = msgspec.json.encode(saved)  # here and now: what is remembered changes while the disk is asked
        try:
            await self._worker.run(_write, self._path, content, limit_s=limit_s)
        except (OSError, Stuck) as error:
            self._trouble(error)
        else:
            self._well()

    async def keep(self, memory: Mapping[SourceId, Memory], *, pulse: Pulse) -> None:
        """Save `memory` once an hour until cancelled, and then once more."""
        try:
            while True:
                pulse.rest()
                await self._clock.sleep_until(Instant(self._clock.now() + SAVE_NS))
                pulse.beat()
                await self.save(memory)
        finally:
            await self.save(memory, limit_s=LAST_SAVE_S)

    def _outage_ns(self, saved_ns: int | None) -> int | None:
        """None if either clock was not to be trusted, or if it went back."""
        now_ns = self._wall_ns()
        return None if saved_ns is None or now_ns is None or now_ns < saved_ns else now_ns - saved_ns

    async def _set_aside(self, damage: str) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged")
        try:
            await self._worker.run(os.replace, self._path, aside, limit_s=LIMIT_S)
        except (OSError, Stuck) as error:
            self._trouble(error)
        self._report(
            Condition.DEGRADED,
            f"{self._path} is damaged ({damage}): what is usual is learned anew, the old file is {aside.name}",
            "Check the disk or memory card: if it happens again, replace it",
        )

    def _trouble(self, error: OSError | Stuck) -> None:
        problem = f"no answer for {LIMIT_S:g} s" if isinstance(error, Stuck) else error.strerror or str(error)
        if problem != self._problem:
            self._problem = problem
            self._report(
                Condition.DEGRADED,
                f"{self._path}: {problem}: what was learned lasts until the next power cut only",
                f"Look with `df -h` and `ls -l` whether {self._path.parent} has room and the firmware may write there",
            )

    def _well(self) -> None:
        if self._problem:
            self._problem = ""
            self._report(Condition.RECOVERED, f"{self._path}: what was learned is remembered again", "")


def _read(path: Path) -> bytes | None:
    """None where there is no file yet. What is beyond the bound is cut off, and so damaged."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    """After a power cut there is the old file or the new one. Raises OSError, and then there is the old one."""
    half = path.with_name(path.name + HALF)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the name too
    finally:
        os.close(folder)
