from __future__ import annotations

import pytest

from drivers.clock import SimulatedClock
from drivers.simulated.faults import Fault, Faults, parse_fault
from drivers.simulated.world import World
from drivers.types import Instant, SourceId
from tests.builders import at

UPSTREAM = SourceId("upstream")


def world(*faults: str, seed: int = 1, clock: SimulatedClock | None = None) -> World:
    return World(seed, clock or SimulatedClock(), Faults(map(parse_fault, faults)))


@pytest.mark.parametrize("seed", range(8))
def test_the_duct_goes_from_clean_to_clearly_dirty_in_about_40_seconds(seed: int) -> None:
    duct = world(seed=seed)
    deposits = [duct.deposit_g_m2(at(second), pace=1.0) for second in range(61)]

    assert deposits == sorted(deposits)
    assert deposits[0] < 0.05
    assert deposits[8] < 0.3
    assert 0.6 < deposits[26] < 3.0
    assert deposits[40] > 4.5


def test_a_place_with_half_the_pace_is_as_dirty_after_twice_the_time() -> None:
    assert world().deposit_g_m2(at(60), pace=0.5) == world().deposit_g_m2(at(30), pace=1.0)


def test_a_duct_that_was_cleaned_is_clean_and_gets_dirty_anew() -> None:
    duct = world("duct-cleaned@60s+10s", "duct-cleaned@200s")

    assert duct.deposit_g_m2(at(59), pace=1.0) > 10
    assert duct.deposit_g_m2(at(60), pace=1.0) == duct.deposit_g_m2(at(70), pace=1.0) == 0.02
    assert duct.deposit_g_m2(at(100), pace=1.0) == world().deposit_g_m2(at(30), pace=1.0)
    assert duct.deposit_g_m2(at(1000), pace=1.0) == 0.02


def test_one_seed_is_one_duct_and_another_seed_is_another() -> None:
    assert world(seed=1).air(at(100)) == world(seed=1).air(at(100))
    assert world(seed=1).air(at(100)) != world(seed=2).air(at(100))
    scenes = {next(world(seed=seed).scenes(place)) for seed in (1, 2) for place in ("upstream", "downstream")}
    assert len(scenes) == 4


async def test_a_world_that_starts_late_goes_through_the_same_from_its_own_start() -> None:
    clock = SimulatedClock()
    await clock.sleep_until(at(5000))

    late = world("lens-fog@20s", clock=clock)

    assert late.air(at(5070)) == world().air(at(70))
    assert late.deposit_g_m2(at(5030), 1.0) == world().deposit_g_m2(at(30), 1.0)
    assert late.failing_s(Fault.LENS_FOG, UPSTREAM, at(5019)) is None
    assert late.failing_s(Fault.LENS_FOG, UPSTREAM, at(5030)) == 10


def test_the_air_of_a_day_stays_within_what_ducts_see() -> None:
    day = [world().air(at(60 * minute)) for minute in range(24 * 60)]

    assert all(15 < air.temperature_c < 30 for air in day)
    assert max(air.temperature_c for air in day) - min(air.temperature_c for air in day) > 3
    assert all(20 < air.humidity_percent < 70 for air in day)
    assert all(970 < air.pressure_hpa < 1040 for air in day)
    assert all(50e3 < air.gas_ohm < 400e3 for air in day)
    assert all(0 < air.pm1_ug_m3 < air.pm2_5_ug_m3 < air.pm10_ug_m3 for air in day)


@pytest.mark.parametrize("seed", range(8))
def test_after_a_minute_dust_is_stirred_up_and_it_settles_again(seed: int) -> None:
    pm2_5 = [world(seed=seed).air(at(second)).pm2_5_ug_m3 for second in range(180)]

    assert max(pm2_5[:60]) < 15
    assert max(pm2_5[60:100]) > 60
    assert max(pm2_5[120:]) < 15


def test_gas_resistance_falls_while_dust_is_in_the_air() -> None:
    gas = [world().air(at(second)).gas_ohm for second in range(100)]

    assert min(gas[60:]) < 0.75 * min(gas[:60])


def test_the_fan_rests_at_night_and_says_when_it_may_change() -> None:
    duct = world()
    ten_at_night, five_in_the_morning = at(14 * 3600), at(21 * 3600)

    assert duct.fan_running(at(0))
    assert duct.fan_may_change(at(0)) == ten_at_night
    assert not duct.fan_running(ten_at_night)
    assert duct.fan_may_change(ten_at_night) == five_in_the_morning
    assert duct.fan_running(five_in_the_morning)
    assert duct.fan_may_change(five_in_the_morning) == at(38 * 3600)


def test_the_fault_fan_off_stops_the_fan_and_the_dust_that_it_blows() -> None:
    broken = world("fan-off@20s+60s")

    moments = [at(0)]
    for _ in range(2):
        moments.append(broken.fan_may_change(moments[-1]))

    assert [broken.fan_running(moment) for moment in moments] == [True, False, True]
    assert moments[1:] == [at(20), at(80)]
    assert broken.air(at(50)).pm2_5_ug_m3 < 0.5 * world().air(at(50)).pm2_5_ug_m3


def test_who_carries_out_a_fault_learns_when_it_begins_and_ends() -> None:
    duct = world("broker-down@20s+30s", "broker-down@2min", "disk-full")

    assert duct.edges(Fault.BROKER_DOWN) == (at(20), at(50), at(120))
    assert duct.edges(Fault.DISK_FULL) == (at(0),)


def test_a_dead_led_gives_no_light_whatever_it_is_told() -> None:
    sound, broken = world(), world("led-dead")
    sound.light = broken.light = 0.8

    assert sound.light_in_duct() == 0.8
    assert broken.light_in_duct() == 0.0


def test_a_fault_is_asked_for_at_the_present_moment_of_the_duct() -> None:
    assert world("camera-blind").fails(Fault.CAMERA_BLIND, UPSTREAM)
    assert not world("camera-blind@1s").fails(Fault.CAMERA_BLIND, UPSTREAM)
    assert world("camera-blind@1s").failing_s(Fault.CAMERA_BLIND, UPSTREAM, Instant(at(3))) == 2
