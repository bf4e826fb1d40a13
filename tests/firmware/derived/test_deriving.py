from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.types import Quality, Quantity, Reading, SourceId
from firmware.derived.deriving import Deriver
from firmware.derived.dirt_rate import DirtRate
from firmware.derived.filter_load import PressureDrop
from firmware.derived.memory import Memory
from firmware.observations import Observation
from tests.builders import at, reading
from tests.firmware.derived.builders import (
    AIR,
    DUST,
    FAN,
    FILTER,
    GAS,
    MEASURED,
    PM,
    UPSTREAM,
    WALL,
    air,
    deposit,
    dust,
    resistance,
    wiring,
)

Q = Quantity
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def told(deriver: Deriver, observations: Iterable[Observation]) -> list[Reading]:
    return [found for observation in observations for found in deriver.feed(observation)]


def values(readings: Iterable[Reading]) -> dict[Quantity, float]:
    return {found.quantity: found.value for found in readings}


def test_humid_air_has_a_dew_point_and_a_margin_above_it() -> None:
    found = told(Deriver(wiring()), air(25, 60, 10))

    assert values(found) == pytest.approx({Q.DEW_POINT: 16.70, Q.CONDENSATION_MARGIN: 8.30}, abs=0.01)
    assert {(one.source, one.at, one.quality) for one in found} == {(GAS, air(25, 60, 10)[1].at, Quality.GOOD)}


def test_a_cold_wall_has_less_margin_than_the_air() -> None:
    deriver = Deriver(wiring(measured={**MEASURED, WALL: (Q.TEMPERATURE,)}, surface=WALL))
    cold = reading(17.0, source=WALL, quantity=Q.TEMPERATURE, taken_s=0)

    found = told(deriver, [cold, *air(25, 60, 10)])

    assert [(one.source, round(one.value, 1)) for one in found if one.quantity is Q.CONDENSATION_MARGIN] == [
        (WALL, 0.3)
    ]


def test_a_wall_that_was_not_heard_of_for_a_quarter_of_an_hour_has_no_margin() -> None:
    deriver = Deriver(wiring(measured={**MEASURED, WALL: (Q.TEMPERATURE,)}, surface=WALL))
    cold = reading(17.0, source=WALL, quantity=Q.TEMPERATURE, taken_s=0)

    assert Q.CONDENSATION_MARGIN not in values(told(deriver, [cold, *air(25, 60, 16 * MINUTE)]))


@pytest.mark.parametrize("quality", [Quality.WARMING_UP, Quality.LEARNING, Quality.BAD])
def test_nothing_follows_from_what_is_not_good(quality: Quality) -> None:
    assert told(Deriver(wiring()), air(25, 60, 10, quality=quality)) == []


def test_a_plantower_is_corrected_by_the_humidity_of_the_duct() -> None:
    deriver = Deriver(wiring())

    before = told(deriver, dust(20, 30, 0))
    after = told(deriver, [*air(25, 60, 10), *dust(20, 30, 20)])

    assert before == []
    assert values(after)[Q.PM2_5_CORRECTED] == pytest.approx(0.524 * 20 - 0.0862 * 60 + 5.75)


def hours_of_dust(hours: float, pm2_5: float, pm10: float, begin_s: float = 0) -> Iterator[Reading]:
    for minute in range(0, round(hours * 60), 5):
        yield from dust(pm2_5, pm10, begin_s + minute * MINUTE)


def test_the_nowcast_and_the_index_come_once_an_hour_from_the_second_on() -> None:
    deriver = Deriver(wiring(measured={PM: DUST}, climate=None))

    found = told(deriver, hours_of_dust(4.5, 35.4, 54.0))

    assert [one.quantity for one in found] == [Q.NOWCAST_PM2_5, Q.NOWCAST_PM10, Q.AQI] * 3
    assert values(found) == pytest.approx({Q.NOWCAST_PM2_5: 35.4, Q.NOWCAST_PM10: 54.0, Q.AQI: 100})


def test_the_index_is_the_higher_of_both_dusts() -> None:
    deriver = Deriver(wiring(measured={PM: DUST}, climate=None))

    assert values(told(deriver, hours_of_dust(2.5, 5.0, 254.0)))[Q.AQI] == 150


