"""One alarm, by every order of events: against a reference that keeps nothing but what must be true."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.alarms.alarm import Alarm
from firmware.alarms.states import NEXT, TELLS_AGAIN, WITHHOLDS, AlarmEvent, AlarmState, Withheld
from firmware.alarms.types import NO_EVIDENCE, AlarmId, AlarmRecord, Note, Severity, Transition

ANN = Note("the filter is being changed", "ann")
HOUR_NS = 3600 * NS_PER_S


def at(seconds: float) -> Instant:
    return Instant(round(seconds * NS_PER_S))


def alarm(*, re_alarm_s: float | None = None, record: AlarmRecord | None = None, now_s: float = 0) -> Alarm:
    re_alarm_ns = None if re_alarm_s is None else round(re_alarm_s * NS_PER_S)
    return Alarm(
        AlarmId("pm2_5_high", SourceId("duct-pm")),
        severity=Severity.HIGH,
        fault=False,
        now=at(now_s),
        record=record,
        re_alarm_ns=re_alarm_ns,
    )


def move(one: Alarm, event: AlarmEvent, seconds: float) -> Transition:
    return one.move(event, at(seconds), value=50.0, reason="dusty")


def end(one: Alarm, seconds: float, *, latch: bool = False) -> Transition:
    return one.end(at(seconds), latch=latch, value=20.0, reason="clear")


def ticked(one: Alarm, seconds: float) -> list[AlarmEvent]:
    return [each.event for each in one.tick(at(seconds), value=50.0)]


def record_of(one: Alarm, seconds: float) -> AlarmRecord:
    return one.record(at(seconds), signal="pm2_5", condition="", value=50.0, age_ns=0, evidence=NO_EVIDENCE)


def test_a_shelved_alarm_is_told_of_when_its_time_is_over_with_reason_and_name() -> None:
    one = alarm()

    shelved = one.shelve(at(0), HOUR_NS, ANN, value=None)
    raised = move(one, AlarmEvent.RAISE, 10)

    assert (shelved.reason, shelved.by, shelved.withheld) == (ANN.reason, "ann", frozenset({Withheld.SHELVED}))
    assert not raised.active
    assert ticked(one, 3599) == []
    told = list(one.tick(at(3600), value=50.0))
    assert [(each.event, each.active) for each in told] == [(AlarmEvent.UNSHELVE, True)]


def test_what_came_and_went_on_the_shelf_needs_nobody() -> None:
    one = alarm()
    one.shelve(at(0), HOUR_NS, ANN, value=None)
    move(one, AlarmEvent.RAISE, 10)

    assert end(one, 20).after is AlarmState.NORMAL


def test_what_somebody_was_told_of_before_it_was_shelved_waits_for_them() -> None:
    one = alarm()
    move(one, AlarmEvent.RAISE, 0)
    one.shelve(at(1), HOUR_NS, ANN, value=50.0)

    assert end(one, 20).after is AlarmState.RETURNED_UNACKNOWLEDGED
    move(one, AlarmEvent.RAISE, 30)
    assert end(one, 40).after is AlarmState.RETURNED_UNACKNOWLEDGED


def test_dirt_that_latched_on_the_shelf_is_there_afterwards() -> None:
    one = alarm()
    one.suppress(at(0), "fan_running is 0", value=None)
    move(one, AlarmEvent.RAISE, 10)

    end(one, 20, latch=True)
    told = one.tell_again(AlarmEvent.UNSUPPRESS, at(30), ANN, value=20.0)

    assert (told.after, told.active) == (AlarmState.LATCHED_UNACKNOWLEDGED, True)


def test_it_is_told_only_when_no_reason_is_left_not_to() -> None:
    one = alarm()
    one.shelve(at(0), HOUR_NS, ANN, value=None)
    one.take_out_of_service(at(0), ANN, value=None)
    move(one, AlarmEvent.RAISE, 10)

    assert not one.tell_again(AlarmEvent.UNSHELVE, at(20), ANN, value=50.0).active
    assert one.tell_again(AlarmEvent.RETURN_TO_SERVICE, at(30), ANN, value=50.0).active


def test_shelving_again_counts_from_then_on() -> None:
    one = alarm()
    one.shelve(at(0), HOUR_NS, ANN, value=None)
    one.shelve(at(3000), HOUR_NS, ANN, value=None)

    assert ticked(one, 3600) == []
    assert ticked(one, 6600) == [AlarmEvent.UNSHELVE]


@pytest.mark.parametrize(("latch", "again"), [(False, "unacknowledged"), (True, "latched_unacknowledged")])
def test_what_was_acknowledged_long_ago_asks_again(latch: bool, again: str) -> None:
    one = alarm(re_alarm_s=100)
    move(one, AlarmEvent.RAISE, 0)
    if latch:
        end(one, 0, latch=True)
    move(one, AlarmEvent.ACKNOWLEDGE, 10)

    assert ticked(one, 109) == []
    assert ticked(one, 110) == [AlarmEvent.RE_ALARM]
    assert one.state.value == again
    assert ticked(one, 500) == []


def test_three_times_in_a_minute_is_chattering_and_says_so() -> None:
    one = alarm()
    reasons = []
    for second in (0, 20, 60):
        reasons.append(move(one, AlarmEvent.RAISE, second).reason)
        end(one, second + 1)

    assert ["chatters" in reason for reason in reasons] == [False, False, True]
    assert record_of(one, 61).chattering
    assert not record_of(one, 61 + 3600).chattering


def test_the_shelf_goes_on_after_a_power_cut() -> None:
    before = alarm()
    before.shelve(at(0), HOUR_NS, ANN, value=None)

    after = alarm(record=record_of(before, 600), now_s=5)

    assert ticked(after, 5 + 2999) == []
    assert ticked(after, 5 + 3000) == [AlarmEvent.UNSHELVE]


class OneAlarm(RuleBasedStateMachine):
    """The reference: does the condition hold, does it latch, who was told, who has seen it, why is nobody told."""

    def __init__(self) -> None:
        super().__init__()
        self.alarm = alarm()
        self.now_s = 0.0
        self.holds = self.latched = False
        self.owed = False  # somebody was told, and nobody has seen it yet
        self.unseen = False  # since it was raised, nobody has acknowledged it
        self.why: set[Withheld] = set()
        self.last: Transition | None = None

    def later(self) -> float:
        self.now_s += 61
        return self.now_s

    def told(self) -> None:
        if not self.why and self.unseen and (self.holds or self.latched):
            self.owed = True

    @precondition(lambda self: not self.holds)
    @rule()
    def raised(self) -> None:
        self.last = move(self.alarm, AlarmEvent.RAISE, self.later())
        self.holds, self.unseen = True, True
        self.told()

    @precondition(lambda self: self.holds)
    @rule(latch=st.booleans())
    def over(self, latch: bool) -> None:
        self.last = end(self.alarm, self.later(), latch=latch)
        self.holds, self.latched = False, latch
        self.unseen = self.unseen and (latch or self.owed)

    @precondition(lambda self: self.alarm.can(AlarmEvent.ACKNOWLEDGE))
    @rule()
    def acknowledged(self) -> None:
        self.last = move(self.alarm, AlarmEvent.ACKNOWLEDGE, self.later())
        self.owed = self.unseen = False

    @precondition(lambda self: self.alarm.can(AlarmEvent.RESET))
    @rule()
    def was_reset(self) -> None:
        self.last = move(self.alarm, AlarmEvent.RESET, self.later())
        self.latched = self.owed = self.unseen = False

    @rule(event=st.sampled_from(sorted(WITHHOLDS, key=lambda each: each.value)))
    def withheld(self, event: AlarmEvent) -> None:
        now = at(self.later())
        match event:
            case AlarmEvent.SHELVE:
                self.last = self.alarm.shelve(now, 10 * HOUR_NS, ANN, value=None)
            case AlarmEvent.SUPPRESS:
                self.last = self.alarm.suppress(now, "fan off", value=None)
            case _:
                self.last = self.alarm.take_out_of_service(now, ANN, value=None)
        self.why.add(WITHHOLDS[event])

    @rule(event=st.sampled_from(sorted(TELLS_AGAIN, key=lambda each: each.value)))
    def told_again(self, event: AlarmEvent) -> None:
        assert self.alarm.can(event) is (TELLS_AGAIN[event] in self.why)
        if self.alarm.can(event):
            self.last = self.alarm.tell_again(event, at(self.later()), ANN, value=None)
            self.why.remove(TELLS_AGAIN[event])
            self.told()

    @rule()
    def power_cut(self) -> None:
        self.alarm = alarm(record=record_of(self.alarm, self.now_s), now_s=self.now_s)

    @invariant()
    def it_stands_where_it_must(self) -> None:
        assert self.alarm.raised is self.holds
        assert self.alarm.withheld == self.why
        if self.owed:
            assert self.alarm.state.value.endswith("unacknowledged")
        if self.latched and not self.holds:
            assert self.alarm.state in (AlarmState.LATCHED_ACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED)
        if not (self.holds or self.latched or self.owed):
            assert self.alarm.state is AlarmState.NORMAL

    @invariant()
    def lamp_and_relay_are_on_if_it_stands_and_nothing_is_withheld(self) -> None:
        if self.last is not None and self.last.at == at(self.now_s):
            assert self.last.active is ((self.holds or self.latched) and not self.why)


OneAlarm.TestCase.settings = settings(
    max_examples=300, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
test_no_order_of_events_loses_an_alarm = OneAlarm.TestCase


def test_no_move_of_the_table_is_unknown_to_the_alarm() -> None:
    for (before, event), after in NEXT.items():
        one = alarm()
        one.state = before
        assert one.can(event)
        assert move(one, event, 1).after is after
