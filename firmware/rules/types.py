"""What goes into the rule engine: samples, and the rules that judge them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from drivers.types import Instant, SourceId
from firmware.alarms.types import Severity
from firmware.rules.conditions import AT_ONCE, Delay, Limit, Side
from firmware.rules.expression.compile import Condition

NO_LIMIT = Limit(Side.ABOVE, math.inf)


class Sample(NamedTuple):
    """One signal of one source at one moment. `value` None is *unknown*: bad, warming up, or cannot tell."""

    source: SourceId
    signal: str
    value: float | None
    at: Instant


@dataclass(frozen=True, slots=True)
class Annotations:
    """What an operator reads at three in the morning: why it rang, what follows, what to do."""

    cause: str
    consequence: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One limit on one signal, of one source or (None) of each source that has it; or `when` it is to be raised.

    A rule with `when` has no limit of its own; `signal` and `unit` are those of the first signal that it mentions.
    Nobody is told of the alarm while `suppress_when` holds.
    `tolerance_ns` is how long the signal may be unknown before that is an alarm of its own; None is for ever.
    A value holds until the next one, but not longer than the tolerance: a delay by time needs one.
    `re_alarm_ns` after it was acknowledged, an alarm that still stands asks for attention again; None is never.
    `reference` says where the limit comes from.
    """

    name: str
    signal: str
    source: SourceId | None = None
    limit: Limit = NO_LIMIT
    when: Condition | None = None
    suppress_when: Condition | None = None
    unit: str
    on_delay: Delay = AT_ONCE
    off_delay: Delay = AT_ONCE
    latch: bool = False
    re_alarm_ns: int | None = None
    severity: Severity
    tolerance_ns: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Annotations
    reference: str

    @property
    def condition(self) -> str:
        """What is asked of the signal: evidence gathered for one condition says nothing about another."""
        if self.when is not None:
            return f"{self.bound}, on {self.on_delay}, off {self.off_delay}"
        edge = f" until {self.limit.edge:g}" if self.limit.deadband else ""
        return f"{self.signal} {self.bound}{edge}, on {self.on_delay}, off {self.off_delay}"

    @property
    def bound(self) -> str:
        """The limit in words: `above 35.4 ug/m3`; or the expression."""
        if self.when is not None:
            return " ".join(self.when.text.split())
        return f"{self.limit.side.value} {quantity(self.limit.value, self.unit)}"


def quantity(value: float, unit: str) -> str:
    """A value with its unit; the unit of a plain number is left out."""
    return f"{value:.6g}" if unit == "1" else f"{value:.6g} {unit}"
