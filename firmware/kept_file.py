"""One JSON file that outlives power cuts. A disk that is full, gone or slow never stops whoever keeps it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

import msgspec

from drivers.worker import Stuck, Worker
from firmware.observations import Condition

LIMIT_S = 5.0  # a worn SD card takes up to a second or two to sync
LAST_SAVE_S = 0.5  # of the two seconds in which the firmware stops
HALF = ".half"

T = TypeVar("T")
Report = Callable[[Condition, str, str], None]
"""Told once at each change: condition, problem, remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What it means for the board, in words: that the file is damaged, cannot be written, and can be again."""

    damaged: str
    unwritten: str
    written_again: str


class KeptFile(Generic[T]):
    """Written to a new file that then takes the place of the old one: there is always a whole one."""

    def __init__(self, path: Path, kind: type[T], *, max_bytes: int, losses: Losses, report: Report) -> None:
        """`kind` is what msgspec makes of the file, which has at most `max_bytes`."""
        self._path = path
        self._decoder = msgspec.json.Decoder(kind)
        self._max_bytes = max_bytes
        self._losses = losses
        self._report = report
        self._worker = Worker(path.stem)
        self._problem = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._worker.stuck:  # otherwise the thread hangs in the kernel and ends with the process
            self._worker.close()

    async def load(self) -> T | None:
        """None if there is no file yet, and, with a report, if it cannot be used. A damaged one is set aside."""
        try:
            content = await self._worker.run(_read, self._path, self._max_bytes, limit_s=LIMIT_S)
            return None if content is None else self._decoder.decode(content)
        except (OSError, Stuck) as error:
            self._trouble(error)
        except msgspec.MsgspecError as error:
            await self._set_aside(str(error))
        return None

    async def save(self, content: T, *, limit_s: float = LIMIT_S) -> None:
        """Write it all; what cannot be written is told once, and tried again with the next call."""
        encoded = msgspec.json.encode(content)  # here and now: it may change while the disk is asked
        try:
            await self._worker.run(write, self._path, encoded, limit_s=limit_s)
        except (OSError, Stuck) as error:
            self._trouble(error)
        else:
            self._well()

    async def _set_aside(self, damage: str) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged")
        try:
            await self._worker.run(os.replace, self._path, aside, limit_s=LIMIT_S)
        except (OSError, Stuck) as error:
            self._trouble(error)
        self._report(
            Condition.DEGRADED,
            f"{self._path} is damaged ({damage}): {self._losses.damaged}, the old file is {aside.name}",
            "Check the disk or memory card: if it happens again, replace it",
        )

    def _trouble(self, error: OSError | Stuck) -> None:
        problem = f"no answer for {LIMIT_S:g} s" if isinstance(error, Stuck) else error.strerror or str(error)
        if problem != self._problem:
            self._problem = problem
            self._report(
                Condition.DEGRADED,
                f"{self._path}: {problem}: {self._losses.unwritten}",
                f"Look with `df -h` and `ls -l` whether {self._path.parent} has room and the firmware may write there",
            )

    def _well(self) -> None:
        if self._problem:
            self._problem = ""
            self._report(Condition.RECOVERED, f"{self._path}: {self._losses.written_again}", "")


def _read(path: Path, max_bytes: int) -> bytes | None:
    """None where there is no file yet. What is beyond the bound is cut off, and so damaged."""
    try:
        with path.open("rb") as file:
            return file.read(max_bytes)
    except FileNotFoundError:
        return None


def write(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """After a power cut there is the old file or the new one. Raises OSError, and then there is the old one.

    `mode` is who may read it, if that is not to be what the process says.
    """
    half = path.with_name(path.name + HALF)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
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
