"""A rule on one source: its alarm, and how far its delay has come."""

from __future__ import annotations

from drivers.types import Instant
from firmware.alarms.alarm import Alarm
from firmware.alarms.states import AlarmEvent
from firmware.alarms.types import NO_EVIDENCE, Evidence, Transition
from firmware.rules.conditions import Agreed, Delay, Held, Side, progress
from firmware.rules.types import Rule, quantity


class Watch:
    """A rule on one source. A normal alarm asks whether the limit is exceeded, a raised one whether that is over."""

    __slots__ = ("_asks", "_limit", "_progress", "_raised", "alarm", "counts", "rule")

    def __init__(self, rule: Rule, alarm: Alarm, *, evidence: Evidence, now: Instant) -> None:
        self.rule = rule
        self.alarm = alarm
        self._limit = rule.limit
        self._begin(evidence, now)

    def _begin(self, evidence: Evidence, now: Instant) -> None:
        self._raised = self.alarm.raised  # only moves after which a delay begins anew change that
        self._asks = self._limit.over if self._raised else self._limit.exceeded
        delay = self.rule.off_delay if self._raised else self.rule.on_delay
        self.counts = isinstance(delay, Agreed)
        self._progress = progress(delay, evidence, now)

    def feed(self, value: float | None, at: Instant) -> Transition | None:
        """Take a value; None is unknown, and never moves the alarm."""
        if self._progress.see(self._asks(value), at):
            return self.turn(value, at, self._reason(value))
        return None

    def answer(self, answer: bool | None, at: Instant) -> bool:
        """Take what an expression answers: whether the alarm is to `turn` now."""
        return self._progress.see(not answer if self._raised and answer is not None else answer, at)

    def tick(self, now: Instant, known_at: Instant, value: float | None) -> Transition | None:
        """Has a delay run out by itself? `value` was known at `known_at`, and holds for the tolerance."""
        if self._progress.due(now) and self._progress.due(self._held_until(now, known_at)):
            return self.turn(value, now, self._reason(value))
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

    def turn(self, value: float | None, at: Instant, reason: str) -> Transition:
        """From normal to raised or back."""
        if self.alarm.raised:
            transition = self.alarm.end(at, latch=self.rule.latch, value=value, reason=reason)
        else:
            transition = self.alarm.move(AlarmEvent.RAISE, at, value=value, reason=reason)
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
