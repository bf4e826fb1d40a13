from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.derived.aqi import INDEX, PM2_5, PM10, Scale, index

SCALES = st.sampled_from([PM2_5, PM10])


@pytest.mark.parametrize(
    ("scale", "ug_m3", "expected"),
    [
        (PM2_5, 0.0, 0),
        (PM2_5, 9.0, 50),
        (PM2_5, 9.099, 50),
        (PM2_5, 9.1, 51),
        (PM2_5, 12.0, 56),
        (PM2_5, 35.4, 100),
        (PM2_5, 35.5, 101),
        (PM2_5, 55.4, 150),
        (PM2_5, 125.4, 200),
        (PM2_5, 225.4, 300),
        (PM2_5, 225.5, 301),
        (PM2_5, 325.4, 500),
        (PM2_5, 425.3, 699),
        (PM10, 54.9, 50),
        (PM10, 55, 51),
        (PM10, 154, 100),
        (PM10, 254, 150),
        (PM10, 354, 200),
        (PM10, 424, 300),
        (PM10, 604, 500),
    ],
)
def test_the_table_of_may_2024(scale: Scale, ug_m3: float, expected: int) -> None:
    """12.0 ug/m3 was the end of Good until 2024. 425.3 is as far beyond 325.4 as that is beyond 225.5: 500 + 199."""
    assert index(ug_m3, scale) == expected


@pytest.mark.parametrize("scale", [PM2_5, PM10], ids=["PM2.5", "PM10"])
def test_each_category_begins_one_above_the_end_of_the_one_before(scale: Scale) -> None:
    for last, (_, end), (begin, _) in zip(scale.last, INDEX, INDEX[1:], strict=False):
        assert (index(last, scale), index(last + scale.step, scale)) == (end, begin)
        assert begin == end + 1


@given(st.floats(0, 2000), st.floats(0, 2000), SCALES)
def test_more_dust_is_no_lower_index(one: float, other: float, scale: Scale) -> None:
    less, more = (index(value, scale) for value in sorted((one, other)))

    assert less is not None
    assert more is not None
    assert less <= more


@given(st.floats(0, 1000), SCALES)
def test_one_step_of_concentration_moves_the_index_by_no_more_than_its_steepest_slope(
    ug_m3: float, scale: Scale
) -> None:
    here, next_to_it = index(ug_m3, scale), index(ug_m3 + scale.step, scale)

    assert here is not None
    assert next_to_it is not None
    assert next_to_it - here <= 3


@given(st.floats(), SCALES)
def test_nothing_but_an_index_or_none_comes_of_anything(ug_m3: float, scale: Scale) -> None:
    found = index(ug_m3, scale)

    assert found is None or found >= 0
