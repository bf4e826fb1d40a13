from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from drivers.types import SourceId
from firmware.alarms.states import AlarmState
from firmware.alarms.types import AlarmRecord, Note, Severity
from firmware.rules.conditions import Agreed, Limit, Side
from firmware.rules.engine import RuleEngine
from firmware.rules.types import Rule, Sample
from tests.firmware.rules.builders import DUCT, MINUTE, alarm, at, engine, feed, held, ns, pm, rule, told


def test_a_value_above_its_limit_raises_and_one_beyond_the_deadband_returns() -> None:
    watcher = engine(rule(above=35, deadband=5))

    moves = feed(watcher, [pm(34, 0), pm(36, 1), pm(32, 2), pm(36, 3), pm(30, 4), pm(36, 5)])

    assert told(moves) == ["1 pm2_5_high raise", "4 pm2_5_high return", "5 pm2_5_high raise"]


def test_a_transition_says_which_when_why_and_with_which_value() -> None:
    watcher = engine(rule(above=35.4, on_delay=held(10 * MINUTE), tolerance_ns=ns(MINUTE), severity=Severity.HIGH))

    (raised,) = feed(watcher, [pm(50 + minute / 10, minute * MINUTE / 2) for minute in range(21)])

    assert (raised.alarm, raised.at, raised.value, raised.by) == (alarm(), at(10 * MINUTE), 52.0, "rule")
    assert (raised.before, raised.after) == (AlarmState.NORMAL, AlarmState.UNACKNOWLEDGED)
    assert (raised.severity, raised.fault) == (Severity.HIGH, False)
    assert raised.reason == "pm2_5 52 ug/m3 above 35.4 ug/m3 for 10min"


@pytest.mark.parametrize(
    ("changes", "values", "reason"),
    [
        pytest.param({}, [50], "pm2_5 50 ug/m3 above 35 ug/m3", id="at once"),
        pytest.param({"on_delay": Agreed(2, 3)}, [50, 51], "pm2_5 51 ug/m3 above 35 ug/m3 in 2 of 3", id="by count"),
        pytest.param({"deadband": 5.0}, [50, 20], "pm2_5 20 ug/m3, back at 30 ug/m3 or below", id="return"),
        pytest.param(
            {"limit": Limit(Side.BELOW, 0.5), "unit": "1", "off_delay": Agreed(1, 2)},
            [0, 1],
            "pm2_5 1, back at 0.5 or above in 1 of 2",
            id="return to above a lower limit",
        ),
    ],
)
def test_the_reason_reads_as_a_sentence(changes: dict[str, Any], values: list[float], reason: str) -> None:
    watcher = engine(rule(**changes))

    moves = feed(watcher, [pm(value, second) for second, value in enumerate(values)])

    assert moves[-1].reason == reason


def test_a_delay_runs_out_between_two_samples() -> None:
    watcher = engine(rule(on_delay=held(60), tolerance_ns=ns(300)))
    watcher.feed(pm(50, 0))

    assert told(watcher.tick(at(59))) == []
    assert told(watcher.tick(at(60))) == ["60 pm2_5_high raise"]
    assert told(watcher.tick(at(61))) == []


def test_a_single_high_value_from_a_sensor_that_then_died_does_not_raise() -> None:
    watcher = engine(rule(on_delay=held(600), tolerance_ns=ns(300)))
    watcher.feed(pm(50, 0))

    moves = [move for second in range(1, 1000) for move in watcher.tick(at(second))]

    assert told(moves) == ["300 pm2_5_fault raise"]


def test_one_alarm_for_each_source_of_the_signal() -> None:
    watcher = engine(rule())

    moves = feed(
        watcher, [pm(50, 0, SourceId("supply")), pm(50, 0, SourceId("exhaust")), pm(20, 1, SourceId("supply"))]
    )

    assert [str(move.alarm) for move in moves] == ["pm2_5_high/supply", "pm2_5_high/exhaust", "pm2_5_high/supply"]


def test_a_rule_for_one_source_leaves_the_others_alone() -> None:
    watcher = engine(rule(source=SourceId("supply")))

    assert told(feed(watcher, [pm(50, 0, SourceId("exhaust"))])) == []
    assert told(feed(watcher, [pm(50, 1, SourceId("supply"))])) == ["1 pm2_5_high raise"]


UNKNOWN = pytest.mark.parametrize(
    "unknown", [None, math.nan, math.inf, -math.inf], ids=["no value", "not a number", "endless", "endless below"]
)


@UNKNOWN
def test_unknown_neither_raises_nor_clears(unknown: float | None) -> None:
    watcher = engine(rule(), rule("pm2_5_low", limit=Limit(Side.BELOW, 5)))
    feed(watcher, [pm(50, 0)])

    assert told(feed(watcher, [pm(unknown, second) for second in range(1, 100)])) == []


