"""Rules with an expression, and what suppresses alarms by design."""

from __future__ import annotations

import math
from typing import Any

import pytest

from drivers.types import SourceId
from firmware.alarms.states import AlarmState
from firmware.alarms.types import AlarmId, Transition
from firmware.rules.conditions import Agreed
from firmware.rules.engine import RuleEngine
from firmware.rules.expression.compile import compile_rule
from firmware.rules.types import NO_LIMIT, Rule, Sample
from tests.firmware.rules.builders import DUCT, at, engine, feed, held, pm, rule, told

GAS, FAN, ROOM = SourceId("duct-gas"), SourceId("fan"), SourceId("room")


def when(text: str, name: str = "damp_dust", **more: Any) -> Rule:
    condition = compile_rule(text)
    first = condition.mentioned[0]
    return rule(name, signal=first.signal, source=first.device, limit=NO_LIMIT, when=condition, **more)


def said(signal: str, value: float | None, seconds: float, source: SourceId = GAS) -> Sample:
    return Sample(source, signal, value, at(seconds))


def states(watcher: RuleEngine, seconds: float) -> dict[str, str]:
    return {
        str(one.alarm): one.state.value for one in watcher.records(at(seconds)) if one.state is not AlarmState.NORMAL
    }


BOTH = "pm2_5 > 35.0 && humidity > 70.0"


def test_it_is_raised_by_whichever_part_comes_last_and_says_what_it_saw() -> None:
    watcher = engine(when(BOTH))

    moves = feed(watcher, [pm(50, 0), said("humidity", 60, 1), said("humidity", 80, 2), pm(20, 3)])

    assert told(moves) == ["2 damp_dust raise", "3 damp_dust return"]
    assert moves[0].alarm == AlarmId("damp_dust", DUCT)
    assert moves[0].reason == f"{BOTH}: pm2_5 50 ug/m3, humidity 80 %RH"
    assert moves[0].value == 50
    assert moves[1].reason == f"no longer {BOTH}: pm2_5 20 ug/m3, humidity 80 %RH"


def test_unknown_in_a_part_that_matters_neither_raises_nor_ends_it() -> None:
    watcher = engine(when(BOTH))

    assert feed(watcher, [pm(50, 0), said("humidity", None, 1)]) == []
    assert told(feed(watcher, [said("humidity", 80, 2)])) == ["2 damp_dust raise"]
    assert feed(watcher, [said("humidity", None, 3), pm(60, 4), pm(-math.inf, 4)]) == []
    assert told(feed(watcher, [pm(20, 5)])) == ["5 damp_dust return"]  # whatever the humidity is


def test_a_delay_by_time_runs_while_nothing_new_is_said_and_no_longer_than_the_tolerance() -> None:
    watcher = engine(when(BOTH, on_delay=held(60), tolerance_ns=held(50).ns))
    feed(watcher, [said("humidity", 80, 0), pm(50, 0)])

    assert [told(watcher.tick(at(second))) for second in range(1, 49)] == [[]] * 48
    moves = watcher.tick(at(50))

    assert {(str(move.alarm), move.fault) for move in moves} == {
        ("humidity_fault/duct-gas", True),
        ("pm2_5_fault/duct-pm", True),
    }
    assert told(watcher.tick(at(120))) == []


def test_a_delay_by_count_counts_the_samples_of_the_first_signal() -> None:
    watcher = engine(when(BOTH, on_delay=Agreed(3, 4)))

    damp = [said("humidity", 80, second) for second in range(5)]
    assert feed(watcher, [*damp, pm(50, 5), pm(50, 6)]) == []
    watcher.tick(at(7))
    assert told(feed(watcher, [pm(50, 8)])) == ["8 damp_dust raise"]


def test_windows_are_asked_each_second() -> None:
    watcher = engine(when("avg(pm2_5, 10s) > 35.0"))
    feed(watcher, [pm(20, 0), pm(45, 5)])

    moves = [move for second in range(6, 20) for move in watcher.tick(at(second))]

    assert told(moves) == ["10 damp_dust raise"]  # 20 has left the window; at 15 it is empty, which ends nothing
    assert moves[0].reason == "avg(pm2_5, 10s) > 35.0: avg(pm2_5) 45"


