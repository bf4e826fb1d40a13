"""A test of rules: what was measured and done when, and how the alarms must stand then. Time is compressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drivers.types import NS_PER_S, Instant
from firmware.alarms.operations import Operation
from firmware.alarms.states import AlarmState, Withheld
from firmware.alarms.types import AlarmId, AlarmRecord, Transition
from firmware.rules.engine import RuleEngine
from firmware.rules.types import Rule, Sample

TICK_NS = NS_PER_S  # as on the board: delays are exact to this
LONGEST_NS = 40 * 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Expected:
    """How `alarm` must stand at `at`: in a state, or withheld for a reason, whatever its state."""

    at: Instant
    alarm: AlarmId
    stands: AlarmState | Withheld


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Samples and actions come in the order of their time. All times count from the start, up to `LONGEST_NS`."""

    name: str
    samples: Sequence[Sample]
    actions: Sequence[tuple[Instant, Operation]]
    expected: Sequence[Expected]


@dataclass(frozen=True, slots=True)
class Failure:
    """What was expected as number `index`, and what was so instead. `moves` are all of that alarm until then."""

    index: int
    found: str
    moves: tuple[Transition, ...]


def play(story: Story, rules: Sequence[Rule]) -> list[Failure]:
    """Let it happen. Of one moment, samples come first, then what time does, then actions, then the expectations."""
    engine = RuleEngine(rules, now=Instant(0))
    moves: list[Transition] = []
    failures = []
    samples, actions = iter((*story.samples, None)), iter((*story.actions, None))
    sample, action = next(samples), next(actions)
    wanted = sorted(enumerate(story.expected), key=lambda each: each[1].at)
    for now in _moments(story):
        while sample is not None and sample.at <= now:
            moves += engine.feed(sample)
            sample = next(samples)
        moves += engine.tick(now)
        while action is not None and action[0] <= now:
            moves += engine.operate(action[1], now)
            action = next(actions)
        while wanted and wanted[0][1].at <= now:
            index, expected = wanted.pop(0)
            if (found := _otherwise(expected, engine.records(now))) is not None:
                own = tuple(move for move in moves if move.alarm == expected.alarm)
                failures.append(Failure(index, found, own))
    return sorted(failures, key=lambda failure: failure.index)


def _moments(story: Story) -> Iterator[Instant]:
    """Each tick up to the last expectation, and all moments between at which something happens."""
    last = max((each.at for each in story.expected), default=Instant(0))
    happens = (
        {each.at for each in story.expected} | {at for at, _ in story.actions} | {each.at for each in story.samples}
    )
    between = sorted(at for at in happens if at <= last and at % TICK_NS)
    place = 0
    for tick in range(0, last + 1, TICK_NS):
        while place < len(between) and between[place] < tick:
            yield between[place]
            place += 1
        yield Instant(tick)
    yield from between[place:]


def _otherwise(expected: Expected, records: Sequence[AlarmRecord]) -> str | None:
    """How the alarm stands, if it does not as it should."""
    record = next((record for record in records if record.alarm == expected.alarm), None)
    state = record.state if record else AlarmState.NORMAL
    withheld = record.withheld if record else frozenset[Withheld]()
    if expected.stands in (state, *withheld):
        return None
    why = f", {' and '.join(sorted(each.value for each in withheld))}" if withheld else ""
    return f"{state.value}{why}"
