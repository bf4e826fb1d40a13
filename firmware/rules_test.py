"""`ductwatch rules test`: do the alarms come and go as a file of tests says they must?"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from drivers.settings import Duration
from drivers.types import NS_PER_S, Instant, SourceId
from firmware.alarms.operations import (
    LONGEST_SHELF_NS,
    Acknowledge,
    Operation,
    Reset,
    ReturnToService,
    Shelve,
    TakeOutOfService,
    Unshelve,
)
from firmware.alarms.states import AlarmState, Withheld
from firmware.alarms.types import AlarmId, Note
from firmware.document import Document, nearest, read
from firmware.plan import DEFAULT_RULES, load_rules
from firmware.rules.names import SIGNALS
from firmware.rules.series import Silence, expand
from firmware.rules.signals import fault_of
from firmware.rules.story import LONGEST_NS, Expected, Failure, Story, play
from firmware.rules.types import Rule, Sample
from firmware.toml_positions import KeyPath

DEFAULT_TESTS = DEFAULT_RULES.with_name("default_test.toml")
EX_FAILED = 1
MOST_SAMPLES = 5_000_000  # of one test
TESTER = Note("as the test says", "test")
STANDS: dict[str, AlarmState | Withheld] = {each.value: each for each in (*AlarmState, *Withheld)}


class _Expect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at: Duration
    alarm: str
    state: str


class _Do(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at: Duration
    acknowledge: str | None = None
    reset: str | None = None
    shelve: str | None = None
    time: Duration = msgspec.field(default=Duration(3600.0), name="for")
    unshelve: str | None = None
    out_of_service: str | None = None
    in_service: str | None = None


class _Test(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    every: Duration
    series: dict[str, str]
    expect: tuple[_Expect, ...]
    do: tuple[_Do, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """One test of a file, and where it did not go as expected."""

    name: str
    failures: tuple[str, ...]


def main(arguments: Namespace) -> int:
    """1 if a test failed. Raises `ConfigError` for a file that is not one of tests, or whose rules are not sound."""
    found = [each for file in arguments.files or [DEFAULT_TESTS] for each in _tried(file, arguments.rules)]
    failed = sum(bool(each.failures) for each in found)
    if arguments.json:
        tests = [{"name": each.name, "passed": not each.failures, "failures": each.failures} for each in found]
        print(json.dumps({"schema": "ductwatch.rules-test/1", "tests": tests}, indent=2))
    else:
        for each in found:
            print(f"{'FAILED' if each.failures else 'passed'}  {each.name}")
            for failure in each.failures:
                print(f"  {failure}", file=sys.stderr)
        print(f"{len(found)} tests, {failed} failed")
    return EX_FAILED if failed else 0


def _tried(file: Path, rules_file: Path | None) -> Iterator[_Found]:
    document = read(file)
    named = document.tables.get("rules")
    if not isinstance(named, str | None):
        raise document.error(("rules",), "rules: write the path of the rules file in quotes")
    if unknown := next((key for key in document.tables if key not in ("rules", "test")), None):
        raise document.error((unknown,), f"unknown key {unknown!r}{nearest(unknown, ('rules', 'test'))}")
    rules = load_rules(rules_file or (file.parent / named if named else DEFAULT_RULES))
    for index, story in enumerate(stories(document, rules)):
        yield _Found(story.name, tuple(_told(failure, story, document, index) for failure in play(story, rules)))


def stories(document: Document, rules: Sequence[Rule]) -> Iterator[Story]:
    """The tests in a file, each read when its turn has come. Raises `ConfigError` where one is none."""
    tests = document.tables.get("test", [])
    if not isinstance(tests, list) or not tests:
        raise document.error(("test",), "no test in it: write [[test]], and name, every, series and [[test.expect]]")
    for index, table in enumerate(tests):
        where = ("test", index)
        yield _story(document.convert(where, table, _Test), document, where, rules)


def _told(failure: Failure, story: Story, document: Document, index: int) -> str:
    expected = story.expected[failure.index]
    moves = [f"{_clock(move.at)} {move.event.value}: {move.reason}" for move in failure.moves[-3:]]
    history = f"; before that {', '.join(moves)}" if moves else "; it has not moved"
    problem = f"{expected.alarm} is {failure.found} at {_clock(expected.at)}, not {expected.stands.value}{history}"
    return str(document.error(("test", index, "expect", failure.index), problem))


def _story(test: _Test, document: Document, where: KeyPath, rules: Sequence[Rule]) -> Story:
    samples: list[Sample] = []
    for name, text in test.series.items():
        samples += _samples(name, text, test, document, where)
        if len(samples) > MOST_SAMPLES:
            raise document.error((*where, "series", name), f"series: more than {MOST_SAMPLES} values in one test")
    known = {rule.name for rule in rules} | {fault_of(rule.signal) for rule in rules}
    expected = []
    for index, each in enumerate(test.expect):
        place = (*where, "expect", index)
        if each.state not in STANDS:
            near = nearest(each.state, STANDS, f": use one of {', '.join(STANDS)}")
            raise document.error((*place, "state"), f"state: no alarm is {each.state!r}{near}")
        alarm = _alarm(each.alarm, known, document, (*place, "alarm"))
        expected.append(Expected(_at(each.at, document, (*place, "at")), alarm, STANDS[each.state]))
    actions = [_action(each, known, document, (*where, "do", index)) for index, each in enumerate(test.do)]
    return Story(
        name=test.name,
        samples=sorted(samples, key=lambda sample: sample.at),
        actions=sorted(actions, key=lambda action: action[0]),
        expected=expected,
    )


def _samples(name: str, text: str, test: _Test, document: Document, where: KeyPath) -> Iterator[Sample]:
    place = (*where, "series", name)
    source, dot, signal = name.rpartition(".")
    if signal not in SIGNALS:
        raise document.error(place, f"no signal is named {signal!r}{nearest(signal, SIGNALS)}")
    if not dot or not source:
        raise document.error(place, f'{name}: write whose it is, such as "duct-pm.{signal}"')
    if test.every.ns <= 0:
        raise document.error((*where, "every"), "every: must be more than nothing")
    try:
        values = expand(text)
    except ValueError as error:
        raise document.error(place, f"{name}: {error}") from error
    for index, value in enumerate(values):
        if not isinstance(value, Silence):
            yield Sample(SourceId(source), signal, value, Instant(index * test.every.ns))


def _action(do: _Do, known: set[str], document: Document, where: KeyPath) -> tuple[Instant, Operation]:
    at = _at(do.at, document, (*where, "at"))
    makers: Mapping[str, Callable[[AlarmId], Operation]] = {
        "acknowledge": lambda alarm: Acknowledge(alarm, TESTER.by),
        "reset": lambda alarm: Reset(alarm, TESTER.by),
        "shelve": lambda alarm: Shelve(alarm, do.time.ns, TESTER),
        "unshelve": lambda alarm: Unshelve(alarm, TESTER),
        "out_of_service": lambda alarm: TakeOutOfService(alarm, TESTER),
        "in_service": lambda alarm: ReturnToService(alarm, TESTER),
    }
    given = [(verb, name) for verb in makers if (name := getattr(do, verb)) is not None]
    if len(given) != 1:
        raise document.error(where, f'write one of {", ".join(makers)}, each = "RULE/SOURCE"')
    if not 0 < do.time.ns <= LONGEST_SHELF_NS:
        raise document.error((*where, "for"), "for: must be more than nothing and at most 7d")
    verb, name = given[0]
    return at, makers[verb](_alarm(name, known, document, (*where, verb)))


def _alarm(name: str, known: set[str], document: Document, where: KeyPath) -> AlarmId:
    rule, slash, source = name.partition("/")
    if not slash or not source:
        raise document.error(where, f"{name!r} is no alarm: write RULE/SOURCE, such as pm2_5_high/duct-pm")
    if rule not in known:
        raise document.error(where, f"no rule is named {rule!r}{nearest(rule, known)}")
    return AlarmId(rule, SourceId(source))


def _at(duration: Duration, document: Document, where: KeyPath) -> Instant:
    if duration.ns > LONGEST_NS:
        raise document.error(where, f"at: a test lasts at most {LONGEST_NS // (86_400 * NS_PER_S)}d")
    return Instant(duration.ns)


def _clock(at: Instant) -> str:
    seconds = round(at / NS_PER_S)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