@UNKNOWN
def test_a_delay_waits_while_the_signal_is_unknown(unknown: float | None) -> None:
    watcher = engine(rule(on_delay=held(60), tolerance_ns=ns(300)))
    feed(watcher, [pm(50, 0), pm(unknown, 40)])

    assert told(watcher.tick(at(200))) == []
    assert told(feed(watcher, [pm(50, 210)])) == []
    assert told(watcher.tick(at(230))) == ["230 pm2_5_high raise"]


@UNKNOWN
def test_a_sensor_that_answers_without_a_value_is_a_fault(unknown: float | None) -> None:
    watcher = engine(rule(tolerance_ns=ns(60)))

    assert told(feed(watcher, [pm(20, 0), pm(unknown, 59), pm(unknown, 60)])) == ["60 pm2_5_fault raise"]


def test_a_signal_that_stays_unknown_is_a_fault_that_names_it() -> None:
    watcher = engine(rule(tolerance_ns=ns(5 * MINUTE)))
    feed(watcher, [pm(12, 0), pm(None, 60)])

    (fault,) = feed(watcher, [pm(None, 299), pm(None, 300), pm(None, 301)])

    assert (fault.alarm, fault.fault, fault.value, fault.at) == (alarm("pm2_5_fault"), True, None, at(300))
    assert fault.reason == "pm2_5 of duct-pm unknown for 5min, last known as 12 ug/m3"
    (back,) = feed(watcher, [pm(13, 400)])
    assert (back.alarm, back.value) == (alarm("pm2_5_fault"), 13)
    assert back.reason == "pm2_5 of duct-pm is known again: 13 ug/m3"


def test_a_named_signal_that_never_came_is_a_fault() -> None:
    watcher = engine(rule(source=DUCT, tolerance_ns=ns(60)))

    (fault,) = watcher.tick(at(60))

    assert fault.reason == "pm2_5 of duct-pm unknown for 1min, never known so far"


def test_rules_on_one_signal_share_its_fault_with_the_shortest_tolerance_and_highest_severity() -> None:
    watcher = engine(
        rule(tolerance_ns=ns(300), severity=Severity.HIGH), rule("other", tolerance_ns=ns(60), severity=Severity.LOW)
    )
    watcher.feed(pm(12, 0))

    moves = [move for second in (59, 60, 300) for move in watcher.tick(at(second))]

    assert told(moves) == ["60 pm2_5_fault raise"]
    assert moves[0].severity is Severity.HIGH


def test_an_alarm_outlives_the_death_of_its_sensor() -> None:
    watcher = engine(rule(tolerance_ns=ns(60)))
    feed(watcher, [pm(50, 0)])

    assert told(watcher.tick(at(3600))) == ["3600 pm2_5_fault raise"]
    assert told(feed(watcher, [pm(20, 3601)])) == ["3601 pm2_5_fault return", "3601 pm2_5_high return"]


def test_evidence_from_before_a_long_silence_is_void() -> None:
    watcher = engine(rule(on_delay=Agreed(3, 4), tolerance_ns=ns(60)))
    feed(watcher, [pm(50, 0), pm(50, 1)])

    assert told(feed(watcher, [pm(50, 120), pm(50, 121), pm(50, 122)])) == ["122 pm2_5_high raise"]


def test_snapshots_that_cannot_be_judged_do_not_push_out_those_that_can() -> None:
    watcher = engine(rule(on_delay=Agreed(3, 4)))

    moves = feed(watcher, [pm(value, hour * 3600) for hour, value in enumerate([50, None, 50, None, None, 50])])

    assert told(moves) == ["18000 pm2_5_high raise"]


def test_a_latched_alarm_stays_until_it_is_reset() -> None:
    watcher = engine(rule(latch=True))
    feed(watcher, [pm(50, 0), pm(20, 1)])

    assert watcher.reset(alarm(), at(2), "ann")[0].after is AlarmState.NORMAL
    assert [record for record in watcher.records(at(2)) if record.alarm == alarm()] == []


def test_an_alarm_cannot_be_reset_while_its_condition_holds() -> None:
    watcher = engine(rule(latch=True))
    feed(watcher, [pm(50, 0)])

    assert watcher.reset(alarm(), at(1), "ann") == []


def test_what_was_seen_before_a_reset_does_not_count_against_the_cleaned_duct() -> None:
    watcher = engine(rule(latch=True, on_delay=Agreed(2, 4)))
    feed(watcher, [pm(50, 0), pm(50, 1), pm(20, 2), pm(50, 3)])
    watcher.reset(alarm(), at(4), "ann")

    assert told(feed(watcher, [pm(50, 5)])) == []
    assert told(feed(watcher, [pm(50, 6)])) == ["6 pm2_5_high raise"]


