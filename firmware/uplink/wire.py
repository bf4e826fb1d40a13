"""What the board says, as others read it: events as JSON, and the MQTT messages that carry them. Pure.

The schema `ductwatch.event/1` is described, with an example of each event, in docs/events.md. A field may be added
without a new version; a field that goes, or means something else, makes it `/2`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, assert_never

from drivers.types import NS_PER_S, Instant, Reading
from firmware import deposit
from firmware.alarms.types import Transition
from firmware.events import Event
from firmware.observations import BOARD, CleaningChange, HealthChange, HealthReport, Picture, UpdateChange
from model.types import Verdict

SCHEMA = "ductwatch.event/1"

MAX_TEXT = 1000  # characters of one text; a longer one is cut and ends in an ellipsis
MAX_FIGURES = 256  # names in one health report; further ones are left out
MAX_FIGURE_NAME = 64  # names of figures are the firmware's own, in ASCII
MAX_PAYLOAD_BYTES = 32 * 1024  # what these bounds come to, at most: brokers take 128 KiB (AWS IoT Core) and more

MAX_TOPIC_BYTES = 65535  # MQTT 5, 1.5.4: length of a UTF-8 encoded string
MAX_PREFIX = 200  # characters; leaves room for any names
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WallClock:
    """Wall time at instant 0 of the duct's clock, in nanoseconds since 1970 (UTC), and whether it can be trusted.

    Taken anew for each event, since a board without a battery starts in the past and is set right by the network.
    """

    offset_ns: int
    synchronised: bool

    def utc(self, at: Instant) -> str:
        """RFC 3339 with microseconds: `2026-05-01T12:00:00.000000Z`."""
        wall = EPOCH + timedelta(microseconds=(at + self.offset_ns) // 1000)
        return wall.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Priority(IntEnum):
    """Classes of messages: the lower number is sent first, and dropped last."""

    ALARM = 0
    TELEMETRY = 1
    IMAGE = 2


@dataclass(frozen=True, slots=True)
class Message:
    """A message before it has a number: `payload` is a JSON object in UTF-8, at most `MAX_PAYLOAD_BYTES`."""

    topic: str
    priority: Priority
    payload: bytes


@dataclass(frozen=True, slots=True)
class Topics:
    """Where a board's messages go: `<prefix>/<board>/...`. Raises ValueError for names that MQTT cannot carry."""

    prefix: str
    board: str

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if self.board != level(self.board):
            raise ValueError(f"board name {self.board!r}: leave out / + # and control characters")

    @property
    def availability(self) -> str:
        """Retained; one of `online`, `stopped` (somebody stopped it), `offline` (it vanished)."""
        return self._topic("availability")

    @property
    def command(self) -> str:
        return self._topic("command")

    @property
    def reply(self) -> str:
        return self._topic("reply")

    def of(self, event: Event) -> str:
        match event:
            case Transition():
                return self.alarm(event.alarm.rule, event.alarm.source)
            case Reading():
                return self.reading(event.source)
            case Verdict():
                return self.verdict(event.source)
            case Picture():
                return self._topic("picture", event.source)
            case HealthChange() | HealthReport():
                return self._topic("health")
            case CleaningChange():
                return self._topic("cleaning")
            case UpdateChange():
                return self._topic("update")
            case _:
                assert_never(event)

    def alarm(self, rule: str, source: str) -> str:
        return self._topic("alarm", rule, source)

    def reading(self, source: str) -> str:
        return self._topic("reading", source)

    def verdict(self, source: str) -> str:
        return self._topic("verdict", source)

    def _topic(self, *names: str) -> str:
        return "/".join((self.prefix, self.board, *(level(name) for name in names)))


def check_prefix(prefix: str) -> None:
    """Raise ValueError unless `prefix` can begin topics: levels without wildcards, none empty, not the broker's own."""
    if len(prefix) > MAX_PREFIX or prefix.startswith("$") or any(name != level(name) for name in prefix.split("/")):
        raise ValueError(
            f"topic prefix {prefix!r}: write names divided by single /, without + # or a leading $, "
            f"at most {MAX_PREFIX} characters"
        )


def level(name: str) -> str:
    """`name` as one level of a topic: whatever MQTT gives a meaning of its own becomes `_` (MQTT 5, 4.7.1, 1.5.4)."""
    kept = "".join(letter if letter not in "/+#" and letter.isprintable() else "_" for letter in name[:MAX_TEXT])
    return kept or "_"