def test_a_signal_is_that_of_its_own_source_if_this_has_it() -> None:
    warm = when("pm2_5 > 35.0 && temperature > 30.0")
    watcher = engine(warm)

    moves = feed(
        watcher, [said("temperature", 40, 0, DUCT), said("temperature", 10, 0, ROOM), pm(50, 1), pm(50, 1, ROOM)]
    )

    assert [str(move.alarm) for move in moves] == ["damp_dust/duct-pm"]


def test_one_that_several_others_have_is_unknown_until_it_is_named() -> None:
    heard = [said("temperature", 40, 0, GAS), said("temperature", 40, 0, ROOM), pm(50, 1)]

    assert feed(engine(when("pm2_5 > 35.0 && temperature > 30.0")), heard) == []
    named = engine(when('pm2_5 > 35.0 && of["duct-gas"].temperature > 30.0'))
    assert told(feed(named, heard)) == ["1 damp_dust raise"]


def test_it_stands_as_it_stood_after_a_restart_and_half_a_delay_goes_on() -> None:
    slow = when(BOTH, "slow", on_delay=held(60), tolerance_ns=held(300).ns)
    rules = [when(BOTH), slow]
    before = engine(*rules)
    feed(before, [said("humidity", 80, 0), pm(50, 0)])
    before.tick(at(40))

    after = RuleEngine(rules, now=at(0), remembered=before.records(at(40)), outage_ns=0)
    feed(after, [said("humidity", 80, 1), pm(50, 1)])

    assert states(after, 1) == {"damp_dust/duct-pm": "unacknowledged"}
    moves = [move for second in range(2, 40) for move in after.tick(at(second))]
    assert told(moves) == ["20 slow raise"]


def restarted(rules: list[Rule], before: RuleEngine, seconds: float, *, boot_s: float = 0) -> RuleEngine:
    records = sorted(before.records(at(seconds)), key=lambda record: record.alarm)  # as they come from the disk
    return RuleEngine(rules, now=at(boot_s), remembered=records, outage_ns=0)


def test_after_a_restart_no_other_device_answers_for_one_that_has_not_spoken_yet() -> None:
    rules = [when("pm2_5 > 35.0")]
    before = engine(*rules)
    feed(before, [pm(50, 0), pm(20, 0, ROOM)])

    after = restarted(rules, before, 1)

    assert feed(after, [pm(20, 1, ROOM)]) == []
    assert states(after, 1) == {"damp_dust/duct-pm": "unacknowledged"}
    assert told(feed(after, [pm(20, 2)])) == ["2 damp_dust return"]


def test_nor_for_another_signal_that_it_is_known_to_have() -> None:
    rules = [when("pm2_5 > 35.0 && temperature > 30.0", tolerance_ns=held(300).ns)]
    before = engine(*rules)
    feed(before, [said("temperature", 10, 0, DUCT), pm(50, 0)])

    after = restarted(rules, before, 1)

    assert feed(after, [said("temperature", 40, 1, ROOM), pm(50, 2), said("temperature", 10, 2, DUCT)]) == []


def test_a_signal_is_not_taken_for_unknown_any_longer_than_it_was_over_two_restarts() -> None:
    rules = [when(BOTH, tolerance_ns=held(300).ns)]
    first = engine(*rules)
    feed(first, [said("humidity", 80, 0), pm(50, 0)])
    second = restarted(rules, first, 1, boot_s=10_000)
    feed(second, [pm(None, 10_001)])  # it warms up

    third = restarted(rules, second, 10_002, boot_s=20_000)

    assert third.tick(at(20_001)) == []
    assert {move.alarm.rule for move in third.tick(at(20_299))} == {"pm2_5_fault", "humidity_fault"}


def test_a_rule_that_is_gone_is_retired() -> None:
    before = engine(when(BOTH))
    feed(before, [said("humidity", 80, 0), pm(50, 0)])

    after = RuleEngine([rule("other")], now=at(0), remembered=before.records(at(1)))

    assert told(after.tick(at(1))) == ["1 damp_dust retire"]


