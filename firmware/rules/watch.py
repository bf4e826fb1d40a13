"""One alarm: where it stands, and the condition that moves it."""

from __future__ import annotations

from drivers.types import Instant, SourceId
from firmware.alarms.states import NEXT, RAISED, AlarmEvent, AlarmState
from firmware.alarms.types import NO_EVIDENCE, AlarmId, Evidence, Severity, Transition
from firmware.rules.conditions import Agreed, Delay, Held, Side, progress
from firmware.rules.types import Rule, quantity


class Alarm:
    """The one place where an alarm changes its state."""

    __slots__ = ("fault", "id", "severity", "state")

    def __init__(self, alarm: AlarmId, *, severity: Severity, state: AlarmState, fault: bool) -> None:
        self.id = alarm
        self.severity = severity
        self.state = state
        self.fault = fault

    @property
    def raised(self) -> bool:
        return self.state in RAISED

    def can(self, event: AlarmEvent) -> bool:
        return (self.state, event) in NEXT

    def move(self, event: AlarmEvent, at: Instant, *, value: float | None, reason: str, by: str = "rule") -> Transition:
        before = self.state
        self.state = NEXT[before, event]
        return Transition(
            alarm=self.id,
            before=before,
            event=event,
            after=self.state,
            at=at,
            value=value,
            severity=self.severity,
            fault=self.fault,
            reason=reason,
            by=by,
        )


class Watch:
    """A rule on one source. A normal alarm asks whether the limit is exceeded, a raised one whether that is over."""

    __slots__ = ("_asks", "_limit", "_progress", "alarm", "rule")

    def __init__(self, rule: Rule, source: SourceId, *, state: AlarmState, evidence: Evidence, now: Instant) -> None:
        self.rule = rule
        self.alarm = Alarm(AlarmId(rule.name, source), severity=rule.severity, state=state, fault=False)
        self._limit = rule.limit
        self._begin(evidence, now)

    def _begin(self, evidence: Evidence, now: Instant) -> None:
        raised = self.alarm.raised
        self._asks = self._limit.over if raised else self._limit.exceeded
        self._progress = progress(self.rule.off_delay if raised else self.rule.on_delay, evidence, now)

    def feed(self, value: float | None, at: Instant) -> Transition | None:
        """Take a value; None is unknown, and never moves the alarm."""
        if self._progress.see(self._asks(value), at):
            return self._turn(value, at)
        return None

    def tick(self, now: Instant, known_at: Instant, value: float | None) -> Transition | None:
        """Has a delay run out by itself? `value` was known at `known_at`, and holds for the tolerance."""
        if self._progress.due(self._held_until(now, known_at)):
            return self._turn(value, now)
        return None

    def forget(self, gap_ns: int, at: Instant) -> None:
        """The signal was unknown for `gap_ns`: what was gathered before is void if that is beyond the tolerance."""
        if self.rule.tolerance_ns is not None and gap_ns >= self.rule.tolerance_ns:
            self._begin(NO_EVIDENCE, at)

    def reset(self, now: Instant, *, value: float | None, by: str) -> Transition:
        """Mended: what was seen before does not count against it any more."""
        transition = self.alarm.move(AlarmEvent.RESET, now, value=value, reason="reset", by=by)
        self._begin(NO_EVIDENCE, now)
        return transition

    def evidence(self, now: Instant, known_at: Instant) -> Evidence:
        return self._progress.evidence(self._held_until(now, known_at))

    def _held_until(self, now: Instant, known_at: Instant) -> Instant:
        return now if self.rule.tolerance_ns is None else Instant(min(now, known_at + self.rule.tolerance_ns))

    def _turn(self, value: float | None, at: Instant) -> Transition:
        if self.alarm.raised:
            event = AlarmEvent.RETURN_LATCHED if self.rule.latch else AlarmEvent.RETURN
        else:
            event = AlarmEvent.RAISE
        transition = self.alarm.move(event, at, value=value, reason=self._reason(value))
        self._begin(NO_EVIDENCE, at)
        return transition

    def _reason(self, value: float | None) -> str:
        """Why the alarm is about to turn: `pm2_5 51.2 ug/m3 above 35.4 ug/m3 for 10min`."""
        rule = self.rule
        shown = "unknown" if value is None else quantity(value, rule.unit)
        if not self.alarm.raised:
            return f"{rule.signal} {shown} {rule.bound}{_span(rule.on_delay)}"
        side = "below" if self._limit.side is Side.ABOVE else "above"
        return (
            f"{rule.signal} {shown}, back at {quantity(self._limit.edge, rule.unit)} or {side}{_span(rule.off_delay)}"
        )


def _span(delay: Delay) -> str:
    match delay:
        case Held(0):
            return ""
        case Held():
            return f" for {delay}"
        case Agreed():
            return f" in {delay}"
