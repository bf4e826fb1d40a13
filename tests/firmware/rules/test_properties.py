"""What must hold for every order of events, tried on thousands of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.types import Instant, Quantity, SourceId
from firmware.alarms.states import NEXT, TELLS_AGAIN, WITHHOLDS, AlarmEvent, AlarmState
from firmware.alarms.types import AlarmId, AlarmRecord, Transition
from firmware.rules.conditions import Agreed, Limit, Side
from firmware.rules.engine import RuleEngine
from firmware.rules.expression.compile import compile_rule
from firmware.rules.types import NO_LIMIT, Rule, Sample
from tests.firmware.rules.builders import at, held, rule

SOURCES = (SourceId("supply"), SourceId("exhaust"))
SIGNALS = ("pm2_5", "dirty_score")
LIMITS = (
    rule("at_once", above=35),
    rule("delayed", above=35, deadband=5, on_delay=held(4), off_delay=held(3), tolerance_ns=held(7).ns),
    rule("tolerant", above=35, on_delay=held(5), tolerance_ns=held(12).ns, source=SOURCES[0]),
    rule("low", limit=Limit(Side.BELOW, 30, 5), on_delay=Agreed(2, 3), off_delay=Agreed(2, 2)),
    rule("latching", signal="dirty_score", above=35, on_delay=Agreed(3, 4), off_delay=Agreed(3, 4), latch=True),
    rule("late_latch", signal="dirty_score", above=30, off_delay=held(3), tolerance_ns=held(6).ns, latch=True),
)
QUANTITIES = {"pm2_5": Quantity.PM2_5, "dirty_score": Quantity.PM10}  # a score beyond 1 is refused
COMPOUND = compile_rule("dirty_score > 35.0 && pm2_5 > 30.0 || pm2_5 > 45.0", quantities=QUANTITIES)
RULES = (
    *LIMITS,
    rule("both", signal="dirty_score", limit=NO_LIMIT, when=COMPOUND),
    rule("both_late", signal="dirty_score", limit=NO_LIMIT, when=COMPOUND, on_delay=held(4), tolerance_ns=held(7).ns),
    rule("both_latch", signal="dirty_score", limit=NO_LIMIT, when=COMPOUND, on_delay=Agreed(2, 3), latch=True),
    rule("quiet", above=35, suppress_when=compile_rule("dirty_score > 40.0", quantities=QUANTITIES)),
)
NAMES = (*(each.name for each in RULES), "pm2_5_fault", "dirty_score_fault")


@dataclass(frozen=True)
class Step:
    """Something that happens `wait_s` after the step before: a sample, a human's command, or (neither) a tick."""

    wait_s: int
    sample: tuple[SourceId, str, float | None] | None = None
    command: tuple[AlarmId, AlarmEvent] | None = None

    def on(self, engine: RuleEngine, now: Instant) -> Sequence[Transition]:
        if self.sample is not None:
            return engine.feed(Sample(*self.sample, now))
        if self.command is None:
            return engine.tick(now)
        alarm, event = self.command
        return (engine.acknowledge if event is AlarmEvent.ACKNOWLEDGE else engine.reset)(alarm, now, "ann")


steadily = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy

values = st.sampled_from([10.0, 31.0, 36.0, 50.0, 50.0, None, float("nan")])
samples = st.tuples(st.sampled_from(SOURCES), st.sampled_from(SIGNALS), values)
commands = st.tuples(
    st.builds(AlarmId, st.sampled_from(NAMES), st.sampled_from(SOURCES)),
    st.sampled_from([AlarmEvent.ACKNOWLEDGE, AlarmEvent.RESET]),
)
steps = st.one_of(
    st.builds(Step, st.integers(0, 4), sample=samples),
    st.builds(Step, st.integers(0, 4), sample=samples),
    st.builds(Step, st.integers(0, 9)),
    st.builds(Step, st.integers(0, 2), command=commands),
)
stories = st.lists(steps, max_size=60)


def played(story: list[Step], engine: RuleEngine, start_s: int = 0) -> Iterator[tuple[int, Sequence[Transition]]]:
    now_s = start_s
    for step in story:
        now_s += step.wait_s
        yield now_s, step.on(engine, at(now_s))


def standing_of(records: Sequence[AlarmRecord]) -> dict[AlarmId, AlarmState]:
    return {record.alarm: record.state for record in records if record.state is not AlarmState.NORMAL}


def fresh(rules: Sequence[Rule] = RULES) -> RuleEngine:
    return RuleEngine(rules, now=at(0))


