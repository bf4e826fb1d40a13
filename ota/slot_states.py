"""The states of the two slots that hold models, as one table, and the record of both. What moves it: `ota.slot_moves`.

Besides the slots there is the model in the firmware, which no slot holds: it runs while no slot is active. STAGED,
TRIAL and PROBATION end by themselves, at the latest by `LIMIT_S` or at the start number `MAX_STARTS`; the others are at
rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from msgspec import Meta

from ota.types import Release

MAX_STARTS: Final = 3  # of the firmware without a verdict: by accident one, two are bad luck
MAX_BAD: Final = 64  # the oldest falls out: of a model that is no release any more by then
MAX_HISTORY: Final = 50  # some ten updates
MAX_WHY: Final = 200  # characters
MAX_NAME: Final = 64  # characters, as in a bundle's manifest
MAX_COUNTER: Final = (1 << 53) - 1  # what every reader of JSON keeps exact
MAX_LENGTH_BYTES: Final = 2 * 64_000_000  # of a tar, with headers and padding: what `ota.bundle` opens

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Seconds = Annotated[int, Meta(ge=0, lt=1 << 40)]
"""Since 1970."""


class SlotState(Enum):
    EMPTY = "empty"  # nothing, or nothing that could be proved
    STAGED = "staged"  # the release, whole and proved; it waits for its examination on this board
    TRIAL = "trial"  # runs beside the active model, which counts
    PROBATION = "probation"  # passed its trial, is active and counts; what was active before stays at hand
    GOOD = "good"  # showed itself on this board: active, or what one goes back to
    BAD = "bad"  # failed on this board: its bytes are gone, its hash is on the list


class SlotEvent(Enum):
    STAGE = "stage"  # a release is whole on the disk, and proved
    FREE = "free"  # another release is about to take its place
    BEGIN_TRIAL = "begin_trial"  # it passed its examination
    START = "start"  # the firmware started, and there is no verdict yet
    PASS = "pass"  # its trial: it becomes the active model
    KEEP = "keep"  # it counted for long enough
    FAIL = "fail"  # in any of these, or the firmware started too often without a verdict
    ROLL_BACK = "roll_back"  # somebody does not want the active model any more
    UNUSABLE = "unusable"  # the active model cannot be loaded
    EXPIRE = "expire"  # no verdict for too long: not bad, but in the way
    LOSE = "lose"  # what is on the disk is not what was proved


S, E = SlotState, SlotEvent

NEXT: dict[tuple[SlotState, SlotEvent], SlotState] = {
    (S.EMPTY, E.STAGE): S.STAGED,
    (S.BAD, E.STAGE): S.STAGED,
    (S.STAGED, E.FREE): S.EMPTY,
    (S.STAGED, E.BEGIN_TRIAL): S.TRIAL,
    (S.STAGED, E.START): S.STAGED,
    (S.STAGED, E.FAIL): S.BAD,
    (S.STAGED, E.EXPIRE): S.EMPTY,
    (S.STAGED, E.LOSE): S.EMPTY,
    (S.TRIAL, E.FREE): S.EMPTY,
    (S.TRIAL, E.START): S.TRIAL,
    (S.TRIAL, E.PASS): S.PROBATION,
    (S.TRIAL, E.FAIL): S.BAD,
    (S.TRIAL, E.EXPIRE): S.EMPTY,
    (S.TRIAL, E.LOSE): S.EMPTY,
    (S.PROBATION, E.START): S.PROBATION,
    (S.PROBATION, E.KEEP): S.GOOD,
    (S.PROBATION, E.FAIL): S.BAD,
    (S.PROBATION, E.ROLL_BACK): S.BAD,
    (S.PROBATION, E.UNUSABLE): S.BAD,
    (S.PROBATION, E.EXPIRE): S.EMPTY,
    (S.PROBATION, E.LOSE): S.EMPTY,
    (S.GOOD, E.FREE): S.EMPTY,
    (S.GOOD, E.ROLL_BACK): S.BAD,
    (S.GOOD, E.UNUSABLE): S.BAD,
    (S.GOOD, E.LOSE): S.EMPTY,
}
"""A pair that is not here is a move that a slot cannot make: a KeyError, and the caller's mistake."""

