from __future__ import annotations

from collections.abc import Iterable

import pytest

from drivers.types import SourceId
from firmware.alarms.states import AlarmState
from firmware.alarms.types import AlarmRecord, Note
from firmware.rules.conditions import Agreed, Delay
from firmware.rules.engine import RuleEngine
from firmware.rules.types import Rule
from tests.firmware.rules.builders import DUCT, alarm, at, engine, feed, held, ns, pm, rule, told


def restarted(
    rules: Iterable[Rule], records: Iterable[AlarmRecord], *, outage_s: float | None, boot_s: float = 0
) -> RuleEngine:
    """A new engine on a board whose clock starts anew."""
    outage_ns = None if outage_s is None else ns(outage_s)
    return RuleEngine(rules, now=at(boot_s), remembered=records, outage_ns=outage_ns)


def test_an_acknowledged_alarm_is_still_acknowledged_after_a_power_cut() -> None:
    before = engine(rule())
    feed(before, [pm(50, 0)])
    before.acknowledge(alarm(), at(1), "ann")

    after = restarted([rule()], before.records(at(2)), outage_s=None)

    assert told(feed(after, [pm(50, 1)])) == []
    assert told(feed(after, [pm(20, 2)])) == ["2 pm2_5_high return"]


@pytest.mark.parametrize(
    ("delay", "tolerance_s", "outage_s", "raised_after_s"),
    [
        pytest.param(held(60), 300, 100, 20, id="short outage: 40 of 60 s had gone by"),
        pytest.param(held(60), 300, 400, 60, id="long outage: from the start"),
        pytest.param(held(60), 300, None, 60, id="outage of unknown length: from the start"),
        pytest.param(Agreed(3, 4), 300, 100, 1, id="short outage: two votes are in"),
        pytest.param(Agreed(3, 4), 300, 400, 3, id="long outage: votes are void"),
        pytest.param(Agreed(3, 4), None, None, 1, id="snapshots without a tolerance do not age"),
    ],
)
def test_a_delay_goes_on_after_an_outage_within_the_tolerance(
    delay: Delay, tolerance_s: float | None, outage_s: float | None, raised_after_s: float
) -> None:
    dusty = rule(on_delay=delay, tolerance_ns=None if tolerance_s is None else ns(tolerance_s))
    before = engine(dusty)
    feed(before, [pm(50, 0), pm(50, 40)])

    after = restarted([dusty], before.records(at(40)), outage_s=outage_s)

    moves = feed(after, [pm(50, second) for second in range(61 if raised_after_s != 3 else 3)])
    seen_from_0 = raised_after_s if isinstance(delay, type(held(0))) else raised_after_s - 1
    assert told(moves) == [f"{seen_from_0:g} pm2_5_high raise"]


@pytest.mark.parametrize(("outage_s", "told_s"), [(None, 50), (20, 30)], ids=["nobody knows how long", "20 s"])
def test_an_alarm_that_was_shelved_is_still_on_the_shelf(outage_s: float | None, told_s: float) -> None:
    before = engine(rule())
    feed(before, [pm(20, 0)])
    shelved = before.shelve(alarm(), at(0), ns(60), Note("filter change", "ann"))

    after = restarted([rule()], before.records(at(10)), outage_s=outage_s)

    assert [(move.by, move.reason) for move in shelved] == [("ann", "filter change")]
    assert [move.active for move in feed(after, [pm(50, 1)])] == [False]
    assert told(after.tick(at(told_s - 1))) == []
    assert told(after.tick(at(told_s))) == [f"{told_s} pm2_5_high unshelve"]


def test_the_outage_itself_does_not_count_towards_a_fault() -> None:
    watched = rule(tolerance_ns=ns(300))
    before = engine(watched)
    feed(before, [pm(20, 0)])

    after = restarted([watched], before.records(at(100)), outage_s=10_000)

    assert told(after.tick(at(199))) == []
    assert told(after.tick(at(200))) == ["200 pm2_5_fault raise"]


def test_a_sensor_that_never_comes_back_from_a_power_cut_is_a_fault_though_no_rule_names_it() -> None:
    watched = rule(tolerance_ns=ns(300))
    before = engine(watched)
    feed(before, [pm(20, 0)])

    after = restarted([watched], before.records(at(0)), outage_s=None)

    assert told(after.tick(at(300))) == ["300 pm2_5_fault raise"]


def test_alarms_without_a_rule_or_a_device_are_retired_at_the_first_tick_and_kept_until_then() -> None:
    before = engine(rule(), rule("gone"))
    feed(before, [pm(50, 0), pm(50, 0, SourceId("old"))])
    records = before.records(at(1))

    after = RuleEngine([rule()], now=at(0), remembered=records, sources={DUCT})

    assert {record.alarm for record in after.records(at(0))} == {record.alarm for record in records}
    assert sorted(str(move.alarm) for move in after.tick(at(1))) == ["gone/duct-pm", "gone/old", "pm2_5_high/old"]
    assert [record.state for record in after.records(at(1))] == [AlarmState.UNACKNOWLEDGED]
