"""What the broker has from the board, folded message by message into what stands now."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.mosquitto import Received

MOST_STANDING = 200  # of each kind: far more than a board has devices, quantities and rules
SHOWN = {
    "verdict": ("label", "score", "reasons", "latency_ms"),
    "reading": ("source", "quantity", "value", "unit", "quality"),
    "alarm": ("source", "rule", "severity", "after", "active", "reason"),
    "health_change": ("source", "condition", "problem", "remedy"),
}


@dataclass(slots=True)
class Seen:
    """`at_s` is when a message came, on the clock of whoever notes it."""

    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    readings: dict[str, dict[str, Any]] = field(default_factory=dict)
    alarms: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, dict[str, Any]] = field(default_factory=dict)
    verdict_at_s: float | None = None  # of the last one that was judged just now, and not sent late

    def note(self, message: Received, at_s: float) -> None:
        """What is no event of the board's is passed over."""
        try:
            event = json.loads(message.payload)
        except ValueError:
            return
        if not isinstance(event, dict) or event.get("type") not in SHOWN:
            return
        shown = {name: event.get(name) for name in SHOWN[event["type"]]} | {"at_s": at_s}
        source = str(event.get("source"))
        match event["type"]:
            case "verdict":
                _keep(self.verdicts, source, shown, stands=True)
                if not event.get("historical"):
                    self.verdict_at_s = at_s
            case "reading":
                _keep(self.readings, f"{source}/{event.get('quantity')}", shown, stands=True)
            case "alarm":
                stands = bool(event.get("active")) or event.get("after") != "normal"
                _keep(self.alarms, f"{event.get('rule')}/{source}", shown, stands=stands)
            case "health_change":
                _keep(self.failures, source, shown, stands=event.get("condition") != "recovered")

    def told(self, now_s: float) -> dict[str, Any]:
        """For the page: with ages instead of moments."""
        return {
            "verdicts": {source: _aged(shown, now_s) for source, shown in self.verdicts.items()},
            "readings": [_aged(shown, now_s) for _, shown in sorted(self.readings.items())],
            "alarms": [_aged(shown, now_s) for _, shown in sorted(self.alarms.items())],
            "failures": [_aged(shown, now_s) for _, shown in sorted(self.failures.items())],
        }


def _keep(standing: dict[str, dict[str, Any]], key: str, shown: dict[str, Any], *, stands: bool) -> None:
    if not stands:
        standing.pop(key, None)
    elif key in standing or len(standing) < MOST_STANDING:
        standing[key] = shown


def _aged(shown: dict[str, Any], now_s: float) -> dict[str, Any]:
    aged = dict(shown)
    aged["age_s"] = round(now_s - aged.pop("at_s"), 1)
    return aged
