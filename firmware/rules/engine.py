"""Decides what is an alarm. Knows neither clock nor files: time comes with what it is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
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
from firmware.alarms.states import TELLS_AGAIN, AlarmEvent, AlarmState
from firmware.alarms.types import NO_EVIDENCE, AlarmId, AlarmRecord, Note, Transition
from firmware.rules.compound import Compound, Suppression
from firmware.rules.expression.compile import Condition
from firmware.rules.names import SIGNALS
from firmware.rules.signals import NOTHING, Signal, alarm_of, fault_of, still_good
from firmware.rules.tracks import Bound, Place, Tracks
from firmware.rules.types import Annotations, Rule, Sample
from firmware.rules.watch import Watch

UNITS = {name: quantity.unit for name, quantity in SIGNALS.items()}

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
        places: Iterable[Place] = (),
    ) -> None:
        """`remembered` are the records of an earlier engine, `outage_ns` how long ago they were taken.

        None for an outage whose length nobody knows, such as on a board without a battery for its clock:
        alarms stay, half run delays by time start anew. `sources` are all that can send samples, None for any:
        what is remembered of others, or of rules that are gone, is retired at the first tick. `places` are what the
        sources will say, where that is known: expressions do not take another's word for it meanwhile.
        """
        rules = tuple(rules)
        self._may_be_suppressed = False  # an alarm is new, and nobody has asked yet
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            if rule.when is None:
                self._rules.setdefault(rule.signal, []).append(rule)
        self._compound_rules = [rule for rule in rules if rule.when is not None]
        conditions = [one for rule in rules for one in (rule.when, rule.suppress_when) if one is not None]
        self._tracks = Tracks(conditions)
        for place in places:
            self._tracks.expect(place)
        self._signals: dict[Place, Signal] = {}  # at most one for each source and quantity
        self._compounds: dict[AlarmId, Compound] = {}
        self._suppressible: list[tuple[Condition, Watch, Signal | Compound]] = []
        self._suppressions: dict[Hashable, Suppression] = {}
        self._suppressions_by: dict[Place, list[Suppression]] = {}  # which asks for what
        self._compounds_by: dict[Place, list[Compound]] = {}
        self._orphans: list[AlarmRecord] = []
        kept: dict[Place, list[AlarmRecord]] = {}
        for record in remembered:
            if self._has_place(record, sources):
                kept.setdefault((record.alarm.source, record.signal), []).append(record)
            elif record.state is not AlarmState.NORMAL or record.withheld:
                self._orphans.append(record)
        for (source, signal), records in kept.items():
            if any(record.value is not None or not record.fault for record in records):  # it was heard at some time
                self._tracks.expect((source, signal))
            if self._rules_on(source, signal) or self._mentioned_by(source, signal):
                self._watch(source, signal, now, records, outage_ns)
            for rule in self._compound_rules:
                for record in records:
                    if record.alarm.rule == rule.name:
                        self._add_compound(rule, source, now, record, outage_ns)
        for source, signal in self._tracks.places():
            for rule in self._compounds_on(source, signal):
                self._add_compound(rule, source, now)
        for rule in rules:
            if rule.source is None:
                continue
            if rule.when is not None:
                self._add_compound(rule, rule.source, now)
            elif (rule.source, rule.signal) not in self._signals:
                self._watch(rule.source, rule.signal, now)
        self._bind_anew()

    def feed(self, sample: Sample) -> Sequence[Transition]:
        """Take a sample. Samples of one signal come in the order of their time; an older one is passed over."""
        place = (sample.source, sample.signal)
        if self._tracks.mentions(sample.signal):
            return self._feed_asked_for(sample, place)
        signal = self._signals.get(place)
        if signal is not None:
            return signal.feed(sample.value, sample.at)
        if sample.signal not in self._rules:
            return NOTHING
        signal = self._watch(*place, sample.at)
        return [*self._begin_suppressing(sample.at), *signal.feed(sample.value, sample.at)]

    def _feed_asked_for(self, sample: Sample, place: Place) -> Sequence[Transition]:
        """The same with a signal that expressions mention. What suppresses comes before what it suppresses."""
        if self._tracks.feed(sample, place):
            for rule in self._compounds_on(*place):
                self._add_compound(rule, sample.source, sample.at)
            self._bind_anew()
        signal = self._signals.get(place)
        if signal is None and (sample.signal in self._rules or self._mentioned_by(*place)):
            signal = self._watch(*place, sample.at)
        found = self._begin_suppressing(sample.at)
        for suppression in self._suppressions_by.get(place, ()):
            found += suppression.ask(sample.at)
        if signal is not None:
            found += signal.feed(sample.value, sample.at)
        for compound in self._compounds_by.get(place, ()):
            found += compound.feed(place, sample.at)
        return found

    def _begin_suppressing(self, at: Instant) -> list[Transition]:
        """What was not there yet when it was last said that its alarm means nothing."""
        if not self._may_be_suppressed:
            return []
        self._may_be_suppressed = False
        return [moved for suppression in self._suppressions.values() for moved in suppression.ask(at)]

    def tick(self, now: Instant) -> Sequence[Transition]:
        """Let time go on: delays run out, signals get too old."""
        found = [moved for record in self._orphans for moved in _retired(record, now)]
        self._orphans.clear()
        self._may_be_suppressed = False
        for suppression in self._suppressions.values():
            found += suppression.ask(now)
        for signal in self._signals.values():
            found += signal.tick(now)
        for compound in self._compounds.values():
            found += compound.tick(now)
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

    def records(self, now: Instant) -> tuple[AlarmRecord, ...]:
        """What a new engine must be given to go on from here."""
        return (*self._orphans, *(record for one in self._watched() for record in one.records(now)))

    def annotations(self, alarm: AlarmId) -> Annotations | None:
        """Cause, consequence and action for an alarm; None if no rule can raise it."""
        return next((found for signal in self._of(alarm) if (found := signal.annotations(alarm)) is not None), None)

    def _has_place(self, record: AlarmRecord, sources: Collection[SourceId] | None) -> bool:
        source = record.alarm.source
        if sources is not None and source not in sources:
            return False
        rules = self._rules_on(source, record.signal)
        if record.fault:
            hidden = (*rules, *self._mentioned_by(source, record.signal))
            return record.alarm.rule == fault_of(record.signal) and any(one.tolerance_ns is not None for one in hidden)
        return any(rule.name == record.alarm.rule for rule in (*rules, *self._compounds_on(source, record.signal)))

    def _watch(
        self,
        source: SourceId,
        signal: str,
        now: Instant,
        records: Sequence[AlarmRecord] = (),
        outage_ns: int | None = 0,
    ) -> Signal:
        rules = self._rules_on(source, signal)
        watched = Signal(
            source,
            signal,
            rules,
            mentioned_by=self._mentioned_by(source, signal),
            unit=rules[0].unit if rules else UNITS[signal],
            now=now,
            records=records,
            outage_ns=outage_ns,
        )
        self._signals[source, signal] = watched
        self._suppress(watched)
        return watched

    def _add_compound(
        self,
        rule: Rule,
        source: SourceId,
        now: Instant,
        record: AlarmRecord | None = None,
        outage_ns: int | None = 0,
    ) -> None:
        if rule.when is None or AlarmId(rule.name, source) in self._compounds:
            return
        alarm = alarm_of(rule, source, now=now, record=record, outage_ns=outage_ns)
        evidence = still_good(record, rule, outage_ns) if record else NO_EVIDENCE
        watch = Watch(rule, alarm, evidence=evidence, now=now)
        compound = Compound(rule, source, watch, self._bound(rule.when, rule, source), None)
        self._compounds[alarm.id] = compound
        self._suppress(compound)

    def _suppress(self, owner: Signal | Compound) -> None:
        for watch in owner.watches:
            if watch.rule.suppress_when is not None:
                self._suppressible.append((watch.rule.suppress_when, watch, owner))
                self._may_be_suppressed = True
                self._bind_suppression(watch.rule.suppress_when, watch, owner)

    def _bind_suppression(self, condition: Condition, watch: Watch, owner: Signal | Compound) -> None:
        bound = self._bound(condition, watch.rule, owner.source)
        suppression = self._suppressions.get(bound.key)
        if suppression is None:
            suppression = self._suppressions[bound.key] = Suppression(bound)
            for place in bound.places:
                self._suppressions_by.setdefault(place, []).append(suppression)
        suppression.add(watch.alarm, owner)

    def _bind_anew(self) -> None:
        """A source was heard for the first time: expressions may ask it from now on."""
        self._suppressions_by, self._compounds_by = {}, {}
        for compound in self._compounds.values():
            rule = compound.rule
            assert rule.when is not None
            leading = self._tracks.get((compound.source, rule.signal))
            compound.bind(self._bound(rule.when, rule, compound.source), leading)
            for place in compound.bound.places:
                self._compounds_by.setdefault(place, []).append(compound)
        self._suppressions = {}
        for suppressible in self._suppressible:
            self._bind_suppression(*suppressible)

    def _bound(self, condition: Condition, rule: Rule, source: SourceId) -> Bound:
        return Bound(condition, self._tracks, source, tolerance_ns=rule.tolerance_ns, units=UNITS)

    def _mentioned_by(self, source: SourceId, signal: str) -> list[Rule]:
        """Rules with a tolerance whose expression asks for the signal of this source."""
        return [
            rule
            for rule in self._compound_rules
            if rule.tolerance_ns is not None
            and rule.when is not None
            and any(ref.signal == signal and ref.device in (None, source) for ref in rule.when.mentioned)
        ]

    def _watched(self) -> Iterator[Signal | Compound]:
        yield from self._signals.values()
        yield from self._compounds.values()

    def _rules_on(self, source: SourceId, signal: str) -> list[Rule]:
        return [rule for rule in self._rules.get(signal, ()) if rule.source in (None, source)]

    def _compounds_on(self, source: SourceId, signal: str) -> list[Rule]:
        return [rule for rule in self._compound_rules if rule.signal == signal and rule.source in (None, source)]

    def _do(
        self, alarm: AlarmId, event: AlarmEvent, what: Callable[[Alarm, float | None], Transition]
    ) -> Sequence[Transition]:
        return [
            what(one, signal.value)
            for signal in self._of(alarm)
            for one in signal.alarms()
            if one.id == alarm and one.can(event)
        ]

    def _of(self, alarm: AlarmId) -> list[Signal | Compound]:
        return [one for one in self._watched() if one.source == alarm.source]


def _cut(note: Note) -> Note:
    return Note(note.reason[:MAX_REASON], note.by[:MAX_NAME])


def _retired(record: AlarmRecord, now: Instant) -> Iterator[Transition]:
    """Over, and withheld no more: whoever lists what is shelved must hear of its end."""
    alarm = Alarm(record.alarm, severity=record.severity, fault=record.fault, now=now, record=record)
    note = Note("its rule or its device is no longer configured", "configuration")
    if record.state is not AlarmState.NORMAL:
        yield alarm.move(AlarmEvent.RETIRE, now, value=record.value, reason=note.reason, by=note.by)
    for event in TELLS_AGAIN:
        if alarm.can(event):
            yield alarm.tell_again(event, now, note, value=record.value)