LIMIT_S: dict[SlotState, int] = {
    S.STAGED: 86_400,  # an examination takes minutes; a day is for a board whose cameras are away
    S.TRIAL: 7 * 86_400,  # the longest soak in sight is a day; a week is for a plant that stands still
    S.PROBATION: 7 * 86_400,
}
"""How long a slot may be in a state. Afterwards it is empty, and the release may come again."""

PENDING = frozenset(LIMIT_S)
"""The states that wait for a verdict."""

RUNNING = frozenset({S.PROBATION, S.GOOD})
"""The states in which a slot may be active."""

HOLDING = PENDING | RUNNING
"""The states whose bytes are on the disk."""


class SlotName(Enum):
    A = "a"
    B = "b"

    @property
    def other(self) -> SlotName:
        return SlotName.B if self is SlotName.A else SlotName.A


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """The model in the firmware."""

    model: str
    counter: int
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The release whose tar a slot holds: `sha256` and `length` are the tar's. Raises ValueError."""

    model: str
    version: str
    counter: int
    sha256: str
    length: int

    def __post_init__(self) -> None:
        if not (0 < len(self.model) <= MAX_NAME and 0 < len(self.version) <= MAX_NAME):
            raise ValueError(f"the model's name and its version have 1 to {MAX_NAME} characters")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ValueError("a SHA-256 has 64 lower-case hexadecimal digits")
        if not (0 <= self.length <= MAX_LENGTH_BYTES and 0 <= self.counter <= MAX_COUNTER):
            raise ValueError(f"a tar has up to {MAX_LENGTH_BYTES} bytes, and a release counter is up to {MAX_COUNTER}")

    @classmethod
    def of(cls, release: Release) -> Held:
        target = release.target
        return cls(
            model=release.model,
            version=release.version,
            counter=release.counter,
            sha256=target.sha256,
            length=target.length,
        )

    def __str__(self) -> str:
        return f"{self.model} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`holds` of a BAD slot is what it held. `starts` of the firmware while it was pending, from `since_s` on."""

    state: SlotState = SlotState.EMPTY
    holds: Held | None = None
    since_s: Seconds = 0
    starts: Annotated[int, Meta(ge=0, lt=MAX_STARTS)] = 0

    def __post_init__(self) -> None:
        if (self.state is S.EMPTY) is not (self.holds is None):
            raise ValueError("a slot is empty, or it says what it holds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """`release` is the one that it happened to, as model and version."""

    at_s: Seconds
    slot: SlotName
    event: SlotEvent
    release: Annotated[str, Meta(max_length=129)]
    why: Annotated[str, Meta(max_length=MAX_WHY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is known of the slots. `active` is None while the model in the firmware runs.

    Raises ValueError for what no sequence of events leads to.
    """

    a: Slot = Slot()
    b: Slot = Slot()
    active: SlotName | None = None
    bad: Annotated[tuple[Sha256, ...], Meta(max_length=MAX_BAD)] = ()  # the newest last
    history: Annotated[tuple[Happened, ...], Meta(max_length=MAX_HISTORY)] = ()  # the newest last

    def __post_init__(self) -> None:
        states = {name: self[name].state for name in SlotName}
        if self.active is None and S.GOOD in states.values():
            raise ValueError("a good model is not active, and nothing runs instead")
        if self.active is not None and states[self.active] not in RUNNING:
            raise ValueError("the active slot is not good")
        if any(state is S.PROBATION and name is not self.active for name, state in states.items()):
            raise ValueError("a slot on probation is not active")
        if PENDING.issuperset(states.values()):
            raise ValueError("both slots wait for a verdict")

    def __getitem__(self, name: SlotName) -> Slot:
        return self.a if name is SlotName.A else self.b

    @property
    def pending(self) -> SlotName | None:
        """The slot that waits for a verdict."""
        return next((name for name in SlotName if self[name].state in PENDING), None)

    @property
    def previous(self) -> SlotName | None:
        """Where a rollback leads; None: to the model in the firmware."""
        good = (name for name in SlotName if name is not self.active and self[name].state is S.GOOD)
        return next(good, None)

    @property
    def inactive(self) -> SlotName:
        """The slot that the next release goes to."""
        if self.active is not None:
            return self.active.other
        return self.pending or SlotName.A
