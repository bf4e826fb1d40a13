from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.derived.humid_air import absolute_humidity_g_m3, dew_point_cel, saturation_pa

TEMPERATURES = st.floats(-60, 100)
HUMIDITIES = st.floats(0.5, 100)


@pytest.mark.parametrize(
    ("temperature_cel", "pascals"),
    [(-60, 1.08), (-20, 103.24), (-5, 401.74), (5, 872.6), (25, 3169.7), (50, 12351.3), (100, 101418.0)],
)
def test_saturation_agrees_with_ashraes_table(temperature_cel: float, pascals: float) -> None:
    """ASHRAE Fundamentals 2017, chapter 1, table 3; the equations are within 0.03 % of it, and it shows 0.01 Pa."""
    assert saturation_pa(temperature_cel) == pytest.approx(pascals, rel=3e-4, abs=0.01)


@pytest.mark.parametrize(
    ("temperature_cel", "humidity_percent", "dew_cel"),
    [(20, 50, 9.272392), (25, 60, 16.701131), (30, 5, -12.259025), (-10, 80, -12.489557), (0, 100, 0.0)],
)
def test_dew_points_are_those_of_psychrolib(temperature_cel: float, humidity_percent: float, dew_cel: float) -> None:
    """GetTDewPointFromRelHum of PsychroLib 2.5.0, which solves the same equations by another way."""
    assert dew_point_cel(temperature_cel, humidity_percent) == pytest.approx(dew_cel, abs=1e-6)


def test_half_humid_air_of_a_room_holds_nearly_nine_grams_of_water() -> None:
    assert absolute_humidity_g_m3(20, 50) == pytest.approx(8.64, abs=0.01)


@given(TEMPERATURES, HUMIDITIES)
def test_air_at_its_dew_point_is_saturated(temperature_cel: float, humidity_percent: float) -> None:
    dew_cel = dew_point_cel(temperature_cel, humidity_percent)

    assert dew_cel is not None
    assert dew_cel <= temperature_cel
    assert saturation_pa(dew_cel) == pytest.approx(saturation_pa(temperature_cel) * humidity_percent / 100, rel=1e-6)


@given(TEMPERATURES, HUMIDITIES, HUMIDITIES)
def test_more_humid_air_has_a_higher_dew_point(temperature_cel: float, one: float, other: float) -> None:
    drier, wetter = (dew_point_cel(temperature_cel, each) for each in sorted((one, other)))

    assert drier is not None
    assert wetter is not None
    assert drier <= wetter


@given(st.floats(), st.floats())
def test_nothing_but_a_number_or_none_comes_of_anything(temperature_cel: float, humidity_percent: float) -> None:
    for found in (
        dew_point_cel(temperature_cel, humidity_percent),
        absolute_humidity_g_m3(temperature_cel, humidity_percent),
    ):
        assert found is None or math.isfinite(found)
