from __future__ import annotations

from contextlib import aclosing, suppress

import pytest

from drivers.clock import SimulatedClock
from drivers.settings import Duration
from drivers.simulated.faults import Faults, parse_fault
from drivers.simulated.lines import SimulatedInput, SimulatedInputSettings, SimulatedOutput, SimulatedOutputSettings
from drivers.simulated.world import World
from tests.builders import at


def world(clock: SimulatedClock, *faults: str) -> World:
    return World(1, clock, Faults(map(parse_fault, faults)))


async def test_the_light_lights_the_duct_and_is_off_after_the_run_even_after_a_failure() -> None:
    duct = world(SimulatedClock())
    light = SimulatedOutput(SimulatedOutputSettings(name="led", driver="simulated-output", role="light"), duct)
    with suppress(RuntimeError):
        async with light:
            await light.set(0.7)
            assert duct.light_in_duct() == 0.7
            raise RuntimeError

    assert duct.light_in_duct() == 0.0


async def test_a_relay_goes_to_its_safe_state_and_lights_nothing() -> None:
    duct = world(SimulatedClock())
    settings = SimulatedOutputSettings(name="relay", driver="simulated-output", role="relay", safe=1.0)
    async with SimulatedOutput(settings, duct) as relay:
        await relay.set(0.0)
        assert relay.level == 0.0

    assert relay.level == 1.0
    assert duct.light == 0.0


async def test_the_fan_contact_says_its_state_and_then_each_change() -> None:
    clock = SimulatedClock()
    fan = SimulatedInput(
        SimulatedInputSettings(name="fan", driver="simulated-input"), world(clock, "fan-off@20s+30s"), clock
    )
    seen = []
    async with fan, aclosing(fan.states()) as states:
        async for running in states:
            seen.append((clock.now(), running))
            if len(seen) == 4:
                break

    assert seen == [(at(0), True), (at(20), False), (at(50), True), (at(14 * 3600), False)]


async def test_a_button_is_pressed_at_the_configured_times() -> None:
    clock = SimulatedClock()
    settings = SimulatedInputSettings(
        name="knob", driver="simulated-input", role="button", presses=(Duration(30), Duration(10))
    )
    button = SimulatedInput(settings, world(clock), clock)
    seen = []
    async with button, aclosing(button.states()) as states:
        async for down in states:
            seen.append((clock.now(), down))
            if len(seen) == 5:
                break

    assert seen == [(at(0), False), (at(10), True), (at(10.2), False), (at(30), True), (at(30.2), False)]


def test_a_safe_state_beyond_full_is_refused() -> None:
    with pytest.raises(ValueError, match="safe is a level from 0"):
        SimulatedOutputSettings(name="relay", driver="simulated-output", safe=2)
