from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware.derived.hourly import Hourly
from tests.builders import at

MINUTE, HOUR = 60.0, 3600.0


def fed(*values: tuple[float, float]) -> list[float | None]:
    """The means of the hours that were over, of values with their seconds."""
    hour = Hourly(at(values[0][1]), values[0][0], at(values[0][1]))
    return [mean for value, second in values for mean in hour.feed(value, at(second), at_most=12)]


def test_an_hour_is_over_with_the_first_value_of_the_next() -> None:
    assert fed(*[(5.0, minute * MINUTE) for minute in range(0, 60, 5)]) == []
    assert fed(*[(5.0, minute * MINUTE) for minute in range(0, 65, 5)]) == [5.0]


def test_a_value_counts_for_as_long_as_it_stands() -> None:
    first_half = [(10.0, minute * MINUTE) for minute in range(0, 30, 10)]
    second_half = [(20.0, minute * MINUTE) for minute in range(30, 60)]

    assert fed(*first_half, *second_half, (0.0, HOUR)) == [15.0]


def test_an_hour_of_which_less_than_three_quarters_is_known_has_no_mean() -> None:
    assert fed((5.0, 0), (5.0, 10 * MINUTE), (5.0, 20 * MINUTE), (5.0, HOUR)) == [None]


def test_hours_without_any_value_are_over_too() -> None:
    full = [(5.0, minute * MINUTE) for minute in range(0, 60, 5)]

    assert fed(*full, (5.0, 3.5 * HOUR)) == [5.0, None, None]


def test_a_year_of_silence_is_as_many_hours_as_were_asked_for() -> None:
    assert fed((5.0, 0), (5.0, 8760 * HOUR)) == [None] * 12


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 20 * MINUTE)), min_size=1, max_size=200))
def test_a_mean_lies_between_the_values(steps: list[tuple[float, float]]) -> None:
    second, values = 0.0, []
    for value, step_s in steps:
        second += step_s
        values.append((value, second))

    for mean in fed(*values):
        assert mean is None or min(value for value, _ in values) - 1e-6 <= mean <= max(v for v, _ in values) + 1e-6
