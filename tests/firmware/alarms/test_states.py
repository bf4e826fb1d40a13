from __future__ import annotations

import pytest

from firmware.alarms.states import ACTIVE, NEXT, RAISED, UNSEEN, AlarmEvent, AlarmState

BY_SIGNAL = {AlarmEvent.RAISE, AlarmEvent.RETURN, AlarmEvent.RETURN_LATCHED}
BY_HAND = {AlarmEvent.ACKNOWLEDGE, AlarmEvent.RESET}


def reachable(start: AlarmState, events: set[AlarmEvent]) -> set[AlarmState]:
    found = {start}
    while more := {after for (before, event), after in NEXT.items() if before in found and event in events} - found:
        found |= more
    return found


@pytest.mark.parametrize("state", AlarmState)
def test_every_state_can_be_reached_and_left_for_normal_without_changing_the_configuration(state: AlarmState) -> None:
    assert state in reachable(AlarmState.NORMAL, BY_SIGNAL | BY_HAND)
    assert AlarmState.NORMAL in reachable(state, BY_SIGNAL | BY_HAND)


@pytest.mark.parametrize("state", [state for state in AlarmState if state not in RAISED])
def test_no_state_is_deaf_to_a_condition_that_holds_again(state: AlarmState) -> None:
    assert NEXT[state, AlarmEvent.RAISE] is AlarmState.UNACKNOWLEDGED


@pytest.mark.parametrize("state", [state for state in AlarmState if state in RAISED])
def test_a_condition_that_is_over_ends_a_raised_alarm_whether_it_latches_or_not(state: AlarmState) -> None:
    assert NEXT[state, AlarmEvent.RETURN] not in ACTIVE
    assert NEXT[state, AlarmEvent.RETURN_LATCHED] in ACTIVE - RAISED


@pytest.mark.parametrize("state", [state for state in AlarmState if state in UNSEEN])
def test_no_alarm_becomes_normal_by_itself_before_a_human_has_seen_it(state: AlarmState) -> None:
    assert AlarmState.NORMAL not in {NEXT.get((state, event)) for event in BY_SIGNAL}
    assert NEXT[state, AlarmEvent.ACKNOWLEDGE] not in UNSEEN


@pytest.mark.parametrize("state", [state for state in AlarmState if state is not AlarmState.NORMAL])
def test_an_alarm_that_is_no_longer_configured_is_over(state: AlarmState) -> None:
    assert NEXT[state, AlarmEvent.RETIRE] is AlarmState.NORMAL
