"""Remembers a cleaning that is under way over power cuts, pictures from before it included; and writes its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from drivers.clock import Clock
from drivers.types import Instant
from drivers.worker import Stuck, Worker
from firmware.alarms.store import outage_ns
from firmware.cleaning.course import check
from firmware.cleaning.record import Outcome, Scene, Step
from firmware.cleaning_reports import Reports
from firmware.kept_file import LIMIT_S, KeptFile, Losses, Report
from firmware.observations import Condition

MAX_BYTES = 64 * 1024 * 1024  # of the file: some forty cameras with a megabyte each
WRITE_LIMIT_S = 20.0  # of a report
LOSSES = Losses(
    damaged="a cleaning that was under way is forgotten",
    unwritten="a power cut would forget the cleaning that is under way",
    written_again="the cleaning under way is remembered again",
)
ROOM = "Free space in the data directory, or lower [cleaning] keep_reports."


@dataclass(slots=True, kw_only=True)
class UnderWay:
    """A cleaning so far. `interrupted`: the board was off meanwhile for nobody knows how long."""

    steps: list[Step]
    before: Scene
    interrupted: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for steps that are not those of one."""
        check(self.steps)


class Saved(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The file. `at` is when that was on the clock of then, `wall_ns` by the wall if that could be trusted."""

    version: Literal[1] = 1
    at: Instant
    wall_ns: int | None
    under_way: UnderWay | None


class CleaningStore:
    """A disk that is full, gone or slow stops no cleaning: what it takes away is reported."""

    def __init__(
        self, path: Path, reports: Reports, clock: Clock, *, wall_ns: Callable[[], int | None], report: Report
    ) -> None:
        """`wall_ns` gives nanoseconds since 1970, or None while the clock is not synchronised."""
        self._file = KeptFile(path, Saved, max_bytes=MAX_BYTES, losses=LOSSES, report=report)
        self._reports = reports
        self._clock = clock
        self._wall_ns = wall_ns
        self._report = report
        self._worker = Worker("reports")

    async def __aenter__(self) -> Self:
        await self._file.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._file.__aexit__(kind, error, traceback)
        if not self._worker.stuck:
            self._worker.close()

    async def load(self) -> UnderWay | None:
        """What was under way, moved to the clock of now; None, with a report, if the file cannot be used."""
        saved = await self._file.load()
        if saved is None or saved.under_way is None:
            return None
        off_ns = outage_ns(saved.wall_ns, self._wall_ns())
        by_ns = self._clock.now() - saved.at - (off_ns or 0)
        steps = [_moved(step, by_ns) for step in saved.under_way.steps]
        interrupted = saved.under_way.interrupted or off_ns is None
        return UnderWay(steps=steps, before=saved.under_way.before, interrupted=interrupted)

    async def save(self, under_way: UnderWay | None, *, limit_s: float = LIMIT_S) -> None:
        """Write it all, or that there is none."""
        saved = Saved(at=self._clock.now(), wall_ns=self._wall_ns(), under_way=under_way)
        await self._file.save(saved, limit_s=limit_s)

    async def write_report(self, outcome: Outcome) -> str | None:
        """Its path below the data directory; None, with a report of that, if it cannot be written."""
        try:
            return await self._worker.run(self._reports.write, outcome, limit_s=WRITE_LIMIT_S)
        except OSError as error:
            problem = error.strerror or str(error)
        except Stuck:
            problem = f"no answer for {WRITE_LIMIT_S:g} s"
        self._report(Condition.DEGRADED, f"the report of the cleaning cannot be written: {problem}", ROOM)
        return None


def _moved(step: Step, by_ns: int) -> Step:
    """As seen on a clock that shows `by_ns` more."""
    return replace(step, moment=replace(step.moment, at=Instant(step.moment.at + by_ns)))