@steadily
@given(stories)
def test_every_move_is_in_the_table_and_starts_where_the_last_one_ended(story: list[Step]) -> None:
    engine = fresh()
    states: dict[AlarmId, AlarmState] = {}

    for now_s, moves in played(story, engine):
        for move in moves:
            assert move.before is states.get(move.alarm, AlarmState.NORMAL)
            unchanged = move.event in WITHHOLDS or move.event in TELLS_AGAIN
            assert move.after is (move.before if unchanged else NEXT[move.before, move.event])
            states[move.alarm] = move.after
        not_normal = {alarm: state for alarm, state in states.items() if state is not AlarmState.NORMAL}
        assert standing_of(engine.records(at(now_s))) == not_normal


@settings(steadily, max_examples=500)
@given(stories, st.lists(st.integers(0, 9), max_size=30))
def test_no_alarm_is_raised_or_cleared_on_unknown_alone(story: list[Step], waits_s: list[int]) -> None:
    engine = fresh()
    now_s = 0
    for now_s, _ in played(story, engine):  # noqa: B007 - how far the story went
        pass

    nobody_knows = [Step(0, sample=(source, signal, None)) for source in SOURCES for signal in SIGNALS]
    silence = [each for wait_s in [0, *waits_s] for each in (Step(wait_s), *nobody_knows)][1:]

    moves = [move for _, moves in played(silence, engine, now_s) for move in moves]
    assert [move for move in moves if not move.fault and move.before is not move.after] == []


@steadily
@given(stories)
def test_a_limit_alarm_moves_by_itself_only_while_its_last_value_holds(story: list[Step]) -> None:
    engine = fresh()
    tolerance_s = {rule.name: rule.tolerance_ns / 1e9 for rule in RULES if rule.tolerance_ns is not None}
    known_s: dict[SourceId, int] = {}
    every_second = [each for step in story for each in [Step(1)] * step.wait_s + [replace(step, wait_s=0)]]
    pm_only = [step for step in every_second if step.sample is None or step.sample[1] == "pm2_5"]

    for step, (now_s, moves) in zip(pm_only, played(pm_only, engine), strict=True):
        if step.sample is not None:
            value = step.sample[2]
            known_s[step.sample[0]] = now_s if value is not None and value == value else -1000
        for move in moves:
            if move.event in (AlarmEvent.RAISE, AlarmEvent.RETURN) and not move.fault:
                assert now_s - known_s[move.alarm.source] <= tolerance_s.get(move.alarm.rule, 0)


@steadily
@given(stories, st.sets(st.integers(0, 59)))
def test_a_restart_at_any_moment_changes_nothing_that_follows(story: list[Step], restarts: set[int]) -> None:
    steady, restarted = fresh(LIMITS), fresh(LIMITS)
    now_s = 0

    for index, step in enumerate(story):
        if index in restarts:
            restarted = RuleEngine(LIMITS, now=at(now_s), remembered=restarted.records(at(now_s)), outage_ns=0)
        now_s += step.wait_s
        assert list(step.on(restarted, at(now_s))) == list(step.on(steady, at(now_s)))


@steadily
@given(stories, stories, st.integers(0, 1_000))
def test_time_stands_still_while_the_board_is_off_for_less_than_the_tolerance(
    before: list[Step], after: list[Step], boot_s: int
) -> None:
    steady = fresh(LIMITS)
    now_s = 0
    for now_s, _ in played(before, steady):  # noqa: B007 - how far the story went
        pass
    records = steady.records(at(now_s))
    ages_s = [record.age_ns / 1e9 for record in records]
    outage_s = 0 if any(5 <= age_s < 12 for age_s in ages_s) else 1
    booted = RuleEngine(LIMITS, now=at(boot_s), remembered=records, outage_ns=held(outage_s).ns)

    for (_, expected), (_, moves) in zip(played(after, steady, now_s), played(after, booted, boot_s), strict=True):
        shift = at(now_s - boot_s)
        assert [replace(move, at=Instant(move.at + shift)) for move in moves] == list(expected)


@steadily
@given(stories, stories)
def test_after_a_long_outage_alarms_stand_as_they_stood(before: list[Step], after: list[Step]) -> None:
    steady = fresh()
    now_s = 0
    for now_s, _ in played(before, steady):  # noqa: B007 - how far the story went
        pass
    records = steady.records(at(now_s))

    booted = RuleEngine(RULES, now=at(0), remembered=records)

    standing = standing_of(records)
    assert standing_of(booted.records(at(0))) == standing
    for _, moves in played(after, booted):
        for move in moves:
            assert move.before is standing.get(move.alarm, AlarmState.NORMAL)
            standing[move.alarm] = move.after
