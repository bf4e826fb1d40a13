from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.rules.series import MOST_VALUES, Said, Silence, expand

NOTHING = Silence.SILENCE


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("10", [10.0]),
        ("10x3", [10.0, 10.0, 10.0]),
        ("-1.5x2 0", [-1.5, -1.5, 0.0]),
        ("10+2x3", [10.0, 12.0, 14.0]),
        ("1-0.5x3", [1.0, 0.5, 0.0]),
        ("_x2 ? 5", [NOTHING, NOTHING, None, 5.0]),
        ("5x0 1", [1.0]),
    ],
)
def test_few_characters_are_many_values(text: str, values: list[Said]) -> None:
    assert expand(text) == values


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10 x3", "'x3': write 10x30"),
        ("ten", "'ten': write 10x30"),
        ("1e5", "'1e5': write 10x30"),
        ("_+1x3", "what is not known cannot grow"),
        (f"1x{MOST_VALUES} 1", "more than 1000000 values"),
        ("1x9999999", "more than 1000000 values"),
    ],
)
def test_what_is_no_series_is_named(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        expand(text)


@given(st.text(max_size=40))
def test_any_text_is_a_series_or_refused(text: str) -> None:
    try:
        values = expand(text)
    except ValueError:
        return
    assert all(value is None or isinstance(value, float | Silence) for value in values)
