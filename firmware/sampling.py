"""Asks sensors for readings, each in its own rhythm."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from drivers.clock import Clock
from drivers.errors import BadData
from drivers.protocol import Input, Sensor
from drivers.types import NS_PER_S, Instant, Quantity, Reading, SourceId
from firmware.observations import Observation
from firmware.supervisor import Pulse
from firmware.vitals import Vitals

Say = Callable[[Observation], None]

HELD_NS = 3 * NS_PER_S  # nobody holds a button so long by mistake
JAMMED_NS = 30 * NS_PER_S  # nobody holds it longer than this: something leans on it, or its cable is shorted


async def sample(sensor: Sensor, period_ns: int, *, clock: Clock, say: Say, vitals: Vitals, pulse: Pulse) -> None:
    """Read a sensor every `period_ns` until cancelled. Bad data is reported and read again; a lost device raises."""
    async with sensor:
        async for _ in every(period_ns, clock):
            try:
                readings = await sensor.read()
            except BadData as error:
                vitals.failed(error)
            else:
                for reading in readings:
                    say(reading)
                vitals.well(sensor.source)
            pulse.beat()


async def watch_fan(
    fan: Input, *, contacts: dict[SourceId, bool], clock: Clock, say: Say, vitals: Vitals, pulse: Pulse
) -> None:
    """Say whether the fan runs, at each change of its contact, and keep its state in `contacts` while it is known."""
    try:
        async with fan, aclosing(fan.states()) as states:
            async for running in states:
                contacts[fan.source] = running
                say(fan_reading(fan.source, running, clock.now()))
                vitals.well(fan.source)
                pulse.rest()
    finally:
        contacts.pop(fan.source, None)


def fan_reading(fan: SourceId, running: bool, at: Instant) -> Reading:
    return Reading(source=fan, quantity=Quantity.FAN_RUNNING, value=float(running), at=at)


async def watch_button(
    button: Input,
    press: Callable[[], None],
    *,
    clock: Clock,
    vitals: Vitals,
    pulse: Pulse,
    hold: Callable[[], None] = lambda: None,
) -> None:
    """Call `press` at each press, and `hold` when one ends that was long; the state at the start is none."""
    async with button, aclosing(button.states()) as states:
        was_down, since = True, None
        async for down in states:
            if down and not was_down:
                since = clock.now()
                press()
            elif not down and since is not None and HELD_NS <= clock.now() - since <= JAMMED_NS:
                hold()
            was_down = down
            vitals.well(button.source)
            pulse.rest()


async def every(period_ns: int, clock: Clock) -> AsyncGenerator[Instant, None]:
    """Yield at once and then at each multiple of the period from here; a multiple that was missed is left out."""
    due = clock.now()
    while True:
        yield due
        late = (clock.now() - due) // period_ns
        due = Instant(due + period_ns * (1 + late))
        await clock.sleep_until(due)
