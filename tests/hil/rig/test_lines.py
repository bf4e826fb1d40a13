from __future__ import annotations

import pytest

from hil.rig.lines import MOST_EDGES, Line, Lines

ALL = 0xFF


@pytest.mark.parametrize(
    ("latch", "push_pull", "pulled_up", "level"),
    [
        (1, 1, (), True),
        (0, 1, (0,), False),
        (1, 0, (0,), True),
        (1, 0, (), False),
        (0, 0, (0,), False),
    ],
    ids=["driven high", "driven low", "let go, pulled up", "let go, pulled down", "pulled low by an open drain"],
)
def test_what_an_output_shows(latch: int, push_pull: int, pulled_up: tuple[int, ...], level: bool) -> None:
    lines = Lines(pulled_up)
    lines.board_sets(outputs=1, push_pull=push_pull, latch=latch)

    assert lines.level(0) is level


def test_the_board_is_stronger_than_the_bench_until_it_lets_go() -> None:
    lines = Lines()
    lines.board_sets(outputs=1 << Line.LED, push_pull=ALL, latch=0)
    lines.drive(Line.LED, True)
    assert not lines.level(Line.LED)

    lines.board_sets(outputs=0, push_pull=ALL, latch=0)
    assert lines.level(Line.LED)


def test_released_outputs_are_off_and_contacts_are_open() -> None:
    lines = Lines()

    assert [lines.level(line) for line in Line] == [False, False, False, True, True]


def test_a_latch_behind_an_input_does_not_show() -> None:
    lines = Lines()
    lines.board_sets(outputs=0, push_pull=ALL, latch=ALL)

    assert not lines.level(Line.LED)
    assert not lines.edges


def test_the_log_of_edges_is_bounded() -> None:
    lines = Lines()
    for turn in range(MOST_EDGES + 10):
        lines.drive(Line.BUTTON, turn % 2 == 1)

    assert len(lines.edges) == MOST_EDGES
