"""Figures are printed as people write them."""

from __future__ import annotations

import pytest

from hil.report import Report, told_duration


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01234, "0.0123 s"),
        (12.34, "12.3 s"),
        (999.4, "999 s"),
        (999.6, "1000 s"),
        (1950.0, "1950 s"),
        (-999.6, "-1000 s"),
    ],
)
def test_a_figure_has_three_digits_and_no_exponent(value: float, text: str) -> None:
    Report("a test").figure("a time", value, "s")

    assert Report.figures.pop() == ("a test", "a time", text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(699.6, "11 min 40 s"), (720.0, "12 min"), (59.7, "1 min"), (9, "0 min 9 s")]
)
def test_a_duration_is_told_in_minutes_and_seconds(seconds: float, text: str) -> None:
    assert told_duration(seconds) == text