def test_both_dusts_have_the_same_hours_though_humidity_was_known_later() -> None:
    deriver = Deriver(wiring())
    told(deriver, dust(9.0, 0.0, 0))
    found = []
    for minute in range(5, 185, 5):
        found += told(deriver, [*air(25, 40, minute * MINUTE), *dust(9.0, 0.0, minute * MINUTE)])

    hourly = [one for one in found if one.quantity in (Q.NOWCAST_PM2_5, Q.AQI)]
    assert [(one.quantity, one.at) for one in hourly[:2]] == [(Q.NOWCAST_PM2_5, hourly[1].at), (Q.AQI, hourly[0].at)]


def test_a_sensor_of_fine_dust_alone_has_an_index_too() -> None:
    deriver = Deriver(wiring(measured={PM: (Q.PM2_5,)}, climate=None))
    fine = [one for one in hours_of_dust(2.5, 9.0, 0) if one.quantity is Q.PM2_5]

    assert values(told(deriver, fine)) == pytest.approx({Q.NOWCAST_PM2_5: 9.0, Q.AQI: 50})


def test_the_gas_index_is_learning_for_two_days() -> None:
    deriver = Deriver(wiring())
    found = []
    for minute in range(0, 3 * 24 * 60, 10):
        found += told(deriver, [*air(22, 45, minute * MINUTE), resistance(60_000, minute * MINUTE)])
    indices = [one for one in found if one.quantity is Q.GAS_INDEX]

    assert indices[0].quality is Quality.LEARNING
    assert indices[-1].quality is Quality.GOOD
    assert {round(one.value) for one in indices} == {100}


def test_the_mould_index_comes_once_an_hour() -> None:
    deriver = Deriver(wiring(measured={GAS: AIR[:2]}))

    found = [one for minute in range(185) for one in told(deriver, air(22, 97, minute * MINUTE))]

    mould = [one.value for one in found if one.quantity is Q.MOULD_INDEX]
    assert len(mould) == 3
    assert 0 < mould[0] < mould[1] < mould[2] < 0.02


def pressure(pascals: float, second: float) -> Reading:
    return reading(pascals, source=FILTER, quantity=Q.DIFFERENTIAL_PRESSURE, taken_s=second)


def fan(running: float, second: float) -> Reading:
    return reading(running, source=FAN, quantity=Q.FAN_RUNNING, taken_s=second)


def test_the_load_of_a_filter_is_unknown_while_the_fan_stands_still() -> None:
    deriver = Deriver(wiring(measured={FILTER: (Q.DIFFERENTIAL_PRESSURE,)}, pressure_drop=PressureDrop(80, 250)))

    found = [
        values(told(deriver, [one]))
        for one in (pressure(165, 0), fan(0, 1), pressure(2, 2), fan(1, 3), pressure(250, 4))
    ]

    assert found == [{Q.FILTER_LOAD: 50.0}, {}, {}, {}, {Q.FILTER_LOAD: 100.0}]


def test_after_a_week_of_pictures_the_days_to_the_limit_come_once_a_day() -> None:
    deriver = Deriver(wiring())

    found = [
        (day, told(deriver, [deposit(1 + 0.1 * day, day * DAY + hour * HOUR)])) for day in range(10) for hour in (0, 6)
    ]

    assert [day for day, readings in found if readings] == [7, 8, 9]
    assert values(found[-2][1]) == pytest.approx(
        {Q.DIRT_RATE: 0.1, Q.DAYS_TO_LIMIT: 12, Q.DAYS_TO_LIMIT_LOW: 12, Q.DAYS_TO_LIMIT_HIGH: 12}
    )


def test_a_cleaning_begins_the_days_anew_and_tells_those_to_the_limit_by_the_rate_of_before() -> None:
    deriver = Deriver(wiring())
    told(deriver, [deposit(1 + 0.1 * day, day * DAY) for day in range(10)])

    cleaned = deriver.cleaned({UPSTREAM: 0.2}, at(9.5 * DAY))

    assert values(cleaned) == pytest.approx({Q.DAYS_TO_LIMIT: 28})
    assert deriver.memory[UPSTREAM].dirt == DirtRate(at(9.5 * DAY))
    assert told(deriver, [deposit(0.2 + 0.1 * day, (10 + day) * DAY) for day in range(6)]) == []


