from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.derived.dirt_rate import MOST_DAYS, TODAY_AT_MOST, DirtRate, Forecast, forecast, was_cleaned
from tests.builders import at

DAY = 86_400.0
LIMIT_G_M2 = 3.0


def line(days: int, rate: float, start: float = 0.5) -> list[float | None]:
    """Newest first."""
    return [start + rate * day for day in reversed(range(days))]


def told(days: list[float | None]) -> Forecast:
    found = forecast(days, LIMIT_G_M2)
    assert found is not None
    return found


def test_steady_dust_reaches_the_limit_on_a_day_that_can_be_told() -> None:
    found = told(line(11, 0.1))

    assert found.rate == pytest.approx(0.1)
    assert found.days == pytest.approx((LIMIT_G_M2 - 1.5) / 0.1)
    assert found.days_low == pytest.approx(found.days_high)


@pytest.mark.parametrize(("known", "is_told"), [(6, False), (7, True)])
def test_a_week_must_be_known(known: int, is_told: bool) -> None:
    gaps: list[float | None] = [None] * 3

    assert (forecast([*line(known, 0.1), *gaps], LIMIT_G_M2) is not None) is is_told


def test_days_of_nonsense_hardly_move_the_rate() -> None:
    days = line(21, 0.1)
    days[3], days[10], days[17] = 50.0, 0.0, 80.0

    assert told(days).rate == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("rate", [0.0, -0.05])
def test_a_duct_that_does_not_get_dirtier_never_reaches_the_limit(rate: float) -> None:
    assert told(line(10, rate, start=2.0)).days == MOST_DAYS


def test_a_duct_beyond_the_limit_has_no_days_left() -> None:
    found = told(line(10, 0.1, start=4.0))

    assert (found.days_low, found.days, found.days_high) == (0, 0, 0)


def test_the_interval_holds_the_truth_nine_times_in_ten() -> None:
    chance = random.Random(5)
    held = 0
    for _ in range(400):
        days: list[float | None] = [0.5 + 0.05 * day + chance.gauss(0, 0.1) for day in reversed(range(20))]
        found = told(days)
        truth = (LIMIT_G_M2 - (0.5 + 0.05 * 19)) / 0.05
        held += found.days_low <= truth <= found.days_high

    assert 0.8 < held / 400 < 0.99


def test_a_day_is_its_median_and_the_days_without_pictures_are_unknown() -> None:
    dirt = DirtRate(at(0))
    over = [dirt.feed(g_m2, at(second)) for g_m2, second in [(1, 0), (9, 10), (2, 20), (5, 3 * DAY)]]

    assert over == [False, False, False, True]
    assert dirt.past == [None, None, 2]


def test_a_day_with_thousands_of_pictures_is_thinned_out_evenly() -> None:
    dirt = DirtRate(at(0))
    for second in range(43_200):
        dirt.feed(float(second), at(2 * second))

    assert len(dirt.today) <= TODAY_AT_MOST
    dirt.feed(0.0, at(DAY))
    assert dirt.past[0] == pytest.approx(21_600, rel=0.02)


def test_thirty_days_are_remembered() -> None:
    dirt = DirtRate(at(0))
    for day in range(100):
        dirt.feed(1.0 + day, at(day * DAY))

    assert dirt.past == [float(day) for day in range(99, 69, -1)]


def test_after_a_cleaning_the_days_before_it_are_forgotten() -> None:
    dirt = DirtRate(at(0))
    for day, g_m2 in enumerate([2.0] * 10 + [0.3, 0.3, 0.3]):
        dirt.feed(g_m2, at(day * DAY))

    assert dirt.past == [0.3, 0.3]


@pytest.mark.parametrize(
    ("days", "cleaned"),
    [
        ([0.3, 0.3, 2, 2, 2], True),
        ([0.3, 2, 2, 2, 2], False),
        ([1.5, 1.5, 2, 2, 2], False),
        ([0.3, None, 2, 2], False),
        ([0.3, 0.3], False),
        ([], False),
    ],
)
def test_two_days_of_half_the_dust_are_a_cleaning(days: list[float | None], cleaned: bool) -> None:
    assert was_cleaned(days) is cleaned


@given(st.lists(st.none() | st.floats(0, 100), max_size=40), st.floats(0.01, 100))
def test_nothing_but_days_comes_of_anything(days: list[float | None], limit_g_m2: float) -> None:
    found = forecast(days, limit_g_m2)

    if found is not None:
        assert math.isfinite(found.rate)
        assert 0 <= found.days_low <= found.days <= found.days_high <= MOST_DAYS
