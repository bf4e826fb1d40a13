"""What an update does at the moment, and what it did, in plain values: docs/ota-board.md describes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from drivers.clock import Clock
from drivers.worker import Stuck
from firmware.observations import UpdateChange, UpdateStep
from ota.errors import OtaError, Untrusted
from ota.slot_states import Record, SlotName

TOLD_EACH = 0.25  # of a download


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


class Telling:
    """What is said of an update, by `say` as an event, and what there is to tell whoever asks."""

    def __init__(self, clock: Clock, say: Callable[[UpdateChange], None]) -> None:
        self._clock, self._say = clock, say
        self._trouble = ""
        self.doing = Doing()
        self.change: UpdateChange | None = None  # the last one

    def ask(self) -> None:
        """It begins to ask a repository: what came of the question before is old."""
        self.doing.begin("asking")
        self.doing.asked += 1
        self.doing.last = None

    def say(self, step: UpdateStep, release: str, why: str, figures: Mapping[str, float] | None = None) -> None:
        self.change = UpdateChange(
            step=step, release=release, why=why, figures=dict(figures or {}), at=self._clock.now()
        )
        self._say(self.change)

    def refused(self, release: str, why: str, figures: Mapping[str, float]) -> None:
        """It falls short on this board."""
        self.doing.came_to(UpdateStep.REFUSED, why, figures)
        self.say(UpdateStep.REFUSED, release, why, figures)

    def distrusted(self, error: Untrusted) -> None:
        """What a repository has is none that may be taken."""
        self.doing.came_to(UpdateStep.REFUSED, str(error))
        self._say_once(UpdateStep.REFUSED, "", str(error))

    def postponed(self, error: OtaError | Stuck) -> None:
        """Something is in the way."""
        words = in_words(error)
        self.doing.came_to(UpdateStep.POSTPONED, words)
        self._say_once(UpdateStep.POSTPONED, self.doing.release, words)

    def well(self) -> None:
        """Nothing is in the way any more."""
        self._trouble = ""

    def came(self, release: str, here: int, of: int) -> None:
        """So many bytes of a download are here."""
        told = int(self.doing.here / (TOLD_EACH * max(1, self.doing.of)))
        self.doing.here, self.doing.of = here, of
        if int(here / (TOLD_EACH * max(1, of))) > told:
            self.say(UpdateStep.FETCHING, release, f"{here} of {of} bytes", {"here_bytes": here, "of_bytes": of})

    def _say_once(self, step: UpdateStep, release: str, why: str) -> None:
        """The same at each time it asks is no news."""
        if why != self._trouble:
            self._trouble = why
            self.say(step, release, why)


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
