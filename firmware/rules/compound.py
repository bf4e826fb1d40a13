"""Rules that ask an expression: of one source, one alarm; and what suppresses alarms by design."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.alarms.alarm import Alarm
from firmware.alarms.states import AlarmEvent, AlarmState
from firmware.alarms.types import NO_EVIDENCE, AlarmId, AlarmRecord, Note, Transition
from firmware.rules.signals import Signal
from firmware.rules.tracks import Bound, Place, Track
from firmware.rules.types import Annotations, Rule
from firmware.rules.watch import Watch

BY_DESIGN = "rule"
UNKNOWN_NS = 3600 * NS_PER_S  # what nobody knows for so long suppresses nothing: its device may be gone for good


class Compound:
    """A rule with `when`, on the source of its first signal.

    It is asked anew with each sample of a signal that it mentions, and each second. A count ("3 of 4") counts the
    samples of its first signal.
    """

    def __init__(self, rule: Rule, source: SourceId, watch: Watch, bound: Bound, leading: Track | None) -> None:
        self.source = source
        self.rule = rule
        self._watch = watch
        self._unknown_since: Instant | None = None
        self._asked_at: Instant | None = None
        self.bind(bound, leading)

    def bind(self, bound: Bound, leading: Track | None) -> None:
        """A source was heard for the first time: from now on it is asked, too."""
        self.bound = bound
        self._leading = leading
        self._asked_at = None

    @property
    def value(self) -> float | None:
        """The last known one of its first signal."""
        return None if self._leading is None else self._leading.value

    def feed(self, place: Place, at: Instant) -> Sequence[Transition]:
        """A signal that it mentions has a new sample."""
        if self._watch.counts and (
            place != (self.source, self.rule.signal) or self._leading is None or self._leading.unknown
        ):
            return ()
        return self._ask(at)

    def tick(self, now: Instant) -> Sequence[Transition]:
        found = () if self._watch.counts or now == self._asked_at else self._ask(now)
        return (*found, *self._watch.alarm.tick(now, value=self.value))

    def _ask(self, at: Instant) -> Sequence[Transition]:
        self._asked_at = at
        answer = self.bound.ask(at)
        if answer is None:
            self._unknown_since = at if self._unknown_since is None else self._unknown_since
        elif self._unknown_since is not None:
            self._watch.forget(at - self._unknown_since, at)
            self._unknown_since = None
        return (self._watch.turn(self.value, at, self._reason(at)),) if self._watch.answer(answer, at) else ()

    def _reason(self, at: Instant) -> str:
        return f"{'no longer ' if self._watch.alarm.raised else ''}{self.rule.bound}: {self.bound.shown(at)}"

    def reset(self, alarm: AlarmId, now: Instant, by: str) -> Sequence[Transition]:
        if self._watch.alarm.id != alarm or not self._watch.alarm.can(AlarmEvent.RESET):
            return ()
        self._asked_at = None
        return (self._watch.reset(now, value=self.value, by=by),)

    @property
    def watches(self) -> Sequence[Watch]:
        return (self._watch,)

    def alarms(self) -> Sequence[Alarm]:
        return (self._watch.alarm,)

    def annotations(self, alarm: AlarmId) -> Annotations | None:
        return self.rule.annotations if self._watch.alarm.id == alarm else None

    def records(self, now: Instant) -> Iterator[AlarmRecord]:
        """What is not as it would be in a new engine."""
        alarm, evidence = self._watch.alarm, self._watch.evidence(now, now)
        if alarm.state is AlarmState.NORMAL and not alarm.withheld and evidence == NO_EVIDENCE:
            return
        known_at = now if self._leading is None or self._leading.value is None else self._leading.known_at
        yield alarm.record(
            now,
            signal=self.rule.signal,
            condition=self.rule.condition,
            value=self.value,
            age_ns=max(0, now - known_at),
            evidence=evidence,
        )


class Suppression:
    """While `bound` is true, nobody is told of some alarms; while nobody knows, they stay as they are for `UNKNOWN_NS`.

    There is one for all alarms that ask the same of the same signals: often that is whether the fan runs.
    """

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        self._alarms: list[tuple[Alarm, Signal | Compound]] = []
        self._unknown_since: Instant | None = None

    def add(self, alarm: Alarm, owner: Signal | Compound) -> None:
        self._alarms.append((alarm, owner))

    def ask(self, now: Instant) -> Sequence[Transition]:
        answer = self._bound.ask(now)
        if answer is not None:
            self._unknown_since = None
        elif self._unknown_since is None or now - self._unknown_since < UNKNOWN_NS:
            self._unknown_since = now if self._unknown_since is None else self._unknown_since
            return ()
        suppressed = bool(answer)
        turning = [(alarm, owner) for alarm, owner in self._alarms if alarm.suppressed is not suppressed]
        return [self._turn(alarm, suppressed, now, owner.value) for alarm, owner in turning]

    def _turn(self, alarm: Alarm, answer: bool, now: Instant, value: float | None) -> Transition:
        reason = f"{self._bound.condition.text}: {self._bound.shown(now)}"
        if answer:
            return alarm.suppress(now, reason, value=value)
        return alarm.tell_again(AlarmEvent.UNSUPPRESS, now, Note(f"no longer {reason}", BY_DESIGN), value=value)
