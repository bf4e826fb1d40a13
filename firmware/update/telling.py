"""What an update does at the moment, and what it did, in plain values: docs/ota-board.md describes them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from drivers.worker import Stuck
from firmware.observations import UpdateStep
from ota.errors import OtaError
from ota.slot_states import Record, SlotName


@dataclass(frozen=True, slots=True)
class Last:
    """What came of the last question, or of the model that it brought. Nothing yet where that goes well."""

    outcome: UpdateStep
    why: str
    figures: Mapping[str, float]
    at_s: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Doing:
    """`here` and `of` are bytes of a download, or pictures of a trial. `asked`: how often somebody or the clock did."""

    what: str = "starting"
    release: str = ""
    here: int = 0
    of: int = 0
    asked: int = 0
    last: Last | None = None

    def begin(self, what: str, release: str = "", *, of: int = 0) -> None:
        self.what, self.release, self.here, self.of = what, release, 0, of

    def came_to(self, step: UpdateStep, why: str, figures: Mapping[str, float] | None = None) -> None:
        self.last = Last(step, why, dict(figures or {}))

    def told(self) -> dict[str, Any]:
        last = self.last
        return {
            "doing": self.what,
            "release": self.release,
            "here": self.here,
            "of": self.of,
            "asked": self.asked,
            "last": {
                "outcome": last.outcome.value,
                "why": last.why,
                "figures": last.figures,
                "ago_s": time.monotonic() - last.at_s,
            }
            if last
            else {},
        }


def told(record: Record, now_s: float) -> dict[str, Any]:
    """The slots that hold something, and what happened to them, in plain values."""
    return {
        "slots": [
            {
                "name": name.value,
                "active": name is record.active,
                "state": record[name].state.value,
                "release": str(held),
                "release_counter": held.counter,
                "for_s": max(0.0, now_s - record[name].since_s),
            }
            for name in SlotName
            if (held := record[name].holds) is not None
        ],
        "history": [
            {
                "time": datetime.fromtimestamp(one.at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "slot": one.slot.value,
                "event": one.event.value,
                "release": one.release,
                "why": one.why,
            }
            for one in record.history
        ],
    }


def in_words(error: OtaError | Stuck) -> str:
    return "the disk does not answer" if isinstance(error, Stuck) else str(error)
