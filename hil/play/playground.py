"""What the page shows and does: what a person has set, what the board says, how far it has come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Any

from hil.play.controls import CONTROLS, PRESSES, Rig
from hil.play.journal import Journal
from hil.play.seen import Seen
from hil.rig.lines import Line

TICK_S = 0.2
SHOWN_LINES = {"led": Line.LED, "relay": Line.RELAY, "buzzer": Line.BUZZER}
SILENT_S = 20.0  # four of the rig's snapshots: hil/rig.toml
FLASH_NS = 1_000_000_000  # so long a line that was high counts as just seen: the page asks less often than it blinks


class Phase(Enum):
    OFF = "without power"
    STARTING = "starting"
    STARTED = "started; the firmware begins to watch"
    WATCHING = "watching"
    SILENT = "no verdict arrives any more"


def phase(*, power: bool, reached: bool, verdict_at_s: float | None, power_at_s: float, now_s: float) -> Phase:
    """How far a board has come that got its power at `power_at_s`."""
    if not power:
        return Phase.OFF
    if verdict_at_s is not None and verdict_at_s >= power_at_s:
        return Phase.WATCHING if now_s - verdict_at_s < SILENT_S else Phase.SILENT
    return Phase.STARTED if reached else Phase.STARTING


class Playground:
    """One for all pages that are open; the calls may come from any thread."""

    def __init__(self, rig: Rig, journal: Journal, now_s: Callable[[], float] = time.monotonic) -> None:
        self._rig, self._journal, self._now_s = rig, journal, now_s
        self._doing = threading.Lock()  # labgrid and a person do one thing at a time
        self._settings: dict[str, Any] = {name: control.start for name, control in CONTROLS.items()}
        self._settings["power"] = False
        self._noting = threading.Lock()  # nobody is told what stands while it is noted
        self._seen, self._mark = Seen(), 0
        self._power_at_s = now_s()

    def set(self, name: str, value: object) -> None:
        """Raises KeyError, or `Unfit` with what fits."""
        control = CONTROLS[name]
        accepted = control.kind.accept(value)
        with self._doing:
            if self._settings[name] == accepted:
                return
            control.apply(self._rig, accepted)
            if name == "power":
                self._power_at_s = self._now_s()
            self._settings[name] = accepted

    def press(self, name: str) -> None:
        """Raises KeyError."""
        press = PRESSES[name]
        with self._doing:
            press.apply(self._rig)

    def mend(self) -> None:
        """All that was broken is whole again, and the duct is clean. A board without power stays so."""
        for name, control in CONTROLS.items():
            if name != "power":
                self.set(name, control.start)

    def follow(self) -> None:
        """Take in what the board says, for a little while. One thread calls this again and again."""
        self._journal.follow(TICK_S)
        new = self._rig.bench.messages.since(self._mark)
        with self._noting:
            for message in new:
                self._seen.note(message, self._now_s())
        self._mark += len(new)

    @property
    def phase(self) -> Phase:
        return phase(
            power=self._settings["power"],
            reached=self._journal.connected,
            verdict_at_s=self._seen.verdict_at_s,
            power_at_s=self._power_at_s,
            now_s=self._now_s(),
        )

    @property
    def phase_s(self) -> float:
        """Since the power came or went."""
        return self._now_s() - self._power_at_s

    def state(self, after: int) -> dict[str, Any]:
        """All that the page shows, with the journal's lines above number `after`."""
        lines = self._rig.bench.lines
        flashed_ns = time.monotonic_ns() - FLASH_NS
        flashes = {edge.line for edge in lines.edges[-32:] if edge.level and edge.at_ns >= flashed_ns}
        with self._noting:
            seen = self._seen.told(self._now_s())
        return {
            "phase": self.phase.name.lower(),
            "phase_text": self.phase.value,
            "phase_s": round(self.phase_s),
            "settings": dict(self._settings),
            "lines": {name: lines.level(line) for name, line in SHOWN_LINES.items()},
            "flashed": {name: line in flashes for name, line in SHOWN_LINES.items()},
            "streams": {name: camera.streams for name, camera in self._rig.bench.cameras.items()},
            **seen,
            "journal": self._journal.since(after),
        }
