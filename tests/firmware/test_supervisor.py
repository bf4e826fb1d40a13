from __future__ import annotations

import asyncio

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import DriverError, Lost
from drivers.types import NS_PER_S, SourceId
from firmware.supervisor import LONGEST_RETRY_S, STEADY_S, Pulse, Service, Supervisor, retry_delay_s
from tests.builders import at

LOST = Lost(SourceId("duct-gas"), "no answer", remedy="Check the cable.")


class Failures:
    """Services that note their starts, and fail as often as told."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.starts: list[float] = []
        self.errors: list[DriverError] = []

    def service(self, name: str, *, lasts_s: float, error: Exception | None) -> Service:
        async def start(pulse: Pulse) -> None:
            self.starts.append(self.clock.now() / NS_PER_S)
            await self.clock.sleep_until(at(self.clock.now() / NS_PER_S + lasts_s))
            if error is not None:
                raise error

        return Service(name=name, start=start, pulse_limit_s=10, restart_on=(DriverError,))

    async def run(self, *services: Service, until_s: float) -> Supervisor:
        supervisor = Supervisor(services, clock=self.clock, failed=self.errors.append, chance=lambda: 0.5)
        running = asyncio.create_task(supervisor.run())
        await self.clock.sleep_until(at(until_s))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return supervisor


async def test_a_lost_device_is_tried_again_after_1_2_4_4_seconds() -> None:
    bench = Failures(SimulatedClock())

    supervisor = await bench.run(bench.service("gas", lasts_s=0, error=LOST), until_s=16)

    assert bench.starts == [0, 1, 3, 7, 11, 15]
    assert bench.errors == [LOST] * 6
    assert supervisor.restarts == 6


async def test_a_service_that_was_steady_starts_over_with_the_shortest_delay() -> None:
    bench = Failures(SimulatedClock())
    lasts_s = STEADY_S + 1

    await bench.run(bench.service("gas", lasts_s=lasts_s, error=LOST), until_s=3 * lasts_s)

    assert bench.starts == [0, lasts_s + 1, 2 * (lasts_s + 1)]


async def test_a_failing_service_leaves_the_others_alone() -> None:
    bench = Failures(SimulatedClock())
    failing = bench.service("gas", lasts_s=1, error=LOST)
    steady = bench.service("particulates", lasts_s=100, error=None)

    await bench.run(failing, steady, until_s=50)

    assert bench.starts.count(0) == 2
    assert bench.starts[2:] == [2, 5, 10, 15, 20, 25, 30, 35, 40, 45]


async def test_what_nobody_expected_ends_everything() -> None:
    bench = Failures(SimulatedClock())
    supervisor = Supervisor(
        [bench.service("a", lasts_s=1, error=ZeroDivisionError()), bench.service("b", lasts_s=9, error=None)],
        clock=bench.clock,
        failed=bench.errors.append,
        chance=lambda: 0.5,
    )

    with pytest.raises(ExceptionGroup) as caught:
        await supervisor.run()

    assert caught.group_contains(ZeroDivisionError)
    assert bench.errors == []


async def test_a_service_that_falls_silent_is_named_and_one_that_waits_for_its_restart_is_not() -> None:
    bench = Failures(SimulatedClock())
    supervisor = Supervisor(
        [bench.service("hung", lasts_s=1000, error=None), bench.service("gone", lasts_s=0, error=LOST)],
        clock=bench.clock,
        failed=bench.errors.append,
        chance=lambda: 0.5,
    )
    running = asyncio.create_task(supervisor.run())

    await bench.clock.sleep_until(at(9))
    before = supervisor.silent()
    await bench.clock.sleep_until(at(20))

    assert (before, supervisor.silent()) == ([], ["hung"])
    running.cancel()


@pytest.mark.parametrize(
    ("failures", "chance", "delay_s"),
    [(1, 0.5, 1), (2, 0.5, 2), (7, 0.5, LONGEST_RETRY_S), (10_000, 0.5, LONGEST_RETRY_S), (1, 0.0, 0.8), (1, 1.0, 1.2)],
)
def test_delays_double_up_to_a_cap_and_are_spread(failures: int, chance: float, delay_s: float) -> None:
    assert retry_delay_s(failures, chance) == pytest.approx(delay_s)
