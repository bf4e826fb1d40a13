from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.derived.hourly import Hourly
from firmware.derived.mould_index import Mould, change_in_an_hour, critical_percent
from tests.builders import at

DAY = 86_400.0
TEMPERATURES = st.floats(-20, 60)
HUMIDITIES = st.floats(0, 100)


def weeks_to(index: float, temperature_cel: float, humidity_percent: float) -> float:
    now, hours = 0.0, 0
    while now < index:
        now += change_in_an_hour(now, temperature_cel, humidity_percent, 0)
        hours += 1
    return hours / 168


@pytest.mark.parametrize(
    ("temperature_cel", "humidity_percent", "to_1", "to_3"),
    [(20, 97, 1.48, 2.98), (10, 97, 2.38, 4.99), (20, 90, 4.22, 7.74)],
)
def test_the_weeks_to_the_first_and_to_visible_mould(
    temperature_cel: float, humidity_percent: float, to_1: float, to_3: float
) -> None:
    """The paper's response times in weeks: exp(-0.68 ln T - 13.9 ln RH + 66.02), exp(-0.74 ln T - 12.72 ln RH + 61.50).

    The growth slows down a little before the highest index of these conditions, which the times do not contain.
    """
    assert weeks_to(1, temperature_cel, humidity_percent) == pytest.approx(to_1, rel=0.03)
    assert weeks_to(3, temperature_cel, humidity_percent) == pytest.approx(to_3, rel=0.08)


@pytest.mark.parametrize(("temperature_cel", "percent"), [(25, 80.0), (20, 80.0), (5, 88.0), (1, 97.0)])
def test_cold_air_must_be_more_humid(temperature_cel: float, percent: float) -> None:
    assert critical_percent(temperature_cel) == pytest.approx(percent, abs=0.1)


@pytest.mark.parametrize(
    ("dry_h", "per_day"), [(0, -0.032), (5, -0.032), (6, 0.0), (23, 0.0), (24, -0.016), (1000, -0.016)]
)
def test_it_declines_while_it_is_dry(dry_h: float, per_day: float) -> None:
    assert change_in_an_hour(3, 20, 50, dry_h) == pytest.approx(per_day / 24)


def test_growth_ends_at_the_highest_index_of_the_conditions() -> None:
    index = 0.0
    for _ in range(3 * 365 * 24):
        index += change_in_an_hour(index, 20, 90, 0)

    assert index == pytest.approx(4.0, abs=0.05)  # 1 + 7 / 2 - 2 / 4


def test_a_month_of_wet_air_grows_and_a_dry_day_takes_its_steps() -> None:
    mould = Mould(Hourly(at(0), 20, at(0)), Hourly(at(0), 97, at(0)))
    for minute in range(0, 30 * 24 * 60, 10):
        mould.feed(20, 97, at(60 * minute))
    mould.feed(20, 40, at(30 * DAY))
    wet = mould.index
    for minute in range(30 * 24 * 60, 31 * 24 * 60 + 10, 10):
        mould.feed(20, 40, at(60 * minute))

    assert wet > 3
    assert mould.dry_h == 24
    assert mould.index == pytest.approx(wet - 6 / 24 * 0.032)


def test_hours_in_which_nothing_was_measured_change_nothing() -> None:
    mould = Mould(Hourly(at(0), 20, at(0)), Hourly(at(0), 97, at(0)), index=2.0)

    assert not mould.feed(20, 97, at(1000 * 3600))
    assert mould.index == 2.0


@given(st.floats(0, 6), TEMPERATURES, HUMIDITIES, HUMIDITIES)
def test_more_humid_air_makes_no_less_mould(index: float, temperature_cel: float, one: float, other: float) -> None:
    drier, wetter = (change_in_an_hour(index, temperature_cel, each, 3) for each in sorted((one, other)))

    assert drier <= wetter + 1e-12


@given(st.floats(0, 6), TEMPERATURES, HUMIDITIES, st.floats(0, 1e6))
def test_an_hour_changes_little(index: float, temperature_cel: float, humidity: float, dry_h: float) -> None:
    change = change_in_an_hour(index, temperature_cel, humidity, dry_h)

    assert math.isfinite(change)
    assert abs(change) < 0.03
