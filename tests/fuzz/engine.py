"""Bytes as what happens to an engine: whatever the order, alarms move along the table, and never on unknown alone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from drivers.types import Instant, Quantity
from firmware.alarms.operations import (
    Acknowledge,
    Operation,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
)
from firmware.alarms.states import NEXT, TELLS_AGAIN, WITHHOLDS, AlarmEvent, AlarmState
from firmware.alarms.types import AlarmId, Note, Transition
from firmware.rules.engine import RuleEngine
from firmware.rules.expression.compile import compile_rule
from firmware.rules.types import NO_LIMIT, Rule, Sample
from tests.firmware.rules.builders import at, held, rule
from tests.firmware.rules.test_properties import NAMES, RULES, SIGNALS, SOURCES

MAX_BYTES = 200
WORDS = ()
QUANTITIES = {"pm2_5": Quantity.PM2_5, "dirty_score": Quantity.PM10}
MEAN = compile_rule("avg(pm2_5, 10s) > 35.0 && age(dirty_score) < 60.0", quantities=QUANTITIES)
ALL = (
    *RULES,
    rule("again", above=35, re_alarm_ns=held(6).ns, latch=True),
    rule("mean", limit=NO_LIMIT, when=MEAN, off_delay=held(2), tolerance_ns=held(20).ns),
    rule("calm", signal="dirty_score", above=35, suppress_when=MEAN, tolerance_ns=held(9).ns, on_delay=held(2)),
)
ALARMS = tuple(AlarmId(name, source) for name in (*NAMES, "again", "mean", "calm", "gone") for source in SOURCES)
VALUES = (10.0, 31.0, 36.0, 50.0, 50.0, None, float("nan"), 36.0)
ANN = Note("a reason", "ann")
MOST_RECORDS = len(ALARMS)
BY_TIME = {AlarmEvent.RE_ALARM, AlarmEvent.RETIRE}
WINDOWS = {"mean"}  # what is in a window, and how old it is, changes while nothing is said


def seeds() -> Iterable[bytes]:
    chance = random.Random(7)
    yield from (chance.randbytes(size) for size in (20, 60, 120, 200))


def check(data: bytes) -> None:
    _Board(iter(data)).run()


class _Board:
    """What happens, decided by bytes; and what must hold after each step."""

    def __init__(self, choices: Iterator[int]) -> None:
        self._choices = choices
        self._now = at(0)
        self._engine = RuleEngine(ALL, now=self._now)
        self._sources = SOURCES  # that are configured: nothing else sends anything
        self._states: dict[AlarmId, AlarmState] = {}

    def run(self) -> None:
        for choice in self._choices:
            self._now = Instant(self._now + at((choice >> 5) % 8))
            kind = choice & 31
            if kind < 18:
                self._take(self._engine.feed(self._sample(kind)))
            elif kind < 22:
                self._take(self._engine.tick(self._now))
            elif kind < 27:
                self._take(self._engine.operate(self._operation(), self._now))
            elif kind < 31:
                self._restart()
            else:
                self._silence()
            self._agrees()

    def _sample(self, kind: int) -> Sample:
        which = self._next()
        source, signal = self._sources[which & 1], SIGNALS[which >> 1 & 1]
        back = at(which >> 5) if kind == 17 else 0  # one that comes late
        return Sample(source, signal, VALUES[which >> 2 & 7], Instant(max(0, self._now - back)))

    def _operation(self) -> Operation:
        alarm = ALARMS[self._next() % len(ALARMS)]
        which = self._next()
        operations: tuple[Operation, ...] = (
            Acknowledge(alarm, "ann"),
            Reset(alarm, "ann"),
            Reset(None, "ann"),
            Shelve(alarm, 1 + at(which >> 3), ANN),
            Unshelve(alarm, ANN),
            TakeOutOfService(alarm, ANN),
            ReturnToService(alarm, ANN),
        )
        return operations[which % len(operations)]

    def _restart(self) -> None:
        records = self._engine.records(self._now)
        outage = self._next()
        booted = at(outage % 3)
        outage_ns = None if outage & 1 else at(outage >> 1)
        self._sources = SOURCES if outage & 2 else SOURCES[:1] * 2
        self._engine = RuleEngine(
            self._some_rules(), now=booted, remembered=records, outage_ns=outage_ns, sources=set(self._sources)
        )
        self._now = booted

    def _some_rules(self) -> Sequence[Rule]:
        """All of them, or without one, or with one of another condition."""
        which = self._next()
        place = which >> 2
        if which & 3 == 0 and place < len(ALL):
            return [*ALL[:place], *ALL[place + 1 :]]
        if which & 3 == 1 and place < len(ALL):
            return [*ALL[:place], replace(ALL[place], on_delay=held(5), tolerance_ns=held(8).ns), *ALL[place + 1 :]]
        return ALL

    def _silence(self) -> None:
        """Nothing is known of any signal: from then on only faults and what an operator left may move."""
        for source in self._sources:
            for signal in SIGNALS:
                self._take(self._engine.feed(Sample(source, signal, None, self._now)))
        self._take(self._engine.tick(self._now))
        for wait_s in (1, 3, 30, 1000):
            self._now = Instant(self._now + at(wait_s))
            moves = self._engine.tick(self._now)
            self._take(moves)
            moved = [move for move in moves if not move.fault and move.before is not move.after]
            assert not [move for move in moved if move.event not in BY_TIME and move.alarm.rule not in WINDOWS], moved

    def _take(self, moves: Sequence[Transition]) -> None:
        for move in moves:
            assert move.before is self._states.get(move.alarm, AlarmState.NORMAL), move
            unchanged = move.event in WITHHOLDS or move.event in TELLS_AGAIN
            assert move.after is (move.before if unchanged else NEXT[move.before, move.event]), move
            self._states[move.alarm] = move.after

    def _agrees(self) -> None:
        records = self._engine.records(self._now)
        assert len(records) <= MOST_RECORDS
        standing = {record.alarm: record.state for record in records if record.state is not AlarmState.NORMAL}
        expected = {alarm: state for alarm, state in self._states.items() if state is not AlarmState.NORMAL}
        assert standing == expected
        for record in records:
            assert min(record.age_ns, record.in_state_ns, record.evidence.elapsed_ns, *record.raised_ns, 0) == 0, record

    def _next(self) -> int:
        return next(self._choices, 0)
