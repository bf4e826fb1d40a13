from __future__ import annotations

import asyncio

from drivers.clock import MonotonicClock, SimulatedClock
from drivers.types import NS_PER_S, Instant


def at(seconds: float) -> Instant:
    return Instant(round(seconds * NS_PER_S))


async def test_a_sleeper_wakes_at_exactly_the_moment_it_waited_for() -> None:
    clock = SimulatedClock(factor=7.3)
    woken: list[tuple[str, int]] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep_until(at(seconds))
        woken.append((name, clock.now()))

    await asyncio.gather(sleep("late", 3600), sleep("early", 0.1), sleep("also early", 0.1))

    assert woken == [("early", at(0.1)), ("also early", at(0.1)), ("late", at(3600))]


async def test_factor_60_makes_an_hour_of_the_duct_a_minute_of_the_machine() -> None:
    clock = SimulatedClock(factor=60)
    loop = asyncio.get_running_loop()
    started_s = loop.time()

    await clock.sleep_until(at(3600))

    assert round(loop.time() - started_s, 6) == 60


async def test_a_cancelled_sleeper_does_not_hold_up_the_others() -> None:
    clock = SimulatedClock()
    first = asyncio.create_task(clock.sleep_until(at(1)))
    second = asyncio.create_task(clock.sleep_until(at(2)))
    await asyncio.sleep(0)
    first.cancel()

    await second

    assert clock.now() == at(2)


async def test_waiting_for_the_past_gives_the_loop_one_turn_and_keeps_the_time() -> None:
    clock = SimulatedClock()
    await clock.sleep_until(at(5))

    await clock.sleep_until(at(1))

    assert clock.now() == at(5)


async def test_time_stands_still_while_the_machine_works_and_goes_on_afterwards() -> None:
    clock = SimulatedClock(factor=1000)
    sleeper = asyncio.create_task(clock.sleep_until(at(1)))
    with clock.held():
        await asyncio.sleep(3600)
        during = clock.now()
    await sleeper

    assert (during, clock.now()) == (at(0), at(1))


async def test_what_follows_from_a_moment_is_over_before_the_next_however_fast_time_goes() -> None:
    clock = SimulatedClock(factor=1e9)
    handed_over: list[int] = []

    async def follow(stages: int) -> None:
        handed_over.append(clock.now())
        if stages:
            await asyncio.create_task(follow(stages - 1))

    others = [asyncio.create_task(clock.sleep_until(at(second))) for second in range(1, 9)]
    await clock.sleep_until(at(1))
    await follow(8)
    await asyncio.gather(*others)

    assert handed_over == [at(1)] * 9


def test_monotonic_clock_is_the_clock_of_the_event_loop() -> None:
    loop = asyncio.SelectorEventLoop()
    before, now, after = loop.time(), MonotonicClock().now() / NS_PER_S, loop.time()
    loop.close()

    assert before <= now <= after