def test_a_cleaning_of_a_duct_whose_rate_nobody_knows_tells_nothing() -> None:
    deriver = Deriver(wiring())
    told(deriver, [deposit(3.0, 0)])

    assert deriver.cleaned({UPSTREAM: 0.2}, at(DAY)) == ()


def test_what_is_left_out_is_not_told() -> None:
    deriver = Deriver(wiring(left_out=frozenset({Q.DEW_POINT})))

    assert list(values(told(deriver, air(25, 60, 10)))) == [Q.CONDENSATION_MARGIN]


def a_month(seed: int) -> Iterator[Observation]:
    """Every kind of observation, a quarter of an hour apart."""
    chance = random.Random(seed)
    for quarter in range(4 * 24 * 12):
        second = quarter * 15 * MINUTE
        yield from air(chance.uniform(15, 30), chance.uniform(30, 100), second)
        yield resistance(chance.uniform(30_000, 90_000), second)
        yield from dust(chance.uniform(0, 300), chance.uniform(0, 600), second)
        yield deposit(chance.uniform(0.5, 1.0) + quarter / 1000, second)


def after_a_restart(deriver: Deriver) -> Deriver:
    """Through the text that is on disk, as the store writes it."""
    text = msgspec.json.encode(deriver.memory)
    return Deriver(wiring(), msgspec.json.decode(text, type=dict[SourceId, Memory]))


def test_a_restart_in_between_changes_nothing() -> None:
    month = list(a_month(3))
    whole, halves = Deriver(wiring()), Deriver(wiring())
    half = 6 * (len(month) // 12)

    undisturbed = told(whole, month)
    first, second = told(halves, month[:half]), told(after_a_restart(halves), month[half:])

    once_a_run = {Q.DIRT_RATE, Q.DAYS_TO_LIMIT, Q.DAYS_TO_LIMIT_LOW, Q.DAYS_TO_LIMIT_HIGH}
    again = [one for one in second if one not in undisturbed]
    assert [one for one in (*first, *second) if one not in again] == undisturbed
    assert {one.quantity for one in again} <= once_a_run


def test_a_clock_that_begins_anew_is_made_up_for() -> None:
    deriver = Deriver(wiring(measured={PM: DUST}, climate=None))
    told(deriver, hours_of_dust(2.5, 20.0, 30.0))

    for memory in deriver.memory.values():
        memory.moved(round(-2 * HOUR * 1e9), outage_known=True)
    later = Deriver(wiring(measured={PM: DUST}, climate=None), deriver.memory)

    assert values(told(later, hours_of_dust(1, 20.0, 30.0, begin_s=0.5 * HOUR)))[Q.NOWCAST_PM2_5] == pytest.approx(20)


def test_after_an_outage_that_nobody_measured_hours_begin_anew_and_days_go_on() -> None:
    deriver = Deriver(wiring())
    told(deriver, a_month(3))

    for memory in deriver.memory.values():
        memory.moved(0, outage_known=False)

    assert deriver.memory[PM].pm2_5 is None
    assert deriver.memory[UPSTREAM].dirt is not None
    assert deriver.memory[GAS].gas is not None


def test_what_a_device_left_that_is_gone_is_dropped() -> None:
    assert Deriver(wiring(), {SourceId("gone"): Memory(), GAS: Memory()}).memory.keys() == {GAS}


NUMBERS = st.floats() | st.sampled_from([0.0, 100.0, -1.0, 65535.0])


@settings(max_examples=80)
@given(st.lists(st.tuples(st.sampled_from([*AIR, *DUST]), NUMBERS, st.integers(0, 10**6)), max_size=60))
def test_no_reading_is_anything_but_a_number(readings: list[tuple[Quantity, float, int]]) -> None:
    deriver = Deriver(wiring())
    for quantity, value, second in readings:
        source = PM if quantity in DUST else GAS
        found = deriver.feed(reading(value, source=source, quantity=quantity, taken_s=second))

        assert all(math.isfinite(one.value) for one in found)
