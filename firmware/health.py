"""The board's report on itself: latency, losses, restarts, and the signals that rules watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.clock import Clock
from drivers.types import NS_PER_S, Quantity, Reading
from firmware.observations import BOARD, HealthReport, Observation
from firmware.sampling import every
from firmware.supervisor import Pulse
from model.budget import LatencyBudget

NS_PER_MS = 1_000_000
LAG_PERIOD_S = 1.0


class LoopLag:
    """How late the event loop wakes, in milliseconds: the worst since it was last asked."""

    def __init__(self) -> None:
        self._worst_ms = 0.0

    async def watch(self, pulse: Pulse) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + LAG_PERIOD_S
            await asyncio.sleep(LAG_PERIOD_S)
            self._worst_ms = max(self._worst_ms, (loop.time() - due_s) * 1000)
            pulse.beat()

    def take_worst_ms(self) -> float:
        worst_ms, self._worst_ms = self._worst_ms, 0.0
        return worst_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Where the figures come from. `figures` are asked anew for each report."""

    budget: LatencyBudget
    lag: LoopLag
    figures: Callable[[], Mapping[str, float]]

    def report(self, clock: Clock) -> HealthReport:
        percentiles = self.budget.percentiles_ns((0.5, 0.99, 0.999, 1.0))
        latency = dict(zip(("p50", "p99", "p999", "max"), percentiles, strict=True))
        return HealthReport(
            figures={
                **{f"latency_{name}_ms": value / NS_PER_MS for name, value in latency.items()},
                "verdicts": self.budget.count,
                "budget_overruns": self.budget.overruns,
                "loop_lag_max_ms": self.lag.take_worst_ms(),
                "uptime_s": clock.now() / NS_PER_S,
                **self.figures(),
            },
            at=clock.now(),
        )

    def signals(self, clock: Clock) -> list[Reading]:
        """What rules can watch, among the figures."""
        figures = self.figures()
        values = {
            Quantity.BUDGET_MISSED: self.budget.missed_share,
            Quantity.RESTARTS: figures["restarts"],
            Quantity.DROPPED: figures["dropped"],
            Quantity.OVERWRITTEN: figures["overwritten"],
        }
        return [Reading(source=BOARD, quantity=key, value=value, at=clock.now()) for key, value in values.items()]


async def report_health(
    health: Health,
    period_ns: int,
    *,
    repeat: Callable[[], None],
    clock: Clock,
    say: Callable[[Observation], None],
    pulse: Pulse,
) -> None:
    """Report every `period_ns` until cancelled, and `repeat` what is otherwise only said at changes."""
    async for _ in every(period_ns, clock):
        say(health.report(clock))
        for reading in health.signals(clock):
            say(reading)
        repeat()
        pulse.beat()
