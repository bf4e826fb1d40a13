"""What rules would have done with what was measured some time ago."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.alarms.states import AlarmEvent
from firmware.alarms.types import AlarmId, Severity, Transition
from firmware.rules.engine import RuleEngine
from firmware.rules.types import Rule, Sample

START = Instant(0)
TICK_NS = NS_PER_S  # as on the board: delays are exact to this
LONG_GAP_NS, COARSE_TICK_NS = 3600 * NS_PER_S, 60 * NS_PER_S  # after an hour without a sample, to a minute
LATER_TICKS = (
    1_440  # after a day without one, to so small a part of that time: a clock that starts in 1970 costs seconds
)
MOST_MOVES = 100_000  # that are kept; further ones are counted
MOST_BUCKETS = 2_048  # of a signal's course: at twice as many, each two become one


class Course:
    """Least and most of one signal over time, in buckets that grow with the time it covers."""

    __slots__ = ("buckets", "width_ns")

    def __init__(self) -> None:
        self.width_ns = NS_PER_S
        self.buckets: dict[int, tuple[float, float]] = {}
        """By number: bucket n begins at n * `width_ns`."""

    def add(self, value: float, at: Instant) -> None:
        number = at // self.width_ns
        found = self.buckets.get(number)
        if found is None:
            self.buckets[number] = (value, value)
            if len(self.buckets) > 2 * MOST_BUCKETS:
                self._widen()
        elif value < found[0]:
            self.buckets[number] = (value, found[1])
        elif value > found[1]:
            self.buckets[number] = (found[0], value)

    def _widen(self) -> None:
        self.width_ns *= 2
        narrow, self.buckets = self.buckets, {}
        for number, (least, most) in narrow.items():
            before = self.buckets.get(number // 2, (least, most))
            self.buckets[number // 2] = (min(before[0], least), max(before[1], most))


@dataclass(frozen=True, slots=True)
class Span:
    """An alarm stood from `start` to `end`: None if it still did at the end of the recording."""

    start: Instant
    end: Instant | None


@dataclass(slots=True)
class Replayed:
    """`moves` are the first `MOST_MOVES`, `lost` how many came after them. Times count from the first sample."""

    end: Instant = START
    samples: int = 0
    lost: int = 0
    moves: list[Transition] = field(default_factory=list)
    courses: dict[tuple[SourceId, str], Course] = field(default_factory=dict)
    severities: dict[AlarmId, Severity] = field(default_factory=dict)

    def spans(self, alarm: AlarmId) -> list[Span]:
        """When lamp and relay were on for it."""
        found: list[Span] = []
        for move in self.moves:
            if move.alarm != alarm:
                continue
            if move.active and (not found or found[-1].end is not None):
                found.append(Span(move.at, None))
            elif not move.active and found and found[-1].end is None:
                found[-1] = Span(found[-1].start, move.at)
        return found

    def share(self, alarm: AlarmId) -> float:
        """Of the whole time, 0..1: how long they were on."""
        spans = self.spans(alarm)
        stood = sum((span.end if span.end is not None else self.end) - span.start for span in spans)
        return stood / max(1, self.end)

    def raised(self, alarm: AlarmId) -> int:
        """How often it came."""
        return sum(move.alarm == alarm and move.event is AlarmEvent.RAISE for move in self.moves)


def replay(samples: Iterable[Sample], rules: Sequence[Rule]) -> Replayed:
    """Nobody acknowledges or resets anything. Samples come in the order of their time."""
    engine = RuleEngine(rules, now=START)
    seen = Replayed()
    drawn = {rule.signal for rule in rules}
    tick = 0
    for sample in samples:
        if sample.at > tick:
            tick = _tick_until(sample.at, tick, engine, seen)
        if found := engine.feed(sample):
            _keep(found, seen)
        if sample.value is not None and sample.signal in drawn:
            course = seen.courses.get((sample.source, sample.signal))
            if course is None:
                course = seen.courses[sample.source, sample.signal] = Course()
            course.add(sample.value, sample.at)
        seen.samples += 1
        seen.end = sample.at
    _keep(engine.tick(seen.end), seen)
    return seen


def _tick_until(now: Instant, tick: int, engine: RuleEngine, seen: Replayed) -> int:
    """All ticks before `now`; the next one, which may be at it: of one moment, values come first."""
    quiet_since = tick
    while tick < now:
        if found := engine.tick(Instant(tick)):
            _keep(found, seen)
        quiet_ns = tick - quiet_since
        tick += TICK_NS if quiet_ns < LONG_GAP_NS else max(COARSE_TICK_NS, quiet_ns // LATER_TICKS)
    return -(-now // TICK_NS) * TICK_NS


def _keep(found: Sequence[Transition], seen: Replayed) -> None:
    for move in found:
        seen.severities[move.alarm] = move.severity
        if len(seen.moves) < MOST_MOVES:
            seen.moves.append(move)
        else:
            seen.lost += 1