def message(event: Event, wall: WallClock, topics: Topics) -> Message:
    """The message for an event. It gets its number when the outbox accepts it, and is sealed when it is sent."""
    return Message(topics.of(event), priority(event), line(event, wall).encode())


def priority(event: Event) -> Priority:
    match event:
        case Transition() | HealthChange() | CleaningChange() | UpdateChange():
            return Priority.ALARM
        case Reading() | Verdict() | HealthReport():
            return Priority.TELEMETRY
        case Picture():
            return Priority.IMAGE
        case _:
            assert_never(event)


def seal(payload: bytes, *, boot_id: str, seq: int, historical: bool) -> bytes:
    """The payload as it is sent: with the start that made it, its number in it, and whether it waited for a broker."""
    late = b',"historical":true' if historical else b""
    return b'%s,"boot_id":"%s","seq":%d%s}' % (payload[:-1], boot_id.encode(), seq, late)


def line(event: Event, wall: WallClock) -> str:
    """An event as one line of JSON, without the line's end."""
    text = json.dumps(as_dict(event, wall), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()  # file names may hold bytes that are no text


def as_dict(event: Event, wall: WallClock) -> dict[str, Any]:
    """An event in plain values, as docs/events.md describes it. Numbers that are not finite become None."""
    kind, source, details = _details(event)
    return {
        "schema": SCHEMA,
        "type": kind,
        "source": _text(source),
        "time": wall.utc(event.at),
        "time_trusted": wall.synchronised,
        "at_s": round(event.at / NS_PER_S, 6),
        **details,
    }


def _details(event: Event) -> tuple[str, str, dict[str, Any]]:
    """Name of the event, its source, and what only this kind of event has."""
    match event:
        case Reading():
            return "reading", event.source, _reading(event)
        case Verdict():
            return "verdict", event.source, _verdict(event)
        case Transition():
            return "alarm", event.alarm.source, _transition(event)
        case HealthChange():
            return "health_change", event.source, _health_change(event)
        case HealthReport():
            return "health_report", BOARD, {"figures": _figures(event.figures)}
        case Picture():
            return "picture", event.source, _picture(event)
        case CleaningChange():
            return "cleaning", BOARD, _cleaning(event)
        case UpdateChange():
            return "update", BOARD, _update(event)
        case _:
            assert_never(event)


def _reading(event: Reading) -> dict[str, Any]:
    return {
        "quantity": event.quantity.signal,
        "value": _number(event.value),
        "unit": event.quantity.unit,
        "quality": event.quality.value,
    }


def _verdict(event: Verdict) -> dict[str, Any]:
    return {
        "label": event.label.value,
        "score": _number(event.score),
        "reasons": [reason.value for reason in event.reasons],
        **deposit.as_fields(event.degree, event.cleanliness),
        "latency_ms": round(event.latency_ns / 1e6, 3),
        "model": {"name": _text(event.model.name), "version": _text(event.model.version)},
    }


def _transition(event: Transition) -> dict[str, Any]:
    return {
        "rule": _text(event.alarm.rule),
        "before": event.before.value,
        "event": event.event.value,
        "after": event.after.value,
        "active": event.active,
        "withheld": sorted(each.value for each in event.withheld),
        "severity": event.severity.value,
        "fault": event.fault,
        "value": _number(event.value),
        "reason": _text(event.reason),
        "by": _text(event.by),
    }


def _health_change(event: HealthChange) -> dict[str, Any]:
    return {
        "condition": event.condition.value,
        "problem": _text(event.problem),
        "remedy": _text(event.remedy),
    }


def _figures(figures: Mapping[str, float]) -> dict[str, Any]:
    return {name[:MAX_FIGURE_NAME]: _number(value) for name, value in list(figures.items())[:MAX_FIGURES]}


def _picture(event: Picture) -> dict[str, Any]:
    return {"path": _text(event.path), "length_bytes": event.length_bytes, "sha256": _text(event.sha256)}


def _cleaning(event: CleaningChange) -> dict[str, Any]:
    return {
        "event": event.event.value,
        "state": event.state.value,
        "by": _text(event.by),
        "reason": _text(event.reason),
        "report": event.report,
    }


def _update(event: UpdateChange) -> dict[str, Any]:
    return {
        "step": event.step.value,
        "release": _text(event.release),
        "why": _text(event.why),
        "figures": _figures(event.figures),
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _text(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
