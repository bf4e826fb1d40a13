"""What a board stands in: made by whoever runs it, on hardware or on a simulated duct."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from firmware.devices import Site
from firmware.events import Event
from firmware.photography import Shot
from firmware.wall import Wall
from model.types import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """No sink may block; `see` gets each shot before its verdict comes to the sinks, `judged` both together.

    `chance` is the jitter of restarts, 0..1: seeded on a simulated board, so that its run can be repeated.
    """

    site: Site
    wall: Wall
    sinks: Sequence[Callable[[Event], None]]
    see: Callable[[Shot], None]
    judged: Callable[[Shot, Verdict], None]
    figures: Callable[[], dict[str, float]]
    chance: Callable[[], float]
