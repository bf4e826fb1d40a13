from __future__ import annotations

import pytest

from firmware.alarms.types import NO_EVIDENCE, Evidence
from firmware.rules.conditions import Agreed, Delay, Held, Limit, Side, in_words, progress
from tests.firmware.rules.builders import at, held, ns

ABOVE = Limit(Side.ABOVE, 35.0, deadband=5.0)
BELOW = Limit(Side.BELOW, 10.0, deadband=2.0)


@pytest.mark.parametrize(
    ("limit", "value", "exceeded", "over"),
    [
        pytest.param(ABOVE, 35.1, True, False, id="above the limit"),
        pytest.param(ABOVE, 35.0, False, False, id="at the limit, within the deadband"),
        pytest.param(ABOVE, 30.1, False, False, id="still within the deadband"),
        pytest.param(ABOVE, 30.0, False, True, id="at the edge of the deadband"),
        pytest.param(ABOVE, None, None, None, id="unknown against an upper limit"),
        pytest.param(BELOW, 9.9, True, False, id="below the limit"),
        pytest.param(BELOW, 11.9, False, False, id="within the deadband above a lower limit"),
        pytest.param(BELOW, 12.0, False, True, id="at the edge above a lower limit"),
        pytest.param(BELOW, None, None, None, id="unknown against a lower limit"),
        pytest.param(Limit(Side.ABOVE, 35.0), 35.0, False, True, id="no deadband: at the limit is over"),
    ],
)
def test_a_limit_answers_in_three_values(
    limit: Limit, value: float | None, exceeded: bool | None, over: bool | None
) -> None:
    assert limit.exceeded(value) is exceeded
    assert limit.over(value) is over


@pytest.mark.parametrize(
    ("delay", "answers", "over_at"),
    [
        pytest.param(Held(0), [(0, True)], 0, id="no delay"),
        pytest.param(held(10), [(0, True), (5, True), (10, True)], 10, id="yes for as long as the delay"),
        pytest.param(held(10), [(0, True), (5, False), (10, True), (19, True)], None, id="a no starts it anew"),
        pytest.param(held(10), [(0, True), (6, None), (50, True), (54, True)], 54, id="unknown stops the watch"),
        pytest.param(held(10), [(0, None), (50, None)], None, id="unknown alone is no evidence"),
        pytest.param(held(10), [(0, True), (6, None), (50, None)], None, id="nor does it complete a delay"),
        pytest.param(Agreed(3, 4), [(0, True), (1, True), (2, False), (3, True)], 3, id="3 of 4"),
        pytest.param(Agreed(3, 4), [(0, True), (1, False), (2, False), (3, True), (4, True)], None, id="2 of 4"),
        pytest.param(Agreed(2, 3), [(0, True), (1, None), (2, None), (3, None), (4, True)], 4, id="unknown: no vote"),
        pytest.param(Agreed(1, 1), [(0, False), (1, None), (2, True)], 2, id="the first yes"),
    ],
)
def test_a_delay_is_over(delay: Delay, answers: list[tuple[float, bool | None]], over_at: float | None) -> None:
    under_way = progress(delay, NO_EVIDENCE, at(0))

    over = [seconds for seconds, answer in answers if under_way.see(answer, at(seconds))]

    assert over == ([] if over_at is None else [over_at])


def test_a_delay_by_time_runs_out_by_itself_while_the_last_answer_holds() -> None:
    under_way = progress(held(10), NO_EVIDENCE, at(0))
    under_way.see(True, at(0))

    assert not under_way.due(at(9.9))
    assert under_way.due(at(10))


@pytest.mark.parametrize(
    ("delay", "evidence"),
    [
        pytest.param(held(10), Evidence(elapsed_ns=ns(7), running=True), id="a watch that runs"),
        pytest.param(held(10), Evidence(elapsed_ns=ns(7)), id="a watch that stands"),
        pytest.param(Agreed(3, 4), Evidence(votes=0b0101), id="votes"),
    ],
)
def test_a_delay_goes_on_from_what_was_written_down(delay: Delay, evidence: Evidence) -> None:
    under_way = progress(delay, evidence, at(100))

    assert under_way.evidence(at(100)) == evidence
    assert [under_way.see(True, at(100 + wait)) for wait in (0, 3)][-1]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (0.25, "250ms"), (1.5, "1500ms"), (90, "90s"), (600, "10min"), (7200, "2h"), (172_800, "2d")],
)
def test_durations_are_told_as_one_writes_them(seconds: float, words: str) -> None:
    assert in_words(ns(seconds)) == words
