"""What the classifier says of a snapshot, and what it says when it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drivers.types import Instant, SourceId


class Label(Enum):
    """CANNOT_TELL is an answer of its own: it never turns into CLEAN by default."""

    CLEAN = "CLEAN"
    DIRTY = "DIRTY"
    CANNOT_TELL = "CANNOT_TELL"


class Reason(Enum):
    """Why a picture was not judged, in words for a technician."""

    UNREADABLE = "unreadable"  # does not decode
    DARK = "dark"  # no light: LED dead, lens covered
    SATURATED = "saturated"  # too much light to see anything
    BLURRED = "blurred"  # out of focus, fogged or smeared
    FROZEN = "frozen"  # bit for bit the picture before
    UNLIT = "unlit"  # looks the same with the LED on as off
    UNSURE = "unsure"  # a good picture, and a score between the thresholds
    UNSETTLED = "unsettled"  # too few snapshots agree


@dataclass(frozen=True, slots=True)
class ModelId:
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One frame, judged by itself. `score` is 0 (clean) to 1 (dirty), None where the image was not fit to classify.

    Times are nanoseconds of real time: `decode_ns` with the image checks, `invoke_ns` in the interpreter alone.
    """

    source: SourceId
    label: Label
    score: float | None
    reasons: tuple[Reason, ...]
    at: Instant
    decode_ns: int
    invoke_ns: int
    model: ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the board says of a duct's side after a snapshot: `label` is smoothed over snapshots, `score` is not.

    `latency_ns` is real time from the kernel's capture stamp to this verdict.
    """

    source: SourceId
    label: Label
    score: float | None
    reasons: tuple[Reason, ...]
    at: Instant
    latency_ns: int
    model: ModelId
