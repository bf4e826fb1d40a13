from __future__ import annotations

import pytest

from firmware.terminal import Colours, Row, Style, colours, listed, paint, printable

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environment", "is_terminal", "shown"),
    [
        (XTERM, True, Colours.INDEXED),
        (XTERM | {"COLORTERM": "truecolor"}, True, Colours.TRUE),
        (XTERM | {"COLORTERM": "24bit"}, True, Colours.TRUE),
        (XTERM | {"COLORTERM": "truecolor", "NO_COLOR": "1"}, True, Colours.NONE),
        (XTERM | {"NO_COLOR": ""}, True, Colours.INDEXED),
        (XTERM | {"COLORTERM": "truecolor"}, False, Colours.NONE),
        ({"TERM": "dumb"}, True, Colours.NONE),
        ({}, True, Colours.NONE),
    ],
    ids=["xterm", "true colour", "24 bit", "NO_COLOR", "NO_COLOR empty", "a file", "dumb", "no TERM"],
)
def test_colours_are_for_terminals_that_have_and_want_them(
    environment: dict[str, str], is_terminal: bool, shown: Colours
) -> None:
    assert colours(environment, is_terminal=is_terminal) is shown


ROW: Row = [("0:07  ", Style.DIM), ("DIRTY", Style.RED), ("   ", Style.PLAIN)]


def test_a_row_without_colours_is_plain_text_without_blanks_at_its_end() -> None:
    assert paint(ROW, Colours.NONE) == "0:07  DIRTY"


def test_a_row_in_colours_ends_each_of_them() -> None:
    assert paint(ROW, Colours.INDEXED) == "\x1b[2m0:07  \x1b[0m\x1b[1;31mDIRTY\x1b[0m"


@pytest.mark.parametrize(
    ("items", "lines"),
    [
        (["one"], ["name: one"]),
        (["one", "two"], ["name: one  two"]),
        (["seventeen letters", "two"], ["name: seventeen letters", "      two"]),
        (["this one is broken between words"], ["name: this one is broken", "      between words"]),
        (["x" * 30], ["name: " + "x" * 20, "      " + "x" * 10]),
        ([], ["name:"]),
    ],
    ids=["one", "two", "on two rows", "broken", "no words", "none"],
)
def test_what_does_not_fit_goes_on_below_what_it_belongs_to(items: list[str], lines: list[str]) -> None:
    made = listed([("name: ", Style.BOLD)], [(item, Style.PLAIN) for item in items], width=26)

    assert [paint(row, Colours.NONE) for row in made] == lines


def test_a_very_narrow_terminal_gets_longer_rows_and_no_endless_ones() -> None:
    made = listed([("downstream  ", Style.BOLD)], [("dark: is the light on?", Style.PLAIN)], width=5)

    assert [paint(row, Colours.NONE) for row in made] == ["downstream  dark: is the", "            light on?"]


def test_text_from_outside_cannot_change_the_terminal() -> None:
    assert printable("duct\x1b[2J\r\nµg/m³ \x9b\u202e!") == "duct�[2J��µg/m³ ��!"
