from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.derived.nowcast import nowcast_ug_m3

HOURS = st.lists(st.none() | st.floats(0, 1000), max_size=14)


def test_the_worked_example() -> None:
    """Newest first; lowest 10, highest 90, so the factor is 0.5 instead of 0.11. The example of the NowCast's usual
    references (in R's paRticulates oldest first): 17.4 ug/m3."""
    hours = [13, 16, 10, 21, 74, 64, 53, 82, 90, 75, 80, 50]

    assert nowcast_ug_m3(hours) == pytest.approx(17.4, abs=0.05)


def test_a_pulse_of_one_hour_counts_half_and_then_half_of_that() -> None:
    pulse = [71.0, *[0.0] * 11]

    assert nowcast_ug_m3(pulse) == pytest.approx(71 / 2, abs=0.01)
    assert nowcast_ug_m3([0.0, *pulse[:11]]) == pytest.approx(71 / 4, abs=0.01)


def test_steady_air_is_the_mean_of_twelve_hours() -> None:
    assert nowcast_ug_m3([12.0, 10.0] * 6) == pytest.approx(11, abs=0.1)
    assert nowcast_ug_m3([0.0] * 12) == 0.0


@pytest.mark.parametrize(
    ("hours", "known"),
    [
        ([5.0, 5.0], True),
        ([None, 5.0, 5.0], True),
        ([5.0, None, 5.0], True),
        ([5.0], False),
        ([None, None, 5.0, *[5.0] * 9], False),
        ([], False),
    ],
)
def test_two_of_the_last_three_hours_must_be_known(hours: list[float | None], known: bool) -> None:
    assert (nowcast_ug_m3(hours) is not None) is known


def test_what_is_older_than_twelve_hours_does_not_count() -> None:
    assert nowcast_ug_m3([5.0] * 12 + [500.0]) == pytest.approx(5.0)


@given(HOURS)
def test_a_nowcast_lies_between_the_hours(hours: list[float | None]) -> None:
    known = [mean for mean in hours[:12] if mean is not None]
    found = nowcast_ug_m3(hours)

    assert found is None or min(known) * (1 - 1e-9) <= found <= max(known) * (1 + 1e-9)