def test_acknowledging_tells_who_and_is_done_once() -> None:
    watcher = engine(rule())
    feed(watcher, [pm(50, 0)])

    (seen,) = watcher.acknowledge(alarm(), at(5), "ann" * 100)

    assert (seen.after, seen.at, seen.value, len(seen.by)) == (AlarmState.ACKNOWLEDGED, at(5), 50, 64)
    assert watcher.acknowledge(alarm(), at(6), "bob") == []


@pytest.mark.parametrize("name", ["pm2_5_high", "no_such_rule", "pm2_5_fault"])
def test_acknowledging_what_is_not_there_does_nothing(name: str) -> None:
    watcher = engine(rule())
    feed(watcher, [pm(20, 0)])

    assert watcher.acknowledge(alarm(name), at(1), "ann") == []


def test_a_fault_is_acknowledged_by_its_own_name() -> None:
    watcher = engine(rule(tolerance_ns=ns(60)))
    feed(watcher, [pm(50, 0)])
    watcher.tick(at(60))

    assert told(watcher.acknowledge(alarm("pm2_5_fault"), at(61), "ann")) == ["61 pm2_5_fault acknowledge"]
    assert told(feed(watcher, [pm(20, 62)]))[0] == "62 pm2_5_fault return"


def test_samples_nobody_has_a_rule_for_and_old_news_are_passed_over() -> None:
    watcher = engine(rule())
    feed(watcher, [pm(20, 10)])

    assert told(feed(watcher, [Sample(DUCT, "humidity", 99.0, at(11)), pm(50, 9)])) == []


def test_an_operator_finds_what_to_do_about_each_alarm() -> None:
    watcher = engine(rule(tolerance_ns=ns(60)))
    feed(watcher, [pm(20, 0)])

    assert watcher.annotations(alarm()) == rule().annotations
    fault = watcher.annotations(alarm("pm2_5_fault"))
    assert fault is not None
    assert "pm2_5_high" in fault.consequence
    assert "duct-pm" in fault.action
    assert watcher.annotations(alarm("no_such_rule")) is None


def states(records: tuple[AlarmRecord, ...]) -> dict[str, AlarmState]:
    return {str(record.alarm): record.state for record in records}


def restarted(before: RuleEngine, *rules: Rule, sources: Collection[SourceId] | None = None) -> RuleEngine:
    """As a firmware that is started anew, or told to reload, goes on a second later."""
    return RuleEngine(rules, now=at(1), remembered=before.records(at(1)), outage_ns=0, sources=sources)


def test_other_rules_keep_the_alarms_of_those_that_stay_and_retire_the_others() -> None:
    watcher = engine(rule(), rule("gone"), rule("other_signal"))
    feed(watcher, [pm(50, 0)])

    after = restarted(watcher, replace(rule(), severity=Severity.LOW), rule("other_signal", signal="pm10"))

    moves = after.tick(at(1))
    assert told(moves) == ["1 gone retire", "1 other_signal retire"]
    assert {move.by for move in moves} == {"configuration"}
    assert states(after.records(at(1))) == {"pm2_5_high/duct-pm": AlarmState.UNACKNOWLEDGED}
    assert feed(after, [pm(20, 2)])[0].severity is Severity.LOW


def test_other_rules_keep_a_delay_under_way_only_for_the_same_condition() -> None:
    same, other = rule(on_delay=Agreed(2, 2)), rule("other", on_delay=Agreed(2, 2))
    watcher = engine(same, other)
    feed(watcher, [pm(50, 0)])

    after = restarted(watcher, same, replace(other, limit=Limit(Side.ABOVE, 40.0)))

    assert told(feed(after, [pm(50, 2)])) == ["2 pm2_5_high raise"]


def test_alarms_of_devices_that_are_no_longer_configured_are_retired() -> None:
    watcher = engine(rule(), rule("device_dead", signal="alive", limit=Limit(Side.BELOW, 0.5)))
    feed(watcher, [pm(50, 0), Sample(SourceId("old-cam"), "alive", 0.0, at(0))])

    moves = restarted(watcher, rule(), sources={DUCT}).tick(at(1))

    assert [str(move.alarm) for move in moves] == ["device_dead/old-cam"]


def test_whoever_lists_what_is_shelved_hears_that_its_rule_is_gone() -> None:
    watcher = engine(rule(), rule("gone"))
    feed(watcher, [pm(50, 0)])
    for name in ("gone", "pm2_5_high"):
        watcher.shelve(alarm(name), at(0), ns(60), Note("filter change", "ann"))
    normal = engine(rule("gone"))
    feed(normal, [pm(20, 0)])
    normal.take_out_of_service(alarm("gone"), at(0), Note("new sensor", "ann"))

    moves = restarted(watcher, rule()).tick(at(1))

    assert told(moves) == ["1 gone retire", "1 gone unshelve"]
    assert not any(move.active for move in moves)
    assert told(restarted(normal, rule()).tick(at(1))) == ["1 gone return_to_service"]
