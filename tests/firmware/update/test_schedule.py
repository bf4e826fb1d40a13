from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.update.schedule import Window, first_pause_s, is_open, pause_s, window

HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [("01:30-05:00", (90, 299), (89, 300, 1439)), ("22:00-02:00", (1320, 1439, 0, 119), (120, 1319))],
    ids=["one night", "over midnight"],
)
def test_a_window_is_open_from_its_start_to_its_end(
    text: str, inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    assert all(window(text).holds(minute) for minute in inside)
    assert not any(window(text).holds(minute) for minute in outside)


@pytest.mark.parametrize("text", ["1:30-5:00", "01:30", "24:00-02:00", "01:60-02:00", "01:30-05:00 ", ""])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 01:30-05:00"):
        window(text)


def test_a_board_that_does_not_know_the_time_has_no_window_open() -> None:
    assert is_open([], None)
    assert not is_open([Window(0, 1439)], None)


@given(st.floats(60.0, 7 * 86_400), st.integers(0, 100), st.floats(0, 1))
def test_pauses_are_spread_and_bounded(period_s: float, failures: int, chance: float) -> None:
    found_s = pause_s(period_s, failures, chance)

    assert 30.0 <= found_s <= 1.5 * period_s


def test_after_a_failure_it_asks_again_soon_and_then_ever_later() -> None:
    assert [pause_s(6 * HOUR_S, failures, 0.5) for failures in range(5)] == [6 * HOUR_S, 60, 120, 240, 480]
    assert pause_s(6 * HOUR_S, 99, 0.5) == 6 * HOUR_S


def test_boards_that_start_at_once_do_not_ask_at_once() -> None:
    assert [first_pause_s(6 * HOUR_S, chance) for chance in (0.0, 0.5, 1.0)] == [0.0, 300.0, 600.0]
