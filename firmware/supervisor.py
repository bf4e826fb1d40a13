"""Keeps services running: one that fails in an expected way starts again by itself, anything else ends the process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from drivers.clock import Clock
from drivers.errors import DriverError
from drivers.types import NS_PER_S, Instant

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 4.0  # a technician who plugs a cable back in should not wait longer than this
JITTER = 0.2  # of the delay: services that failed together do not all come back together
STEADY_S = 120.0  # a service that ran this long has recovered: its next failure starts with the first delay again


class Pulse:
    """A service's sign of life. Between two beats it may be silent for `limit_s` of real time, not longer."""

    def __init__(self, limit_s: float, now_s: Callable[[], float]) -> None:
        self._limit_s = limit_s
        self._now_s = now_s
        self._last_s = now_s()
        self._resting = False

    def beat(self) -> None:
        self._last_s = self._now_s()
        self._resting = False

    def rest(self) -> None:
        """Nothing to do, or stopped until the next try: silence is fine until the next beat."""
        self._resting = True

    @property
    def missed(self) -> bool:
        return not self._resting and self._now_s() - self._last_s > self._limit_s


class Start(Protocol):
    """Runs until it is cancelled, and beats or rests the pulse in time."""

    def __call__(self, *, pulse: Pulse) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Service:
    """Something that runs until it is cancelled. It starts again after `restart_on`; nothing else may end it."""

    name: str
    start: Start
    pulse_limit_s: float
    restart_on: tuple[type[DriverError], ...] = ()


def retry_delay_s(failures_in_a_row: int, chance: float) -> float:
    """Seconds before the next start: doubling, capped, spread by `chance` (0..1) to ± JITTER."""
    delay_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures_in_a_row - 1, 16))
    return delay_s * (1 + JITTER * (2 * chance - 1))


class Supervisor:
    """Runs all services in one TaskGroup. Expected failures go to `failed`, and the service starts again."""

    def __init__(
        self,
        services: Sequence[Service],
        *,
        clock: Clock,
        failed: Callable[[DriverError], None],
        chance: Callable[[], float],
    ) -> None:
        now_s = asyncio.get_running_loop().time
        self._services = [(service, Pulse(service.pulse_limit_s, now_s)) for service in services]
        self._clock = clock
        self._failed = failed
        self._chance = chance
        self.restarts = 0

    async def run(self) -> None:
        """Never returns: is cancelled, or raises the ExceptionGroup of what was not expected."""
        async with asyncio.TaskGroup() as group:
            for service, pulse in self._services:
                group.create_task(self._keep_running(service, pulse), name=service.name)

    def silent(self) -> list[str]:
        """Names of services that have missed their pulse. The watchdog is fed only while there are none."""
        return [service.name for service, pulse in self._services if pulse.missed]

    async def _keep_running(self, service: Service, pulse: Pulse) -> None:
        failures_in_a_row = 0
        while True:
            started = self._clock.now()
            pulse.beat()
            try:
                await service.start(pulse=pulse)
            except service.restart_on as error:
                self._failed(error)
            else:
                raise RuntimeError(f"service {service.name} ended by itself")
            pulse.rest()
            self.restarts += 1
            steady = self._clock.now() - started > STEADY_S * NS_PER_S
            failures_in_a_row = 1 if steady else failures_in_a_row + 1
            await self._clock.sleep_until(self._later(retry_delay_s(failures_in_a_row, self._chance())))

    def _later(self, delay_s: float) -> Instant:
        return Instant(self._clock.now() + round(delay_s * NS_PER_S))
