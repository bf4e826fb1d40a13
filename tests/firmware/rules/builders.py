"""Rules, samples and moments with only the values that matter to a test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.alarms.types import AlarmId, Severity, Transition
from firmware.rules.conditions import Held, Limit, Side
from firmware.rules.engine import RuleEngine
from firmware.rules.types import Annotations, Rule, Sample

DUCT = SourceId("duct-pm")
MINUTE = 60.0

RULE_ON_DEPOSITS = """[[rule]]
name = "too_much"
signal = "estimated_deposit"
above = "3 g/m2"
deadband = "1 g/m2"
on_delay = "3 of 4"
severity = "medium"
reference = "test"
annotations = { cause = "dust", consequence = "dust", action = "clean" }
"""


def at(seconds: float) -> Instant:
    return Instant(round(seconds * NS_PER_S))


def held(seconds: float) -> Held:
    return Held(round(seconds * NS_PER_S))


def ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)


def rule(
    name: str = "pm2_5_high", *, signal: str = "pm2_5", above: float = 35.0, deadband: float = 0.0, **more: Any
) -> Rule:
    """A rule without delays on any source, unless `more` says otherwise."""
    limit = more.pop("limit", Limit(Side.ABOVE, above, deadband))
    defaults: dict[str, Any] = {
        "unit": "ug/m3",
        "severity": Severity.MEDIUM,
        "annotations": Annotations(cause="dust", consequence="bad air", action="change the filter"),
        "reference": "test",
    }
    return Rule(name=name, signal=signal, limit=limit, **(defaults | more))


def engine(*rules: Rule) -> RuleEngine:
    return RuleEngine(rules, now=at(0))


def pm(value: float | None, seconds: float, source: SourceId = DUCT) -> Sample:
    return Sample(source, "pm2_5", value, at(seconds))


def alarm(rule_name: str = "pm2_5_high", source: SourceId = DUCT) -> AlarmId:
    return AlarmId(rule_name, source)


def feed(watcher: RuleEngine, samples: Iterable[Sample]) -> list[Transition]:
    return [transition for sample in samples for transition in watcher.feed(sample)]


def told(transitions: Iterable[Transition]) -> list[str]:
    """Transitions as `seconds alarm event`, for comparing at a glance."""
    return [f"{each.at / NS_PER_S:g} {each.alarm.rule} {each.event.value}" for each in transitions]
