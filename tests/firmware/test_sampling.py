from __future__ import annotations

import asyncio

import pytest

from drivers.clock import SimulatedClock
from drivers.errors import BadData, Lost
from drivers.types import NS_PER_S, Quantity, Reading, SourceId
from firmware.observations import HealthChange, Observation
from firmware.sampling import every, sample, watch_button, watch_fan
from firmware.supervisor import Pulse
from firmware.vitals import Vitals
from tests.builders import at
from tests.fakes.devices import FakeInput, FakeSensor

RUBBISH = BadData(SourceId("duct-pm"), "checksum wrong", remedy="Check the cable's shield.")
GONE = Lost(SourceId("duct-pm"), "no answer", remedy="Check the cable.")


class Watch:
    def __init__(self, *answers: float | BadData | Lost) -> None:
        self.clock = SimulatedClock()
        self.said: list[Observation] = []
        self.sensor = FakeSensor("duct-pm", answers, self.clock)
        self.vitals = Vitals(self.said.append, self.clock.now)

    async def run(self) -> None:
        pulse = Pulse(10, asyncio.get_running_loop().time)
        await sample(
            self.sensor, 10 * NS_PER_S, clock=self.clock, say=self.said.append, vitals=self.vitals, pulse=pulse
        )

    def readings(self, quantity: Quantity) -> list[tuple[float, float]]:
        found = [said for said in self.said if isinstance(said, Reading) and said.quantity is quantity]
        return [(reading.at / NS_PER_S, reading.value) for reading in found]


async def test_a_sensor_is_read_in_its_rhythm() -> None:
    watch = Watch(1, 2, 3, GONE)

    with pytest.raises(Lost):
        await watch.run()

    assert watch.readings(Quantity.PM2_5) == [(0, 1), (10, 2), (20, 3)]
    assert watch.sensor.closed == 1


async def test_rubbish_is_reported_once_and_read_again() -> None:
    watch = Watch(1, RUBBISH, RUBBISH, 4, GONE)

    with pytest.raises(Lost):
        await watch.run()

    changes = [(said.condition.value, said.problem) for said in watch.said if isinstance(said, HealthChange)]
    assert changes == [("failed", "checksum wrong"), ("recovered", "back after 20 s")]
    assert watch.readings(Quantity.PM2_5) == [(0, 1), (30, 4)]
    assert watch.readings(Quantity.ALIVE) == [(0, 1), (10, 0), (30, 1)]


async def test_a_missed_turn_is_left_out_not_caught_up() -> None:
    clock = SimulatedClock()
    turns = []
    async for moment in every(10 * NS_PER_S, clock):
        turns.append(moment / NS_PER_S)
        if len(turns) == 2:
            await clock.sleep_until(at(35))  # a read that took 25 s
        if len(turns) == 4:
            break

    assert turns == [0, 10, 40, 50]


async def test_a_fan_is_said_at_each_change_and_forgotten_when_its_line_is_lost() -> None:
    watch = Watch(1)
    contacts: dict[SourceId, bool] = {}
    fan = FakeInput("fan", [True, False], watch.clock)
    pulse = Pulse(10, asyncio.get_running_loop().time)

    with pytest.raises(Lost):
        await watch_fan(
            fan, contacts=contacts, clock=watch.clock, say=watch.said.append, vitals=watch.vitals, pulse=pulse
        )

    assert watch.readings(Quantity.FAN_RUNNING) == [(0, 1), (1, 0)]
    assert contacts == {}


@pytest.mark.parametrize(
    ("states", "presses", "holds"),
    [
        ([False, True, False], 1, 0),
        ([True, True, True, True, False], 0, 0),
        ([False, True, False, True], 2, 0),
        ([True, False, True], 1, 0),
        ([False, True, True, True, False], 1, 1),
        ([False, True, True, True], 1, 0),
        ([False, *[True] * 31, False], 1, 0),
    ],
    ids=["pressed", "held since before the start", "twice", "held, then pressed", "held", "not let go", "jammed"],
)
async def test_a_button_counts_when_it_goes_down_and_when_it_was_held(
    states: list[bool], presses: int, holds: int
) -> None:
    watch = Watch(1)
    pressed: list[str] = []
    button = FakeInput("button", states, watch.clock)
    pulse = Pulse(10, asyncio.get_running_loop().time)

    with pytest.raises(Lost):
        await watch_button(
            button,
            lambda: pressed.append("press"),
            hold=lambda: pressed.append("hold"),
            clock=watch.clock,
            vitals=watch.vitals,
            pulse=pulse,
        )

    assert (pressed.count("press"), pressed.count("hold")) == (presses, holds)
