"""Both models judge the same snapshots, the old one counts: has the new one changed its mind too often?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from drivers.types import Instant
from firmware.update.fitness import percentile
from model.types import Label

SURE = (Label.CLEAN, Label.DIRTY)
MOST_TIMES = 1_000  # latencies that are kept: of the first pictures, which come while nothing is warm


class Outcome(Enum):
    """What comes of a trial beside the old model. GAVE_UP: too little was seen to say anything.

    INTERRUPTED: it goes on later, or another release takes its place.
    """

    PASSED = "passed"
    FAILED = "failed"
    GAVE_UP = "gave_up"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`pictures`: that both have judged, before it has passed. `flips`: of these, clean for dirty or the reverse.

    `losses`: of these, no answer where the old model has one. Both are shares, 0..1. It lasts for `at_least_ns`, and
    at most for `at_most_ns`.
    """

    pictures: int
    flips: float
    losses: float
    at_least_ns: int
    at_most_ns: int
    budget_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Counts since `since`. `flips` and `losses` are among `pictures`; `times_ms` are the new model's."""

    since: Instant
    pictures: int = 0
    flips: int = 0
    losses: int = 0
    times_ms: Sequence[float] = ()


def seen(before: Seen, old: Label, new: Label, took_ms: float) -> Seen:
    """One more picture that the old model could judge: labels of this picture alone, not smoothed."""
    return replace(
        before,
        pictures=before.pictures + 1,
        flips=before.flips + (old in SURE and new in SURE and old is not new),
        losses=before.losses + (old in SURE and new not in SURE),
        times_ms=(*before.times_ms, took_ms)[:MOST_TIMES],
    )


def decide(found: Seen, limits: Limits, now: Instant) -> tuple[Outcome, str] | None:
    """What came of it, and why; None while it goes on.

    It fails as soon as it cannot pass any more: more flips or losses than may be among all `pictures`.
    """
    lasted_ns = now - found.since
    most = max(found.pictures, limits.pictures)
    for what, count, share in (
        ("called the other way round", found.flips, limits.flips),
        ("not answered, though the old model answers", found.losses, limits.losses),
    ):
        if count > share * most:
            return Outcome.FAILED, f"{count} of {found.pictures} pictures are {what}, allowed {share:.0%}"
    if found.pictures >= limits.pictures and lasted_ns >= limits.at_least_ns:
        p95_ms = percentile(found.times_ms, 0.95)
        if p95_ms > limits.budget_ms:
            return Outcome.FAILED, f"95 of 100 pictures take up to {p95_ms:.1f} ms, allowed {limits.budget_ms:g} ms"
        return Outcome.PASSED, (
            f"{found.pictures} pictures beside the old model: {found.flips} called the other way round, "
            f"{found.losses} not answered, p95 {p95_ms:.1f} ms"
        )
    if lasted_ns >= limits.at_most_ns:
        return Outcome.GAVE_UP, f"only {found.pictures} of {limits.pictures} pictures that both could judge"
    return None
