"""One alarm: the one place where it changes its state, and where it is decided whether anybody is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from drivers.types import Instant
from firmware.alarms.states import NEXT, RAISED, TELLS_AGAIN, UNSEEN, WITHHOLDS, AlarmEvent, AlarmState, Withheld
from firmware.alarms.types import (
    CHATTERS,
    AlarmId,
    AlarmRecord,
    Evidence,
    Note,
    Severity,
    Shelf,
    Transition,
    chatters,
)


class Alarm:
    """Its states are those of `states.NEXT`. Withholding it (`states.WITHHOLDS`) changes none of them."""

    __slots__ = (
        "_out_of_service",
        "_raises",
        "_re_alarm_ns",
        "_shelf",
        "_shelf_ends",
        "_since",
        "_suppressed",
        "_suppressible",
        "_untold",
        "fault",
        "id",
        "severity",
        "state",
    )

    def __init__(
        self,
        alarm: AlarmId,
        *,
        severity: Severity,
        fault: bool,
        now: Instant,
        record: AlarmRecord | None = None,
        outage_ns: int | None = 0,
        re_alarm_ns: int | None = None,
        suppressible: bool = True,
    ) -> None:
        """`record` is how it stood `outage_ns` ago. None, if nobody knows how long: then no time has passed for it.

        `suppressible`: there is something that can suppress it, and so end that.
        """
        self.id = alarm
        self.severity = severity
        self.fault = fault
        self.state = record.state if record else AlarmState.NORMAL
        self._re_alarm_ns = re_alarm_ns
        off_ns = outage_ns or 0
        raised = [Instant(now - ago - off_ns) for ago in record.raised_ns] if record else []
        self._raises: deque[Instant] = deque(raised, maxlen=CHATTERS)
        self._since = Instant(now - (record.in_state_ns + off_ns if record else 0))
        self._untold = record.untold if record else False
        self._suppressed = record.suppressed if record else False
        self._suppressible = suppressible
        self._out_of_service = record.out_of_service if record else None
        self._shelf = record.shelf.note if record and record.shelf else None
        self._shelf_ends = Instant(now + record.shelf.left_ns - off_ns if record and record.shelf else 0)

    @property
    def raised(self) -> bool:
        return self.state in RAISED

    @property
    def suppressed(self) -> bool:
        return self._suppressed

    @property
    def withheld(self) -> frozenset[Withheld]:
        """Why nobody is to be told of it; empty if they are."""
        return frozenset(
            reason
            for reason, holds in (
                (Withheld.SHELVED, self._shelf is not None),
                (Withheld.SUPPRESSED, self._suppressed),
                (Withheld.OUT_OF_SERVICE, self._out_of_service is not None),
            )
            if holds
        )

    def can(self, event: AlarmEvent) -> bool:
        if reason := TELLS_AGAIN.get(event):
            return reason in self.withheld
        return event in WITHHOLDS or (self.state, event) in NEXT

    def move(self, event: AlarmEvent, at: Instant, *, value: float | None, reason: str, by: str = "rule") -> Transition:
        """Along the table. Raises KeyError for a move that is not in it."""
        before = self.state
        self.state = NEXT[before, event]
        if event is AlarmEvent.RAISE:
            self._untold = bool(self.withheld) and (self._untold or before not in UNSEEN)
            self._raises.append(at)
            if chatters(self._raises):
                reason = f"{reason}; {CHATTERS} times within a minute: it chatters, look at its deadband and delays"
        if self.state is not before:
            self._since = at
        return self._told(before, event, at, value=value, reason=reason, by=by)

    def end(self, at: Instant, *, latch: bool, value: float | None, reason: str) -> Transition:
        """The condition is over. What was told stays until somebody has seen it; what latches, until it is reset."""
        if latch:
            event = AlarmEvent.RETURN_LATCHED
        elif self._untold and self.state is AlarmState.UNACKNOWLEDGED:
            event = AlarmEvent.RETURN_UNTOLD
        else:
            event = AlarmEvent.RETURN
        return self.move(event, at, value=value, reason=reason)

    def shelve(self, now: Instant, for_ns: int, note: Note, *, value: float | None) -> Transition:
        """Tell nobody for `for_ns`, above zero. One that is shelved already is shelved anew."""
        self._shelf, self._shelf_ends = note, Instant(now + for_ns)
        return self._withhold(AlarmEvent.SHELVE, now, note, value=value)

    def take_out_of_service(self, now: Instant, note: Note, *, value: float | None) -> Transition:
        """Tell nobody until `tell_again`."""
        self._out_of_service = note
        return self._withhold(AlarmEvent.TAKE_OUT_OF_SERVICE, now, note, value=value)

    def suppress(self, now: Instant, reason: str, *, value: float | None) -> Transition:
        """Tell nobody while the plant is in a state in which the alarm means nothing."""
        self._suppressed = True
        return self._withhold(AlarmEvent.SUPPRESS, now, Note(reason, "rule"), value=value)

    def tell_again(self, event: AlarmEvent, now: Instant, note: Note, *, value: float | None) -> Transition:
        """End one way of withholding (`states.TELLS_AGAIN`). Raises KeyError for any other event."""
        match TELLS_AGAIN[event]:
            case Withheld.SHELVED:
                self._shelf = None
            case Withheld.SUPPRESSED:
                self._suppressed = False
            case Withheld.OUT_OF_SERVICE:
                self._out_of_service = None
        if not self.withheld:
            self._untold = False  # this very move tells it
        return self._told(self.state, event, now, value=value, reason=note.reason, by=note.by)

    def tick(self, now: Instant, *, value: float | None) -> Sequence[Transition]:
        """What time alone does to it: a shelf ends, and what was acknowledged long ago asks again."""
        if self._shelf is None and self._re_alarm_ns is None and (self._suppressible or not self._suppressed):
            return ()
        found = []
        if self._suppressed and not self._suppressible:
            note = Note("its rule has no suppress_when any more", "configuration")
            found.append(self.tell_again(AlarmEvent.UNSUPPRESS, now, note, value=value))
        if self._shelf is not None and now >= self._shelf_ends:
            note = Note("its time on the shelf is over", "rule")
            found.append(self.tell_again(AlarmEvent.UNSHELVE, now, note, value=value))
        if self._asks_again(now):
            reason = "acknowledged, and still there after its re-alarm time"
            found.append(self.move(AlarmEvent.RE_ALARM, now, value=value, reason=reason))
        return found

    def _asks_again(self, now: Instant) -> bool:
        if self._re_alarm_ns is None or now - self._since < self._re_alarm_ns:
            return False
        return self.can(AlarmEvent.RE_ALARM) and not self.withheld

    def record(
        self, now: Instant, *, signal: str, condition: str, value: float | None, age_ns: int, evidence: Evidence
    ) -> AlarmRecord:
        return AlarmRecord(
            alarm=self.id,
            signal=signal,
            condition=condition,
            fault=self.fault,
            severity=self.severity,
            state=self.state,
            value=value,
            age_ns=age_ns,
            evidence=evidence,
            in_state_ns=max(0, now - self._since),
            raised_ns=tuple(max(0, now - at) for at in self._raises),
            untold=self._untold,
            shelf=Shelf(max(0, self._shelf_ends - now), self._shelf) if self._shelf else None,
            suppressed=self._suppressed,
            out_of_service=self._out_of_service,
        )

    def _withhold(self, event: AlarmEvent, now: Instant, note: Note, *, value: float | None) -> Transition:
        return self._told(self.state, event, now, value=value, reason=note.reason, by=note.by)

    def _told(
        self, before: AlarmState, event: AlarmEvent, at: Instant, *, value: float | None, reason: str, by: str
    ) -> Transition:
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
            withheld=self.withheld,
        )
