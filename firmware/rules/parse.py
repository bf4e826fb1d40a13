"""Reads rules from TOML text, and refuses what cannot be meant: with file, line and what to write instead."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from drivers.types import Quantity, SourceId
from firmware.rules import fields
from firmware.rules.conditions import AT_ONCE, Held, Limit, Side
from firmware.rules.expression.compile import Condition, compile_rule
from firmware.rules.expression.errors import BadExpression
from firmware.rules.names import SIGNALS
from firmware.rules.types import NO_LIMIT, Annotations, Rule
from firmware.toml_positions import KeyPath, locate

MAX_TEXT = 1_000_000  # characters: some 1,500 rules with all that belongs to them
MAX_RULES = 5_000
MAX_PROBLEMS = 20  # told at once
NEWLINE = "\n"

NEEDED = ("name", "severity", "annotations", "reference")
OF_A_LIMIT = ("signal", "above", "below", "deadband")
KEYS = (
    *NEEDED,
    *OF_A_LIMIT,
    "when",
    "suppress_when",
    "on_delay",
    "off_delay",
    "latch",
    "re_alarm",
    "tolerance",
    "labels",
)
ANNOTATIONS = ("cause", "consequence", "action")

T = TypeVar("T")


class BadRules(Exception):
    """Rules cannot be used. Each line of the message has file, line, what is wrong and what to do."""


class _Problem(Exception):
    """One thing wrong, at `path` within its rule."""

    def __init__(self, path: KeyPath, problem: str, *, within: tuple[str, int] | None = None) -> None:
        """`within` is the text that stands at `path`, and how far in it the problem is."""
        super().__init__(problem)
        self.path = path
        self.within = within


def parse(text: str, file: str, *, sources: Collection[SourceId] | None = None) -> tuple[Rule, ...]:
    """Return the rules in `text`. Raises `BadRules` with the first problem of each rule, at most MAX_PROBLEMS.

    `file` is the name for messages. `sources` are the devices that a signal may name; None takes any.
    """
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for index, table in enumerate(_tables(text, file)):
        try:
            rule = _rule(table, sources)
            if rule.name in rules:
                raise _Problem(("name",), f"two rules are named {rule.name!r}: give each its own name")
            rules[rule.name] = rule
        except _Problem as problem:
            problems.append(f"{file}:{_place(text, ('rule', index, *problem.path), problem)}: {problem}")
            if len(problems) == MAX_PROBLEMS:
                break
    if problems:
        raise BadRules("\n".join(problems))
    return tuple(rules.values())


def _place(text: str, path: KeyPath, problem: _Problem) -> str:
    """Line, and the column where it is known: within an expression that is written as it reads."""
    line = locate(text, path)
    if problem.within is None:
        return str(line)
    written, offset = problem.within
    begins = sum(len(each) + 1 for each in text.split("\n")[: line - 1])
    if (found := text.find(written, begins)) < 0:  # it has escapes in it
        return str(line)
    before = text[: found + offset]
    return f"{before.count(NEWLINE) + 1}:{len(before) - before.rfind(NEWLINE)}"


def _tables(text: str, file: str) -> list[Any]:
    if len(text) > MAX_TEXT:
        raise BadRules(f"{file}:1: longer than {MAX_TEXT} characters: these are not the rules of one board")
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRules(f"{file}:{_line(str(error), text)}: not TOML: {str(error)[:200]}") from error
    for key in document:
        if key != "rule":
            where, name = locate(text, (key,)), fields.shown(key)
            raise BadRules(f"{file}:{where}: {name} has no place here: write [[rule]] and a rule's keys below it")
    tables = document.get("rule", [])
    if not isinstance(tables, list):
        raise BadRules(f"{file}:{locate(text, ('rule',))}: write [[rule]] with double brackets, once for each rule")
    if len(tables) > MAX_RULES:
        raise BadRules(f"{file}:{locate(text, ('rule', MAX_RULES))}: more than {MAX_RULES} rules: remove some")
    return tables


def _line(problem: str, text: str) -> int:
    """`tomllib` says where in words: `(at line 3, column 5)`, `(at end of document)`."""
    if found := re.search(r"at line (\d+)", problem):
        return int(found[1])
    return text.count("\n") + 1 if "end of document" in problem else 1


def _rule(table: Any, sources: Collection[SourceId] | None) -> Rule:
    if not isinstance(table, dict):
        raise _Problem((), "a rule is a table: write [[rule]] and its keys below it")
    _check_keys(table, (), KEYS, NEEDED)
    when = _condition(table, "when", sources)
    source, measured = _of(when, table, sources)
    rule = Rule(
        name=_read(table, "name", fields.name),
        signal=measured.signal,
        source=source,
        limit=NO_LIMIT if when is not None else _limit(table, measured),
        when=when,
        suppress_when=_condition(table, "suppress_when", sources),
        unit=measured.unit,
        on_delay=_read(table, "on_delay", fields.delay, AT_ONCE),
        off_delay=_read(table, "off_delay", fields.delay, AT_ONCE),
        latch=_read(table, "latch", fields.flag, False),
        re_alarm_ns=_read(table, "re_alarm", fields.re_alarm, None),
        severity=_read(table, "severity", fields.severity),
        tolerance_ns=_read(table, "tolerance", fields.tolerance, None),
        labels=_read(table, "labels", fields.labels, {}),
        annotations=_annotations(table["annotations"]),
        reference=_read(table, "reference", fields.words),
    )
    _check_delays(rule)
    return rule


def _of(
    when: Condition | None, table: dict[str, Any], sources: Collection[SourceId] | None
) -> tuple[SourceId | None, Quantity]:
    """The signal that a rule is about, of one device or of each."""
    if when is None:
        if "signal" not in table:
            raise _Problem((), 'signal is missing: add it, with above or below; or when = "an expression"')
        return _read(table, "signal", lambda value: fields.signal(value, sources))
    for key in OF_A_LIMIT:
        if key in table:
            raise _Problem((key,), f"{key} has no place beside when: write the limit into the expression")
    first = when.mentioned[0]
    return first.device, SIGNALS[first.signal]


def _condition(table: dict[str, Any], key: str, sources: Collection[SourceId] | None) -> Condition | None:
    if key not in table:
        return None
    text = table[key]
    if not isinstance(text, str):
        raise _Problem((key,), f'{key}: write an expression in quotes, such as "fan_running == 0.0"')
    try:
        return compile_rule(text, sources=sources)
    except BadExpression as error:
        raise _Problem((key,), f"{key}: {error.problem}", within=(text, error.start)) from error


def _limit(table: dict[str, Any], measured: Quantity) -> Limit:
    sides = [side for side in Side if side.value in table]
    if not sides:
        raise _Problem((), "no limit: add above or below")
    if len(sides) > 1:
        raise _Problem(("below",), "above and below exclude each other: make two rules of it")
    side = sides[0]
    value = _read(table, side.value, lambda value: fields.amount(value, measured))
    deadband = _read(table, "deadband", lambda value: fields.deadband(value, measured), 0.0)
    return _read(table, side.value, lambda _: fields.limit(side, value, deadband, measured))


def _annotations(table: Any) -> Annotations:
    if not isinstance(table, dict):
        raise _Problem(("annotations",), "annotations: write [rule.annotations] with cause, consequence and action")
    _check_keys(table, ("annotations",), ANNOTATIONS, ANNOTATIONS)
    try:
        return Annotations(**{key: _read(table, key, fields.words) for key in ANNOTATIONS})
    except _Problem as problem:
        raise _Problem(("annotations", *problem.path), f"annotations.{problem}") from problem


def _check_keys(table: dict[str, Any], path: KeyPath, known: tuple[str, ...], needed: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise _Problem((*path, key), f"unknown key {fields.shown(key)}{fields.nearest(key, known)}")
    for key in needed:
        if key not in table:
            raise _Problem(path, f"{'.'.join([*map(str, path), key])} is missing: add it")


def _check_delays(rule: Rule) -> None:
    for key, delay in (("on_delay", rule.on_delay), ("off_delay", rule.off_delay)):
        if isinstance(delay, Held) and delay.ns > 0 and rule.tolerance_ns is None:
            raise _Problem(
                (key,),
                f'{key}: a time asks how long one value of {rule.signal} stands: add tolerance = "5min" or so, '
                'or count values instead, such as "3 of 4"',
            )


def _read(table: dict[str, Any], key: str, read: Callable[[Any], T], *default: T) -> T:
    """What `read` makes of the value under `key`; its ValueError becomes a problem at that key."""
    if default and key not in table:
        return default[0]
    try:
        return read(table[key])
    except ValueError as error:
        raise _Problem((key,), f"{key}: {error}") from error
