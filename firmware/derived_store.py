"""Remembers what derived signals go on from, in one JSON file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from drivers.clock import Clock
from drivers.types import NS_PER_S, Instant, SourceId
from firmware.alarms.store import outage_ns
from firmware.derived.memory import Memory
from firmware.kept_file import LAST_SAVE_S, LIMIT_S, KeptFile, Losses, Report
from firmware.supervisor import Pulse

SAVE_NS = 3600 * NS_PER_S  # what a power cut costs at most; a memory card lasts for years of it
MAX_BYTES = 4 * 1024 * 1024  # of the file: some hundred devices
LOSSES = Losses(
    damaged="what is usual is learned anew",
    unwritten="what was learned lasts until the next power cut only",
    written_again="what was learned is remembered again",
)


class Saved(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The file. `at` is when that was on the clock of then, `wall_ns` by the wall if that could be trusted."""

    version: Literal[1] = 1
    at: Instant
    wall_ns: int | None
    sources: dict[SourceId, Memory]


class DerivedStore:
    """Written once an hour and at the end."""

    def __init__(self, path: Path, clock: Clock, *, wall_ns: Callable[[], int | None], report: Report) -> None:
        """`wall_ns` gives nanoseconds since 1970, or None while the clock is not synchronised."""
        self._file = KeptFile(path, Saved, max_bytes=MAX_BYTES, losses=LOSSES, report=report)
        self._clock = clock
        self._wall_ns = wall_ns

    async def __aenter__(self) -> Self:
        await self._file.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._file.__aexit__(kind, error, traceback)

    async def load(self) -> Mapping[SourceId, Memory]:
        """What was remembered, moved to the clock of now; nothing, and a report, if the file cannot be used."""
        saved = await self._file.load()
        if saved is None:
            return {}
        off_ns = outage_ns(saved.wall_ns, self._wall_ns())
        for memory in saved.sources.values():
            memory.moved(self._clock.now() - saved.at - (off_ns or 0), outage_known=off_ns is not None)
        return saved.sources

    async def save(self, memory: Mapping[SourceId, Memory], *, limit_s: float = LIMIT_S) -> None:
        """Write it all; what cannot be written is told once, and tried again with the next call."""
        saved = Saved(at=self._clock.now(), wall_ns=self._wall_ns(), sources=dict(memory))
        await self._file.save(saved, limit_s=limit_s)

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
