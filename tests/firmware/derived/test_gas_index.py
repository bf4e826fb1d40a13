from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.derived.gas_index import FORGET_S, GasBaseline
from tests.builders import at

HOUR, DAY, EVERY_S = 3600.0, 86_400.0, 60.0


def air(second: float) -> tuple[float, float]:
    """ln(R) of usual air and its water: a sensor that drifts upwards by 0.02 a day, whose resistance falls by 6 % for
    each g/m3, in air that is wetter by night, with 1 % of noise."""
    water = 9 + 2 * math.sin(2 * math.pi * second / DAY)
    noise = random.Random(second).gauss(0, 0.01)
    return 11.0 + 0.02 * second / DAY - 0.06 * (water - 9) + noise, water


def course(baseline: GasBaseline, begin_s: float, end_s: float, gas: float = 0.0) -> Iterator[float]:
    """Indices, one a minute, of usual air with `gas` less in ln(R)."""
    second = begin_s
    while second < end_s:
        ln_ohm, water = air(second)
        found = baseline.feed(math.exp(ln_ohm - gas), water, at(second))
        assert found is not None
        yield found
        second += EVERY_S


def after_a_week() -> GasBaseline:
    baseline = GasBaseline()
    for _ in course(baseline, 0, 7 * DAY):
        pass
    return baseline


def test_it_learns_for_two_days() -> None:
    baseline = GasBaseline()

    learning = [baseline.learning for _ in course(baseline, 0, 3 * DAY)]

    assert learning.count(True) == pytest.approx(2 * DAY / EVERY_S, abs=2)
    assert not learning[-1]


def test_usual_air_is_about_100_through_drift_and_humidity() -> None:
    indices = list(course(after_a_week(), 7 * DAY, 10 * DAY))

    assert min(indices) > 88
    assert max(indices) < 112


def test_half_the_resistance_shows_at_once_and_the_end_of_it_too() -> None:
    baseline = after_a_week()

    gas = list(course(baseline, 7 * DAY, 7 * DAY + 2 * HOUR, gas=0.7))
    after = list(course(baseline, 7 * DAY + 2 * HOUR, 7 * DAY + 3 * HOUR))

    assert gas[0] > 170
    assert min(gas) > 170
    assert max(after) < 110


def test_gas_for_a_night_hardly_becomes_the_usual() -> None:
    baseline = after_a_week()

    gas = list(course(baseline, 7 * DAY, 7 * DAY + 12 * HOUR, gas=0.7))
    after = list(course(baseline, 7 * DAY + 12 * HOUR, 8 * DAY))

    assert min(gas) > 160
    assert min(after) > 84


def test_a_sensor_that_was_replaced_is_usual_again_within_weeks() -> None:
    baseline = after_a_week()
    last = list(course(baseline, 7 * DAY, 7 * DAY + 8 * FORGET_S, gas=-1.1))[-1]

    assert 85 < last < 115


def test_where_humidity_never_varied_it_explains_nothing() -> None:
    baseline = GasBaseline()
    for minute in range(3 * 24 * 60):
        baseline.feed(60_000, 9.0, at(60 * minute))

    found = baseline.feed(60_000, 12.0, at(3 * DAY))

    assert found == pytest.approx(100, abs=0.1)


def test_a_gap_counts_for_no_more_than_a_quarter_of_an_hour() -> None:
    baseline = GasBaseline()
    baseline.feed(60_000, 9.0, at(0))
    baseline.feed(60_000, 9.0, at(30 * DAY))

    assert baseline.learned_s == pytest.approx(900, abs=2)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(), st.floats(), st.floats(-1e6, 1e9)), max_size=30))
def test_nothing_but_an_index_or_none_comes_of_anything(readings: list[tuple[float, float, float]]) -> None:
    baseline = GasBaseline()
    for ohm, water, second in readings:
        found = baseline.feed(ohm, min(water, 1000.0), at(second))

        assert found is None or 4.9 < found < 2010
