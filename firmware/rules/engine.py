"""Decides what is an alarm. Knows neither clock nor files: time comes with what it is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import assert_never

from drivers.types import Instant, SourceId
from firmware.alarms.alarm import Alarm
from firmware.alarms.operations import (
    Acknowledge,
    Operation,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
)
from firmware.alarms.states import AlarmEvent, AlarmState
from firmware.alarms.types import AlarmId, AlarmRecord, Note, Transition
from firmware.rules.signals import NOTHING, Signal, fault_of
from firmware.rules.types import Annotations, Rule, Sample

MAX_NAME = 64  # characters of whoever acknowledges: the rest is cut off
MAX_REASON = 500  # characters of why somebody shelves an alarm


class RuleEngine:
    """One alarm for each rule on each source, and one more for each signal that must not stay unknown.

    A missing, stale or bad signal is unknown: it raises nothing and clears nothing, but unknown for its tolerance
    it is a FAULT alarm, named after the signal. What an outage interrupted goes on where it was if it was shorter
    than the rule's tolerance; the outage itself counts for nothing.

    Time must not go back: all methods take the duct's time (`drivers.clock`).
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        now: Instant,
        remembered: Iterable[AlarmRecord] = (),
        outage_ns: int | None = None,
        sources: Collection[SourceId] | None = None,
    ) -> None:
        """`remembered` are the records of an earlier engine, `outage_ns` how long ago they were taken.

        None for an outage whose length nobody knows, such as on a board without a battery for its clock:
        alarms stay, half run delays by time start anew. `sources` are all that can send samples, None for any:
        what is remembered of others, or of rules that are gone, is retired at the first tick.
        """
        self._build(tuple(rules), tuple(remembered), now, outage_ns, sources)

    def feed(self, sample: Sample) -> Sequence[Transition]:
        """Take a sample. Samples of one signal come in the order of their time; an older one is passed over."""
        signal = self._signals.get((sample.source, sample.signal))
        if signal is None:
            if sample.signal not in self._rules:
                return NOTHING
            signal = self._watch(sample.source, sample.signal, sample.at)
        return signal.feed(sample.value, sample.at)

    def tick(self, now: Instant) -> Sequence[Transition]:
        """Let time go on: delays run out, signals get too old."""
        found = [_retire(record, now) for record in self._orphans]
        self._orphans.clear()
        for signal in self._signals.values():
            found.extend(signal.tick(now))
        return found

    def operate(self, operation: Operation, now: Instant) -> Sequence[Transition]:
        """Do what an operator asks for. Nothing happens to an alarm that there is not, or that is not fit for it."""
        match operation:
            case Acknowledge(alarm, by):
                return self.acknowledge(alarm, now, by)
            case Reset(alarm, by):
                alarms = [record.alarm for record in self.records(now)] if alarm is None else [alarm]
                return [found for one in alarms for found in self.reset(one, now, by)]
            case Shelve(alarm, for_ns, note):
                return self.shelve(alarm, now, for_ns, note)
            case Unshelve(alarm, note):
                return self.tell_again(alarm, AlarmEvent.UNSHELVE, now, note)
            case TakeOutOfService(alarm, note):
                return self.take_out_of_service(alarm, now, note)
            case ReturnToService(alarm, note):
                return self.tell_again(alarm, AlarmEvent.RETURN_TO_SERVICE, now, note)
            case _:
                assert_never(operation)

    def acknowledge(self, alarm: AlarmId, now: Instant, by: str) -> Sequence[Transition]:
        """A human has seen the alarm. Nothing happens to one that does not wait for it, or that there is not."""

        def seen(one: Alarm, value: float | None) -> Transition:
            return one.move(AlarmEvent.ACKNOWLEDGE, now, value=value, reason="acknowledged", by=by[:MAX_NAME])

        return self._do(alarm, AlarmEvent.ACKNOWLEDGE, seen)

    def shelve(self, alarm: AlarmId, now: Instant, for_ns: int, note: Note) -> Sequence[Transition]:
        """Tell nobody of the alarm for `for_ns`, which is above zero; it goes on behind it, and is told afterwards."""
        return self._do(alarm, AlarmEvent.SHELVE, lambda one, value: one.shelve(now, for_ns, _cut(note), value=value))

    def take_out_of_service(self, alarm: AlarmId, now: Instant, note: Note) -> Sequence[Transition]:
        """The same, until `tell_again`."""
        return self._do(
            alarm,
            AlarmEvent.TAKE_OUT_OF_SERVICE,
            lambda one, value: one.take_out_of_service(now, _cut(note), value=value),
        )

    def tell_again(self, alarm: AlarmId, event: AlarmEvent, now: Instant, note: Note) -> Sequence[Transition]:
        """`event` is UNSHELVE or RETURN_TO_SERVICE. Nothing happens to an alarm that is told anyway."""
        return self._do(alarm, event, lambda one, value: one.tell_again(event, now, _cut(note), value=value))

    def reset(self, alarm: AlarmId, now: Instant, by: str) -> Sequence[Transition]:
        """A human says that it is mended. Only a latched alarm whose condition is over can be reset."""
        return [found for signal in self._of(alarm) for found in signal.reset(alarm, now, by[:MAX_NAME])]

    def reload(
        self, rules: Iterable[Rule], now: Instant, *, sources: Collection[SourceId] | None = None
    ) -> Sequence[Transition]:
        """Go on with other rules. Rules that stay keep their alarms, and their delays if the condition stays too."""
        self._build(tuple(rules), self.records(now), now, 0, sources)
        return self.tick(now)

    def records(self, now: Instant) -> tuple[AlarmRecord, ...]:
        """What a new engine must be given to go on from here."""
        return (*self._orphans, *(record for signal in self._signals.values() for record in signal.records(now)))

    def annotations(self, alarm: AlarmId) -> Annotations | None:
        """Cause, consequence and action for an alarm; None if no rule can raise it."""
        return next((found for signal in self._of(alarm) if (found := signal.annotations(alarm)) is not None), None)

    def _build(
        self,
        rules: tuple[Rule, ...],
        remembered: tuple[AlarmRecord, ...],
        now: Instant,
        outage_ns: int | None,
        sources: Collection[SourceId] | None,
    ) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.signal, []).append(rule)
        self._signals: dict[tuple[SourceId, str], Signal] = {}  # at most one for each source and quantity
        self._orphans: list[AlarmRecord] = []
        kept: dict[tuple[SourceId, str], list[AlarmRecord]] = {}
        for record in remembered:
            if self._has_place(record, sources):
                kept.setdefault((record.alarm.source, record.signal), []).append(record)
            elif record.state is not AlarmState.NORMAL:
                self._orphans.append(record)
        for (source, signal), records in kept.items():
            self._watch(source, signal, now, records, outage_ns)
        for rule in rules:
            if rule.source is not None and (rule.source, rule.signal) not in self._signals:
                self._watch(rule.source, rule.signal, now)

    def _has_place(self, record: AlarmRecord, sources: Collection[SourceId] | None) -> bool:
        source = record.alarm.source
        if sources is not None and source not in sources:
            return False
        rules = self._rules_on(source, record.signal)
        if record.fault:
            return record.alarm.rule == fault_of(record.signal) and any(rule.tolerance_ns is not None for rule in rules)
        return any(rule.name == record.alarm.rule for rule in rules)

    def _watch(
        self,
        source: SourceId,
        signal: str,
        now: Instant,
        records: Sequence[AlarmRecord] = (),
        outage_ns: int | None = 0,
    ) -> Signal:
        rules = self._rules_on(source, signal)
        watched = Signal(source, signal, rules, now=now, records=records, outage_ns=outage_ns)
        self._signals[source, signal] = watched
        return watched

    def _rules_on(self, source: SourceId, signal: str) -> list[Rule]:
        return [rule for rule in self._rules.get(signal, ()) if rule.source in (None, source)]

    def _do(
        self, alarm: AlarmId, event: AlarmEvent, what: Callable[[Alarm, float | None], Transition]
    ) -> Sequence[Transition]:
        return [
            what(one, signal.value)
            for signal in self._of(alarm)
            for one in signal.alarms()
            if one.id == alarm and one.can(event)
        ]

    def _of(self, alarm: AlarmId) -> list[Signal]:
        return [signal for (source, _), signal in self._signals.items() if source == alarm.source]


def _cut(note: Note) -> Note:
    return Note(note.reason[:MAX_REASON], note.by[:MAX_NAME])


def _retire(record: AlarmRecord, now: Instant) -> Transition:
    alarm = Alarm(record.alarm, severity=record.severity, fault=record.fault, now=now, record=record)
    reason = "its rule or its device is no longer configured"
    return alarm.move(AlarmEvent.RETIRE, now, value=record.value, reason=reason, by="configuration")
