"""Who is alive: a device's failure is said once, and its recovery once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from drivers.errors import DriverError
from drivers.types import NS_PER_S, Instant, Quantity, Reading, SourceId
from firmware.observations import Condition, HealthChange, Observation


@dataclass(slots=True)
class _Life:
    alive: bool
    since: Instant
    problem: str = ""
    failures: int = 0


class Vitals:
    """The state of each watched device. Changes go to `say` as `HealthChange`, with an ALIVE reading for the rules."""

    def __init__(self, say: Callable[[Observation], None], now: Callable[[], Instant]) -> None:
        self._say = say
        self._now = now
        self._lives: dict[SourceId, _Life] = {}

    def well(self, source: SourceId) -> None:
        """The device did what was asked of it."""
        life = self._lives.get(source)
        now = self._now()
        if life is None:
            self._lives[source] = _Life(alive=True, since=now)
            self._say_alive(source, now)
        elif not life.alive:
            away_s = (now - life.since) / NS_PER_S
            life.alive, life.since, life.problem = True, now, ""
            self._change(source, Condition.RECOVERED, f"back after {away_s:.0f} s", "")

    def failed(self, error: DriverError) -> None:
        """The device failed; said again only if the problem is another one than the last, whatever its figures: 200
        bytes of noise and then 192 are no news."""
        now = self._now()
        life = self._lives.setdefault(error.source, _Life(alive=True, since=now))
        life.failures += 1
        if life.alive:
            life.alive, life.since = False, now
        if _figures_aside(life.problem) != _figures_aside(error.problem):
            life.problem = error.problem
            self._change(error.source, Condition.FAILED, error.problem, error.remedy)

    @property
    def failures(self) -> int:
        """How often any device has failed since the start."""
        return sum(life.failures for life in self._lives.values())

    def repeat(self) -> None:
        """Say an ALIVE reading of every device again: a signal that falls silent would be unknown to the rules."""
        for source in self._lives:
            self._say_alive(source, self._now())

    def _change(self, source: SourceId, condition: Condition, problem: str, remedy: str) -> None:
        now = self._now()
        self._say(HealthChange(source=source, condition=condition, problem=problem, remedy=remedy, at=now))
        self._say_alive(source, now)

    def _say_alive(self, source: SourceId, now: Instant) -> None:
        alive = float(self._lives[source].alive)
        self._say(Reading(source=source, quantity=Quantity.ALIVE, value=alive, at=now))


def _figures_aside(problem: str) -> str:
    return re.sub(r"\d+", "#", problem)
