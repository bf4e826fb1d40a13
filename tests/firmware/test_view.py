from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from drivers.types import Quantity, SourceId
from firmware.alarms.states import AlarmEvent, AlarmState
from firmware.alarms.types import AlarmId, Severity, Transition
from firmware.terminal import Colours
from firmware.view import View, since
from model.types import Label
from tests.builders import at, reading, verdict

UPSTREAM, DOWNSTREAM = SourceId("upstream"), SourceId("downstream")
SMALL = np.full((60, 80, 3), 128, np.uint8)


def view(colours: Colours = Colours.NONE, width: int = 80) -> View:
    return View(
        start=at(10),
        width=width,
        colours=colours,
        cameras=(UPSTREAM, DOWNSTREAM),
        action=lambda alarm: f"See to {alarm.rule}.",
    )


@pytest.mark.parametrize(
    ("second", "shown"),
    [(10, "0:00"), (17.9, "0:07"), (135, "2:05"), (3733, "1:02:03"), (183_730, "2d 03:02"), (9, "0:00")],
)
def test_times_are_counted_from_the_start(second: float, shown: str) -> None:
    assert since(at(10), at(second)) == shown


def test_a_verdict_is_shown_at_once() -> None:
    [line] = view().lines(verdict(Label.CLEAN, taken_s=17))

    assert line.startswith("   0:07  upstream    CLEAN")


def test_readings_of_one_moment_wait_for_each_other_and_come_before_what_follows() -> None:
    terminal = view()
    waiting = [
        *terminal.lines(reading(6, quantity=Quantity.PM2_5, taken_s=20)),
        *terminal.lines(reading(8, quantity=Quantity.PM10, taken_s=20)),
    ]

    following = terminal.lines(verdict(taken_s=22))

    assert waiting == []
    assert following[0] == "   0:10  duct-pm     PM2.5   6  PM10   8 µg/m³"
    assert following[1].startswith("   0:12  upstream")


def test_what_was_gathered_can_be_had_when_nothing_follows() -> None:
    terminal = view()
    terminal.lines(reading(6, taken_s=20))

    assert terminal.flush() == ["   0:10  duct-pm     PM2.5   6"]
    assert terminal.flush() == []


def test_an_alarm_says_what_to_do_about_it() -> None:
    raised = Transition(
        alarm=AlarmId("duct_dirty", UPSTREAM),
        before=AlarmState.NORMAL,
        event=AlarmEvent.RAISE,
        after=AlarmState.UNACKNOWLEDGED,
        at=at(20),
        value=0.9,
        severity=Severity.HIGH,
        fault=False,
        reason="dirty_score 0.9",
    )

    assert "                  See to duct_dirty." in view().lines(raised)


def seen(terminal: View, *labels: Label, second: float) -> list[str]:
    """The lines of a snapshot with both cameras, with their pictures."""
    lines = []
    for camera, label in zip((UPSTREAM, DOWNSTREAM), labels, strict=True):
        terminal.saw(camera, SMALL)
        lines += terminal.lines(verdict(label, source=camera, taken_s=second))
    return lines


def pictures(lines: list[str]) -> int:
    return sum("▀" in line for line in lines)


def test_pictures_stand_below_both_verdicts_of_the_first_snapshot_and_where_a_label_changes() -> None:
    terminal = view(Colours.TRUE, width=100)
    first = seen(terminal, Label.CLEAN, Label.CLEAN, second=20) + terminal.flush()
    same = seen(terminal, Label.CLEAN, Label.CLEAN, second=22) + terminal.flush()
    changed = seen(terminal, Label.CLEAN, Label.DIRTY, second=24) + terminal.flush()

    assert [pictures(lines) for lines in (first, same, changed)] == [16, 0, 16]
    assert "upstream" in changed[3]
    assert "CLEAN" in changed[3]
    assert "DIRTY" in changed[3]
    assert pictures(changed[:4]) == 0


def test_without_colours_there_are_no_pictures_and_no_escapes() -> None:
    terminal = view()
    lines = seen(terminal, Label.CLEAN, Label.DIRTY, second=20) + terminal.flush()

    assert len(lines) == 2
    assert not any("\x1b" in line for line in lines)


def test_two_gaps_in_a_row_are_one() -> None:
    terminal = view(Colours.TRUE, width=100)
    lines = seen(terminal, Label.CLEAN, Label.CLEAN, second=20)
    lines += seen(terminal, Label.DIRTY, Label.DIRTY, second=22) + terminal.flush()

    assert not any(not line and not after for line, after in pairwise(lines))
    assert "" in lines


def test_a_camera_that_is_not_on_the_list_has_no_picture() -> None:
    terminal = view(Colours.TRUE)
    terminal.saw(SourceId("third"), SMALL)

    terminal.lines(verdict(taken_s=20))

    assert terminal.flush() == []