def fan_moves(watcher: RuleEngine, running: float | None, seconds: float) -> list[Transition]:
    return feed(watcher, [said("fan_running", running, seconds, FAN)])


@pytest.fixture
def still() -> RuleEngine:
    """Dust does not matter while the fan stands still."""
    return engine(rule(suppress_when=compile_rule("fan_running < 0.5")))


def test_nobody_is_told_while_the_fan_stands_still(still: RuleEngine) -> None:
    fan_moves(still, 0, 0)

    suppressed, raised = feed(still, [pm(50, 1)])
    assert (suppressed.event.value, suppressed.reason) == ("suppress", "fan_running < 0.5: fan_running 0")
    assert (raised.after, raised.active) == (AlarmState.UNACKNOWLEDGED, False)

    (told_again,) = fan_moves(still, 1, 3)
    assert (told_again.event.value, told_again.active) == ("unsuppress", True)
    assert told_again.reason == "no longer fan_running < 0.5: fan_running 1"


def test_what_is_unknown_suppresses_nothing_and_ends_no_suppression(still: RuleEngine) -> None:
    feed(still, [pm(50, 0)])

    assert fan_moves(still, None, 1) == []
    assert [move.event.value for move in fan_moves(still, 0, 2)] == ["suppress"]
    assert fan_moves(still, None, 3) == []
    assert [move.event.value for move in fan_moves(still, 1, 4)] == ["unsuppress"]


def test_without_its_suppress_when_an_alarm_that_was_suppressed_is_told_again(still: RuleEngine) -> None:
    fan_moves(still, 0, 0)
    feed(still, [pm(50, 1)])

    after = restarted([rule()], still, 2)

    (moved,) = after.tick(at(0))
    assert (moved.event.value, moved.active, moved.by) == ("unsuppress", True, "configuration")
    assert after.tick(at(1)) == []


def test_expressions_suppress_expressions() -> None:
    watcher = engine(when(BOTH, suppress_when=compile_rule("fan_running == 0.0")))
    fan_moves(watcher, 0, 0)

    moves = feed(watcher, [said("humidity", 80, 1), pm(50, 2)])
    moves += watcher.tick(at(3))

    assert not any(move.active for move in moves)
    assert fan_moves(watcher, 1, 4)[0].active


def test_a_count_passes_over_a_first_signal_that_is_unknown() -> None:
    watcher = engine(when("pm2_5 > 35.0 || humidity > 70.0", on_delay=Agreed(2, 2)))

    assert feed(watcher, [said("humidity", 80, 0), pm(50, 1), pm(None, 2), pm(None, 3)]) == []
    assert told(feed(watcher, [pm(50, 4)])) == ["4 damp_dust raise"]


def test_what_nobody_knows_for_an_hour_suppresses_nothing(still: RuleEngine) -> None:
    """The fan may have been taken out of the configuration: nobody would be told for ever."""
    fan_moves(still, 0, 0)
    feed(still, [pm(50, 1)])

    fan_moves(still, None, 10)
    assert [still.tick(at(second)) for second in (11, 1_800, 3_609)] == [[], [], []]

    (told_again,) = still.tick(at(3_610))
    assert (told_again.event.value, told_again.active) == ("unsuppress", True)
    assert [move.event.value for move in fan_moves(still, 0, 3_700)] == ["suppress"]


def test_nobody_is_taken_at_their_word_for_a_device_that_is_known_to_speak_for_itself() -> None:
    rules = [when("pm2_5 > 35.0 && temperature > 30.0")]
    heard = [said("temperature", 40, 0, ROOM), pm(50, 1)]

    assert told(feed(engine(*rules), heard)) == ["1 damp_dust raise"]
    knowing = RuleEngine(rules, now=at(0), places=[(DUCT, "temperature"), (DUCT, "pm2_5"), (ROOM, "temperature")])
    assert feed(knowing, heard) == []
    assert told(feed(knowing, [said("temperature", 40, 2, DUCT)])) == ["2 damp_dust raise"]
