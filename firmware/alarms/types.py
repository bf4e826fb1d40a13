"""What an alarm is, how it moves, and what must be remembered of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.alarms.states import ACTIVE, AlarmEvent, AlarmState, Withheld

CHATTERS, WITHIN_NS = 3, 60 * NS_PER_S  # times within a minute: EEMUA 191 calls that chattering
LATELY_NS = 3600 * NS_PER_S  # so long an alarm is listed as chattering after it last was


class Severity(Enum):
    """Priority of an alarm (ISA-18.2 clause 9 leaves names and number to the site; these are the usual four)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the lowest."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True, order=True)
class AlarmId:
    """One rule on one source: `pm2_5_high` of `duct-pm`. An unknown signal's alarm is `pm2_5_fault` of `duct-pm`."""

    rule: str
    source: SourceId

    def __str__(self) -> str:
        return f"{self.rule}/{self.source}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """An alarm changed its state: which, when, why, by whom, and with which value of the signal.

    `fault` tells an alarm about a signal that is unknown from one about a signal that is out of its limit. `withheld`
    says why nobody is to be told, as it is from now on.
    """

    alarm: AlarmId
    before: AlarmState
    event: AlarmEvent
    after: AlarmState
    at: Instant
    value: float | None
    severity: Severity
    fault: bool
    reason: str
    by: str = "rule"
    withheld: frozenset[Withheld] = frozenset()

    @property
    def is_news(self) -> bool:
        """Not that an alarm which nobody would be told of anyway is suppressed by design, or no longer."""
        stays_normal = self.before is AlarmState.NORMAL and self.after is AlarmState.NORMAL
        return not (stays_normal and self.event in (AlarmEvent.SUPPRESS, AlarmEvent.UNSUPPRESS))

    @property
    def active(self) -> bool:
        """Whether lamp and relay are to be on for it."""
        return self.after in ACTIVE and not self.withheld


@dataclass(frozen=True, slots=True)
class Evidence:
    """How far a delay has come, in a form that can be written down.

    `elapsed_ns` of a delay by time, `running` if it was still counting; `votes` of a delay by count, newest in bit 0.
    """

    elapsed_ns: int = 0
    running: bool = False
    votes: int = 0


NO_EVIDENCE = Evidence()


def chatters(raised_ns: Sequence[int]) -> bool:
    """Whether it was raised so often in so short a time: moments or ages, of the last times."""
    return len(raised_ns) == CHATTERS and abs(raised_ns[0] - raised_ns[-1]) <= WITHIN_NS


@dataclass(frozen=True, slots=True)
class Note:
    """Why an operator did something to an alarm, and who that was."""

    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """An alarm is shelved for `left_ns` more."""

    left_ns: int
    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRecord:
    """An alarm as it stands, with all that a new engine needs to carry on as if there had been no other.

    `value` is the last known one of the signal, `age_ns` the time since it was known. `in_state_ns` is how long the
    alarm has been in its state; `raised_ns` how long ago it was raised the last times, oldest first, of which
    `chattering` says whether it was three times within a minute, not long ago; `untold` that it was raised while it was
    withheld.
    """

    alarm: AlarmId
    signal: str
    condition: str
    fault: bool
    severity: Severity
    state: AlarmState
    value: float | None
    age_ns: int
    evidence: Evidence = NO_EVIDENCE
    in_state_ns: int = 0
    raised_ns: tuple[int, ...] = ()
    untold: bool = False
    shelf: Shelf | None = None
    suppressed: bool = False
    out_of_service: Note | None = None

    @property
    def chattering(self) -> bool:
        return chatters(self.raised_ns) and self.raised_ns[-1] < LATELY_NS

    @property
    def withheld(self) -> frozenset[Withheld]:
        reasons = {
            Withheld.SHELVED: self.shelf is not None,
            Withheld.SUPPRESSED: self.suppressed,
            Withheld.OUT_OF_SERVICE: self.out_of_service is not None,
        }
        return frozenset(reason for reason, holds in reasons.items() if holds)
