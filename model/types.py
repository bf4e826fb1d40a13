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
    BLURRED = "blurred"  # out of focus or smeared
    FOGGED = "fogged"  # light thrown back from before the lens, or from dew on it
    MOVED = "moved"  # the camera looks elsewhere than before
    HAZY = "hazy"  # the camera sees less clearly than before: dust on the lens, or dew
    FROZEN = "frozen"  # bit for bit the picture before
    UNLIT = "unlit"  # looks the same with the LED on as off
    UNSURE = "unsure"  # a good picture, and a score between the thresholds
    UNSETTLED = "unsettled"  # too few snapshots agree


class Cleanliness(Enum):
    """The cleanliness quality classes of EN 15780, best first, and what meets none of them."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Degree:
    """How much deposit a score stands for: an estimate in g/m2, with the limits of its 90 % interval."""

    g_m2: float
    low_g_m2: float
    high_g_m2: float


@dataclass(frozen=True, slots=True)
class ModelId:
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One frame, judged by itself. `score` is 0 (clean) to 1 (dirty), None where the image was not fit to classify.

    `degree` is None there too, and where the model has no table to estimate it by.
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
    degree: Degree | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the board says of a duct's side after a snapshot: `label` is smoothed over snapshots, `score` and
    `degree` are of this one.

    `cleanliness` is all classes that the interval of `degree` leaves open, best first; empty without an estimate.
    `latency_ns` is real time from the kernel's capture stamp to this verdict.
    """

    source: SourceId
    label: Label
    score: float | None
    reasons: tuple[Reason, ...]
    at: Instant
    latency_ns: int
    model: ModelId
    degree: Degree | None = None
    cleanliness: tuple[Cleanliness, ...] = ()
