"""Says once that something of the uplink fails, and once that it works again."""

from __future__ import annotations

from collections.abc import Callable

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.observations import Condition, HealthChange


class News:
    """What was said last of one thing. Said again only if the problem is another one."""

    def __init__(self, source: SourceId, report: Callable[[HealthChange], None], now: Callable[[], Instant]) -> None:
        self._source = source
        self._report = report
        self._now = now
        self._problem: str | None = None
        self._since = now()

    def trouble(self, problem: str, remedy: str, condition: Condition = Condition.FAILED) -> None:
        if problem == self._problem:
            return
        if self._problem is None:
            self._since = self._now()
        self._problem = problem
        self._say(condition, problem, remedy)

    def well(self) -> None:
        if self._problem is None:
            return
        self._problem = None
        self._say(Condition.RECOVERED, f"back after {(self._now() - self._since) / NS_PER_S:.0f} s", "")

    def _say(self, condition: Condition, problem: str, remedy: str) -> None:
        self._report(
            HealthChange(source=self._source, condition=condition, problem=problem, remedy=remedy, at=self._now())
        )
