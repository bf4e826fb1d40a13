"""One signal of one source: what is known of it, since when, and the alarms that depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from drivers.types import Instant, SourceId
from firmware.alarms.alarm import Alarm
from firmware.alarms.states import AlarmEvent, AlarmState
from firmware.alarms.types import NO_EVIDENCE, AlarmId, AlarmRecord, Evidence, Transition
from firmware.rules.conditions import in_words
from firmware.rules.tracks import NEVER_NS
from firmware.rules.types import Annotations, Rule, quantity
from firmware.rules.watch import Watch

NOTHING: Sequence[Transition] = ()


def fault_of(signal: str) -> str:
    """The name under which an unknown signal raises its alarm. No rule may be named so."""
    return f"{signal}_fault"


class Signal:
    """Passes values to the rules that watch this signal, and raises the FAULT alarm when there are none for too long.

    The FAULT alarm goes by the shortest tolerance among the rules, those that mention the signal in an expression
    included, and has the highest severity among them: an unknown signal hides each of their alarms. It returns with the
    first known value.
    """

    def __init__(
        self,
        source: SourceId,
        name: str,
        rules: Iterable[Rule],
        *,
        mentioned_by: Sequence[Rule] = (),
        unit: str,
        now: Instant,
        records: Sequence[AlarmRecord] = (),
        outage_ns: int | None = 0,
    ) -> None:
        """`records` are this signal's; `outage_ns` is how long ago they were taken, None if nobody knows.

        Those of expressions are passed over: what they know of the signal began with their start.
        """
        self.source = source
        self.name = name
        self._unit = unit
        rules = tuple(rules)
        own = {fault_of(name), *(rule.name for rule in rules)}
        remembered = {record.alarm: record for record in records if record.alarm.rule in own}
        newest = next(iter(remembered.values()), None)  # any: they all say the same of the signal
        self._known_at = Instant(now - newest.age_ns) if newest else now
        self._value = newest.value if newest else None
        self._watches: list[Watch] = []
        for rule in rules:
            record = remembered.get(AlarmId(rule.name, source))
            alarm = alarm_of(rule, source, now=now, record=record, outage_ns=outage_ns)
            evidence = still_good(record, rule, outage_ns) if record else NO_EVIDENCE
            self._watches.append(Watch(rule, alarm, evidence=evidence, now=now))
        self._hidden = [*(watch.rule for watch in self._watches), *mentioned_by]
        tolerances = [rule.tolerance_ns for rule in self._hidden if rule.tolerance_ns is not None]
        self._tolerance_ns = min(tolerances, default=NEVER_NS)
        self._fault: Alarm | None = None
        if tolerances:
            severity = max((rule.severity for rule in self._hidden), key=lambda severity: severity.rank)
            fault = AlarmId(fault_of(name), source)
            self._fault = Alarm(
                fault, severity=severity, fault=True, now=now, record=remembered.get(fault), outage_ns=outage_ns
            )
        faults = () if self._fault is None else (self._fault,)
        self._alarms = (*faults, *(watch.alarm for watch in self._watches))

    @property
    def value(self) -> float | None:
        """The last known one."""
        return self._value

    @property
    def watches(self) -> Sequence[Watch]:
        return self._watches

    def feed(self, value: float | None, at: Instant) -> Sequence[Transition]:
        """Take a value, or None. One that is older than the last known one is old news and is passed over."""
        gap_ns = at - self._known_at
        if gap_ns < 0:
            return NOTHING
        if value is None or not isfinite(value):  # NaN is nothing that anybody knows, and no value is without end
            for watch in self._watches:
                watch.feed(None, at)
            return self.tick(at)
        if gap_ns >= self._tolerance_ns:
            for watch in self._watches:
                watch.forget(gap_ns, at)
        self._known_at = at
        self._value = value
        found: list[Transition] = []
        if self._fault is not None and self._fault.raised:
            reason = f"{self.name} of {self.source} is known again: {self._shown(value)}"
            found.append(self._fault.end(at, latch=False, value=value, reason=reason))
        for watch in self._watches:
            if (moved := watch.feed(value, at)) is not None:
                found.append(moved)  # noqa: PERF401 - not a comprehension: it would be made for each sample
        return found

    def tick(self, now: Instant) -> Sequence[Transition]:
        """Time has come to `now` without a value."""
        known_at, value = self._known_at, self._value
        found = [moved for watch in self._watches if (moved := watch.tick(now, known_at, value)) is not None]
        for alarm in self._alarms:
            found += alarm.tick(now, value=value)
        if now - self._known_at >= self._tolerance_ns and self._fault is not None and not self._fault.raised:
            found.append(self._fault.move(AlarmEvent.RAISE, now, value=None, reason=self._unknown()))
        return found

    def reset(self, alarm: AlarmId, now: Instant, by: str) -> Sequence[Transition]:
        return [
            watch.reset(now, value=self._value, by=by)
            for watch in self._watches
            if watch.alarm.id == alarm and watch.alarm.can(AlarmEvent.RESET)
        ]

    def alarms(self) -> Sequence[Alarm]:
        return self._alarms

    def annotations(self, alarm: AlarmId) -> Annotations | None:
        if self._fault is not None and self._fault.id == alarm:
            return self._what_to_do()
        return next((watch.rule.annotations for watch in self._watches if watch.alarm.id == alarm), None)

    def records(self, now: Instant) -> Iterator[AlarmRecord]:
        """All that is not as it would be in a new engine."""
        if self._fault is not None:
            yield self._record(self._fault, fault_of(self.name), NO_EVIDENCE, now)
        for watch in self._watches:
            evidence = watch.evidence(now, self._known_at)
            if watch.alarm.state is not AlarmState.NORMAL or watch.alarm.withheld or evidence != NO_EVIDENCE:
                yield self._record(watch.alarm, watch.rule.condition, evidence, now)

    def _record(self, alarm: Alarm, condition: str, evidence: Evidence, now: Instant) -> AlarmRecord:
        age_ns = max(0, now - self._known_at)
        return alarm.record(
            now, signal=self.name, condition=condition, value=self._value, age_ns=age_ns, evidence=evidence
        )

    def _unknown(self) -> str:
        last = "never known so far" if self._value is None else f"last known as {self._shown(self._value)}"
        return f"{self.name} of {self.source} unknown for {in_words(self._tolerance_ns)}, {last}"

    def _shown(self, value: float) -> str:
        return quantity(value, self._unit)

    def _what_to_do(self) -> Annotations:
        hidden = ", ".join(rule.name for rule in self._hidden)
        return Annotations(
            cause=f"{self.source} is dead, unplugged, warming up, or reports {self.name} outside its range.",
            consequence=f"While {self.name} is unknown nothing can raise or end: {hidden}.",
            action=f"Run `ductwatch check`, then look at the cable and power of {self.source}.",
        )


def alarm_of(rule: Rule, source: SourceId, *, now: Instant, record: AlarmRecord | None, outage_ns: int | None) -> Alarm:
    return Alarm(
        AlarmId(rule.name, source),
        severity=rule.severity,
        fault=False,
        now=now,
        record=record,
        outage_ns=outage_ns,
        re_alarm_ns=rule.re_alarm_ns,
        suppressible=rule.suppress_when is not None,
    )


def still_good(record: AlarmRecord, rule: Rule, outage_ns: int | None) -> Evidence:
    """What was gathered before an outage, unless for another condition or further back than the tolerance."""
    if record.condition != rule.condition:
        return NO_EVIDENCE
    if rule.tolerance_ns is None:
        return record.evidence
    if outage_ns is None or record.age_ns < rule.tolerance_ns <= record.age_ns + outage_ns:
        return NO_EVIDENCE
    return record.evidence
