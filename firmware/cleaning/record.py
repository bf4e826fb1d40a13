"""What is kept of a cleaning: who did what when, and how the duct looked before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from drivers.types import NS_PER_S, Instant, SourceId
from firmware.cleaning.states import CleaningEvent
from model.types import Label, Verdict

FRESH_NS = 3600 * NS_PER_S  # a reading older than this says nothing of a moment


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment for people: RFC 3339 with the board's offset from UTC, and whether its clock was synchronised."""

    time: str
    trusted: bool

    def __post_init__(self) -> None:
        """Raises ValueError for a time that is none."""
        datetime.fromisoformat(self.time)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment on the duct's clock, and for people."""

    at: Instant
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that happened to a cleaning: `by` is a person's name, or the board's."""

    event: CleaningEvent
    moment: Moment
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A camera's picture as JPEG, empty where it cannot be shown, and what the board said of it.

    `label` is what this picture's score says; that of the verdict goes by the ones before, too.
    """

    label: Label
    verdict: Verdict
    stamp: Stamp
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A good reading, in plain values."""

    source: SourceId
    signal: str
    unit: str
    value: float


@dataclass(slots=True)
class Scene:
    """The duct at one time: a look of each camera, and what the sensors said."""

    looks: dict[SourceId, Look] = field(default_factory=dict)
    readings: Sequence[Measured] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A cleaning that has ended, with all that its report tells.

    `alarms` are those on dirt that stood: whether they are over. `snapshots` were taken to verify, of which `needed`
    in a row must be clean. `interrupted`: the board was off meanwhile for nobody knows how long.
    """

    steps: Sequence[Step]
    before: Scene
    after: Scene
    alarms: Mapping[str, bool]
    snapshots: int
    needed: int
    interrupted: bool
