"""The firmware's side of a model on trial: starts its process, asks it, and ends it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from firmware.photography import Shot
from firmware.update.questions import (
    LENGTH,
    Answer,
    Judge,
    Judged,
    Loaded,
    Measure,
    Measured,
    Question,
    Refused,
    answer_of,
    length_of,
    packed,
    view_of,
)
from ota.errors import Busy

LOAD_LIMIT_S = 60.0  # Python, LiteRT and two models on a slow card: some 20 times what a Pi 4 needs
ANSWER_LIMIT_S = 20.0  # for one picture, some thousand times the usual
END_LIMIT_S = 5.0
PROGRAM = (sys.executable, "-m", "firmware.update.candidate")
URGENT_BELOW = 10  # less urgent than what counts, by so much: sched(7)


Expected = TypeVar("Expected", Loaded, Judged, Measured)


class Failed(Exception):
    """The model cannot be used: it was refused, crashed, hung or answered with nonsense. The message says which."""


class Trial:
    """A model in a process of its own. One question at a time."""

    def __init__(self, bundle: Path, *, beside: Path, priority: int, program: Sequence[str] = PROGRAM) -> None:
        """`beside` is the bundle that is in use; `priority` is the firmware's own (`firmware.realtime`)."""
        self._command = [
            *(*program, str(bundle)),
            *("--beside", str(beside), "--priority", str(max(1, priority - URGENT_BELOW) if priority else 0)),
        ]
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        """Raises `Busy` where the board has no room for one more process."""
        try:
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE)
        except OSError as error:
            problem = f"no process for a new model can be started: {error.strerror or error}"
            raise Busy(problem, remedy="Look with `free` what takes the board's memory") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            with contextlib.suppress(TimeoutError):  # hangs in the kernel: it ends some time, and holds up nothing
                async with asyncio.timeout(END_LIMIT_S):
                    await process.communicate()

    async def loaded(self, limit_s: float = LOAD_LIMIT_S) -> Loaded:
        """What it made of its golden pictures. To be asked first. Raises `Failed`."""
        answer = await self._answer(limit_s)
        if isinstance(answer, Refused):
            raise Failed(answer.problem)
        return _as(Loaded, answer)

    async def measure(self, seconds: float) -> list[float]:
        """ms of each picture in that time. Raises `Failed`."""
        return _as(Measured, await self._ask(Measure(seconds=seconds), limit_s=seconds + ANSWER_LIMIT_S)).times_ms

    async def judge(self, shot: Shot) -> Judged:
        """Raises `Failed`."""
        lit, dark = shot.lit, shot.dark
        question = Judge(source=lit.source, lit=view_of(lit), dark=None if dark is None else view_of(dark))
        payloads = [lit.payload] if dark is None else [lit.payload, dark.payload]
        return _as(Judged, await self._ask(question, *payloads, limit_s=ANSWER_LIMIT_S))

    async def _ask(self, question: Question, *payloads: memoryview, limit_s: float) -> Answer:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            async with asyncio.timeout(limit_s):
                self._process.stdin.write(b"".join([packed(question), *payloads]))
                await self._process.stdin.drain()
        except TimeoutError:
            raise Failed(f"it took no question for {limit_s:g} s") from None
        except ConnectionError:
            pass  # it has ended: reading its answer tells how
        return await self._answer(limit_s)

    async def _answer(self, limit_s: float) -> Answer:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(limit_s):
                head = await self._process.stdout.readexactly(LENGTH.size)
                return answer_of(await self._process.stdout.readexactly(length_of(head)))
        except TimeoutError:
            raise Failed(f"no answer for {limit_s:g} s") from None
        except asyncio.IncompleteReadError:
            raise Failed(f"its process ended: {await self._how_it_ended()}") from None
        except (ValueError, msgspec.MsgspecError) as error:
            raise Failed(f"its process answered with nonsense: {error}") from error

    async def _how_it_ended(self) -> str:
        assert self._process is not None
        try:
            async with asyncio.timeout(END_LIMIT_S):
                code = await self._process.wait()
        except TimeoutError:
            return "it closed its output"
        return f"killed by signal {-code}" if code < 0 else f"exit status {code}"


def _as(kind: type[Expected], answer: Answer) -> Expected:
    if not isinstance(answer, kind):
        raise Failed(f"its process answered something else than it was asked: {type(answer).__name__}")
    return answer
