from __future__ import annotations

from collections.abc import Sequence

from firmware.alarms.operations import Acknowledge, Operation, Shelve
from firmware.alarms.states import AlarmState, Withheld
from firmware.alarms.types import Note
from firmware.rules.story import Expected, Story, play
from firmware.rules.types import Sample
from tests.firmware.rules.builders import alarm, at, held, pm, rule

DUSTY = rule(on_delay=held(60), tolerance_ns=held(300).ns)
NORMAL, UNACKNOWLEDGED = AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED


def story(
    samples: Sequence[Sample],
    *expected: tuple[float, AlarmState | Withheld],
    actions: Sequence[tuple[float, Operation]] = (),
) -> Story:
    return Story(
        name="a test",
        samples=samples,
        actions=[(at(second), operation) for second, operation in actions],
        expected=[Expected(at(second), alarm(), stands) for second, stands in expected],
    )


def test_a_delay_runs_out_between_two_samples() -> None:
    assert play(story([pm(50, 0)], (59, NORMAL), (60, UNACKNOWLEDGED)), [DUSTY]) == []


def test_a_moment_between_two_ticks_is_one() -> None:
    assert play(story([pm(50, 0.25)], (60.2, NORMAL), (60.25, UNACKNOWLEDGED)), [DUSTY]) == []


def test_what_did_not_come_is_told_with_what_came_instead() -> None:
    failures = play(story([pm(50, 0)], (60, NORMAL), (10, UNACKNOWLEDGED)), [DUSTY])

    assert [(failure.index, failure.found) for failure in failures] == [(0, "unacknowledged"), (1, "normal")]
    assert [move.at for move in failures[0].moves] == [at(60)]


def test_an_operator_takes_part() -> None:
    acted: list[tuple[float, Operation]] = [
        (61.0, Acknowledge(alarm(), "ann")),
        (70.0, Shelve(alarm(), held(60).ns, Note("filter change", "ann"))),
    ]

    told = (61, AlarmState.ACKNOWLEDGED), (70, Withheld.SHELVED), (130, AlarmState.ACKNOWLEDGED)
    assert play(story([pm(50, 0)], *told, actions=acted), [DUSTY]) == []
    wrong = story([pm(50, 0)], (70, NORMAL), actions=acted)
    assert [failure.found for failure in play(wrong, [DUSTY])] == ["acknowledged, shelved"]


def test_an_alarm_of_which_nothing_was_ever_measured_is_normal() -> None:
    assert play(story([], (0, NORMAL)), [DUSTY]) == []
