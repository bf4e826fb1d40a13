"""What each key of a rule may say. A reader takes what TOML gave and raises ValueError with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from drivers.settings import Duration
from drivers.types import Quantity, SourceId
from firmware.alarms.types import Severity
from firmware.rules.conditions import MOST_VOTES, Agreed, Delay, Held, Limit, Side
from firmware.rules.names import SIGNALS
from firmware.rules.names import nearest as nearest
from firmware.rules.ranges import range_of
from firmware.rules.types import quantity

MAX_WORDS = 1_000  # characters of one annotation, label or reference: they travel with the alarm
MAX_LABELS = 20
LONGEST_S = 366 * 86_400.0
LARGEST = 1e12  # no quantity comes near it

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")  # safe in MQTT topics, file names and Home Assistant ids
AMOUNT = re.compile(r"\s*([+-]?\d{1,12}(?:\.\d{1,12})?)\s*(\S{0,20})\s*")
AGREED = re.compile(r"\s*(\d{1,3})\s+of\s+(\d{1,3})\s*")


def name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError(f"{shown(value)}: use a-z, 0-9 and _, a letter first, at most 63 characters")
    if value.endswith("_fault"):
        raise ValueError(f"{shown(value)}: names in _fault are those of unknown signals: choose another")
    return value


def signal(value: Any, sources: Collection[SourceId] | None) -> tuple[SourceId | None, Quantity]:
    """`pm2_5` of any source, or `duct-pm.pm2_5` of one."""
    if not isinstance(value, str):
        raise ValueError(f'{shown(value)}: write the name of a signal in quotes, such as "pm2_5" or "duct-pm.pm2_5"')
    source, dot, measured = value.rpartition(".")
    if measured not in SIGNALS:
        raise ValueError(f"no signal is named {shown(measured)}{nearest(measured, SIGNALS)}")
    if not dot:
        return None, SIGNALS[measured]
    if not source or (sources is not None and source not in sources):
        raise ValueError(f"no device is named {shown(source)}{nearest(source, sources or ())}")
    return SourceId(source), SIGNALS[measured]


def limit(side: Side, value: float, deadband: float, measured: Quantity) -> Limit:
    """A limit that the quantity can exceed, and come back from."""
    found = Limit(side, value, deadband)
    low, high = range_of(measured)
    if side is Side.ABOVE:
        can_raise, can_end = value < high, found.edge >= low
    else:
        can_raise, can_end = value > low, found.edge <= high
    if not can_raise:
        raise ValueError(
            f"{measured.signal} is never {side.value} {quantity(value, measured.unit)}: no alarm could come"
        )
    if not can_end:
        edge = quantity(found.edge, measured.unit)
        raise ValueError(f"the alarm would end at {edge}, where {measured.signal} never is: make the deadband smaller")
    return found


def amount(value: Any, measured: Quantity) -> float:
    """A number with the quantity's own unit: `"35.4 ug/m3"`. Shares and counts have none: `0.8`."""
    example = f'"35 {measured.unit}"' if measured.unit != "1" else "0.5"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if measured.unit != "1":
            raise ValueError(f"{shown(value)} has no unit: {measured.signal} is in {measured.unit}, such as {example}")
        if not abs(value) <= LARGEST:
            raise ValueError(f"{shown(value)} is no value of {measured.signal}")
        return float(value)
    match = AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{shown(value)} is not a number with its unit: write one such as {example}")
    if (match[2] or "1") != measured.unit:
        unit = f"in {match[2]}" if match[2] else "without a unit"
        own = measured.unit if measured.unit != "1" else "a plain number"
        raise ValueError(f"{shown(value)} is {unit}, but {measured.signal} is in {own}, such as {example}")
    return float(match[1])


def deadband(value: Any, measured: Quantity) -> float:
    found = amount(value, measured)
    if found < 0:
        raise ValueError(f"{shown(value)} is negative: write how far back the value must come, as a positive number")
    return found


def delay(value: Any) -> Delay:
    """`"10min"`, or `"3 of 4"` values."""
    match = AGREED.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        try:
            return Held(_ns(value))
        except ValueError as error:
            raise ValueError(f'{error}; or a count such as "3 of 4"') from error
    needed, of = int(match[1]), int(match[2])
    if not 1 <= needed <= of <= MOST_VOTES:
        raise ValueError(f'{shown(value)}: write "n of m" with n from 1 to m and m at most {MOST_VOTES}')
    return Agreed(needed, of)


def tolerance(value: Any) -> int:
    """Nanoseconds, more than none."""
    if (found := _ns(value)) == 0:
        raise ValueError("no signal is known without a break: write how long it may be unknown, or leave it out")
    return found


def re_alarm(value: Any) -> int:
    """Nanoseconds, more than none."""
    if (found := _ns(value)) == 0:
        raise ValueError("an alarm that asks again at once cannot be acknowledged: write a time, or leave it out")
    return found


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)}: write true or false, without quotes")
    return value


def severity(value: Any) -> Severity:
    known = {each.value: each for each in Severity}
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{shown(value)}{nearest(value, known)}; severities are {', '.join(known)}")
    return known[value]


def words(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("write some words in quotes: who is woken at night reads them")
    if len(value) > MAX_WORDS:
        raise ValueError(f"{len(value)} characters are too many: at most {MAX_WORDS}")
    return value.strip()


def labels(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_LABELS:
        raise ValueError(f'write at most {MAX_LABELS} labels, such as {{ zone = "kitchen" }}')
    return {key: words(text) for key, text in value.items()}


def shown(value: Any) -> str:
    """A value as it may stand in a message."""
    is_short = isinstance(value, str | float) or (isinstance(value, int) and abs(value) <= LARGEST)
    text = repr(value) if is_short else f"a value of type {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


def _ns(value: Any) -> int:
    seconds = Duration.parse(value)
    if not seconds <= LONGEST_S:
        raise ValueError(f"{shown(value)} is longer than a year")
    return seconds.ns
