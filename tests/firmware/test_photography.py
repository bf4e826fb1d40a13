from __future__ import annotations

import asyncio
import itertools

import pytest

from drivers.clock import SimulatedClock
from drivers.types import NS_PER_S
from firmware.lamp import Lamp
from firmware.observations import Condition, HealthChange, Observation
from firmware.photography import Lighting, Photographer, Shot
from firmware.vitals import Vitals
from tests.builders import at
from tests.fakes.devices import FakeCamera, FakeLight

LIGHTING = Lighting(level=0.8, settle_s=0.5, limit_s=5, dark_frame=True)


class Duct:
    """Two cameras and a light, and what came of a snapshot."""

    def __init__(self, lighting: Lighting = LIGHTING) -> None:
        self.clock = SimulatedClock()
        self.light = FakeLight(self.clock)
        self.left = FakeCamera("left", self.clock, self.light, interval_s=0.1)
        self.right = FakeCamera("right", self.clock, self.light, interval_s=0.07)
        self.said: list[Observation] = []
        self.shots: dict[str, Shot] = {}
        self.chosen: list[tuple[str, str]] = []
        vitals = Vitals(self.said.append, self.clock.now)
        self.photographer = Photographer(
            [self.left, self.right], Lamp(self.light, vitals), lighting, self.clock, vitals, self._note
        )

    def _note(self, camera: str, description: str) -> None:
        self.chosen.append((camera, description))

    async def snapshot(self) -> None:
        await self.photographer.take(lambda shot: self.shots.update({shot.lit.source: shot}))

    @property
    def failures(self) -> list[tuple[str, str]]:
        changes = [said for said in self.said if isinstance(said, HealthChange)]
        return [(change.source, change.problem) for change in changes if change.condition is Condition.FAILED]


async def test_both_cameras_see_the_same_light_at_most_one_frame_apart() -> None:
    duct = Duct()

    await duct.snapshot()

    left, right = duct.shots["left"], duct.shots["right"]
    assert [bytes(shot.lit.payload) for shot in (left, right)] == [b"lit", b"lit"]
    assert abs(left.lit.at - right.lit.at) <= 0.1 * NS_PER_S
    assert duct.light.level == 0


async def test_the_frame_without_light_is_taken_before_the_light_goes_on() -> None:
    duct = Duct()

    await duct.snapshot()

    dark = duct.shots["left"].dark
    assert dark is not None
    assert bytes(dark.payload) == b"dark"


async def test_the_light_is_on_for_the_settling_time_before_a_frame_counts() -> None:
    duct = Duct()

    await duct.snapshot()

    (on, level), (_, off) = duct.light.history
    assert (level, off) == (0.8, 0.0)
    assert duct.shots["left"].lit.at - on >= 0.5 * NS_PER_S


async def test_an_unplugged_camera_is_reported_and_the_other_one_goes_on() -> None:
    duct = Duct()
    duct.left.absent = True

    await duct.snapshot()

    assert list(duct.shots) == ["right"]
    assert duct.failures == [("left", "not there")]


async def test_a_camera_that_breaks_under_the_light_leaves_the_light_off() -> None:
    duct = Duct()
    duct.left.breaks_after = 2

    await duct.snapshot()

    assert list(duct.shots) == ["right"]
    assert duct.failures == [("left", "unplugged")]
    assert duct.light.level == 0


async def test_a_camera_that_hangs_does_not_keep_the_light_on_nor_delay_the_other() -> None:
    duct = Duct(Lighting(level=1, settle_s=0.5, limit_s=2, dark_frame=False))
    duct.left.hangs = True

    await duct.snapshot()

    assert list(duct.shots) == ["right"]
    assert duct.failures == [("left", "no lit frame within 2 s")]
    assert duct.light.level == 0
    assert (duct.left.closed, duct.right.closed) == (1, 1)


async def test_a_camera_plugged_in_again_is_back_with_the_next_snapshot() -> None:
    duct = Duct()
    duct.left.absent = True
    await duct.snapshot()
    duct.left.absent = False

    await duct.snapshot()

    assert set(duct.shots) == {"left", "right"}
    changes = [said.condition for said in duct.said if isinstance(said, HealthChange)]
    assert changes == [Condition.FAILED, Condition.RECOVERED]


async def test_a_cancelled_snapshot_switches_the_light_off() -> None:
    duct = Duct()
    running = asyncio.create_task(duct.snapshot())
    await duct.clock.sleep_until(at(0.3))
    lit = duct.light.level

    running.cancel()
    await asyncio.wait([running])

    assert (lit, duct.light.level) == (0.8, 0)
    assert duct.left.closed == 1


@pytest.mark.parametrize("elapsed_s", [pytest.param(0.03, id="opening"), pytest.param(0.3, id="under the light")])
async def test_a_cancelled_snapshot_waits_for_the_camera_that_is_slow_to_stop(elapsed_s: float) -> None:
    duct = Duct()
    duct.right.stops_in_s = 0.5
    running = asyncio.create_task(duct.snapshot())
    await duct.clock.sleep_until(at(elapsed_s))

    running.cancel()
    await asyncio.wait([running])

    assert running.cancelled()
    assert (duct.left.closed, duct.right.closed) == (1, 1)
    assert duct.light.level == 0


async def test_aiming_delivers_each_camera_at_the_wanted_rate_with_the_light_on() -> None:
    duct = Duct()
    shots: list[Shot] = []
    running = asyncio.create_task(duct.photographer.aim(NS_PER_S // 2, shots.append))
    await duct.clock.sleep_until(at(3))

    running.cancel()
    await asyncio.wait([running])

    left = [shot.lit for shot in shots if shot.lit.source == "left"]
    assert all(0.5 <= (b.at - a.at) / NS_PER_S < 0.7 for a, b in itertools.pairwise(left))
    assert {bytes(shot.lit.payload) for shot in shots} == {b"lit"}
    assert duct.light.level == 0


async def test_what_a_camera_chose_is_said_once_and_not_at_each_snapshot() -> None:
    duct = Duct()

    await duct.snapshot()
    await duct.snapshot()

    assert sorted(duct.chosen) == [("left", "fake"), ("right", "fake")]
