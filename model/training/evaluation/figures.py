"""The figures of a model on a set of pictures, as numbers that go into a table, a page or JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.training.evaluation.curves import (
    auc,
    average_precision,
    brier,
    calibration_error,
    error_by_chance,
    precision_recall,
    reliability,
    spearman,
)
from model.training.evaluation.scores import Scored
from model.types import Label

Z_95 = 1.959963984540054  # the standard normal's 97.5 % point
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share 0..1 of `of` pictures, with its 95 % interval."""

    value: float
    low: float
    high: float
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """From the JPEG in memory to the verdict, on this computer, of pictures that the network got to see."""

    p50_ms: float
    p99_ms: float
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """None where the pictures cannot say: none there, or of one class alone.

    By the forced answer (dirty above `threshold`), unreadable pictures being wrong: `accuracy`, `balanced_accuracy`
    (the mean of both recalls), `recall_clean`, `recall_dirty`. By the scores of the readable ones: `auc`,
    `average_precision`, `calibration_error` (and `calibration_error_by_chance`, what perfect scores would get of so
    many), `brier`, and where the degree is known `spearman`. By what a board says: `coverage` (CLEAN or DIRTY at all),
    `accuracy_told` (right when it does), `clean_though_dirty` (of the dirty ones, called CLEAN: the mistake that nobody
    sees), `confusion` (truth, then answer), `reasons` (why CANNOT_TELL; a picture may have several).
    """

    pictures: int
    clean: int
    dirty: int
    unreadable: tuple[str, ...]
    threshold: float
    accuracy: Share | None
    balanced_accuracy: float | None
    recall_clean: Share | None
    recall_dirty: Share | None
    auc: float | None
    average_precision: float | None
    calibration_error: float | None
    calibration_error_by_chance: float | None
    brier: float | None
    spearman: float | None
    coverage: Share | None
    accuracy_told: Share | None
    clean_though_dirty: Share | None
    confusion: dict[str, dict[str, int]]
    reasons: dict[str, int]
    latency: Latency | None


def measure(scored: Sequence[Scored], threshold: float, *, between: Sequence[Scored] = ()) -> Figures:
    """`between`: pictures of known degree that have no label. They count for the rank correlation alone."""
    readable = [(each, each.score) for each in scored if each.score is not None]
    dirty = np.array([each.dirty for each, _ in readable], bool)
    score = np.array([score for _, score in readable], np.float64)
    by_degree = [
        (each.degree, each.score) for each in (*scored, *between) if each.degree is not None and each.score is not None
    ]
    degrees, their_scores = np.array(by_degree, np.float64).reshape(-1, 2).T
    recalls = [_right([each for each in scored if each.dirty is truth], threshold) for truth in (False, True)]
    told = [each for each in scored if each.is_told]
    return Figures(
        pictures=len(scored),
        clean=sum(not each.dirty for each in scored),
        dirty=sum(each.dirty for each in scored),
        unreadable=tuple(each.name for each in scored if each.score is None),
        threshold=threshold,
        accuracy=_right(scored, threshold),
        balanced_accuracy=balanced(*recalls),
        recall_clean=recalls[0],
        recall_dirty=recalls[1],
        auc=auc(dirty, score),
        average_precision=average_precision(precision_recall(dirty, score)),
        calibration_error=calibration_error(reliability(dirty, score)),
        calibration_error_by_chance=error_by_chance(score),
        brier=brier(dirty, score),
        spearman=spearman(degrees, their_scores),
        coverage=wilson(len(told), len(scored)),
        accuracy_told=wilson(sum(each.is_told_right for each in told), len(told)),
        clean_though_dirty=wilson(
            sum(each.dirty and each.label is Label.CLEAN for each in scored), sum(each.dirty for each in scored)
        ),
        confusion=_confusion(scored),
        reasons=_reasons(scored),
        latency=latency([each.decode_ns + each.invoke_ns for each in scored if each.invoke_ns]),
    )


def wilson(part: int, whole: int) -> Share | None:
    """`part / whole` with Wilson's score interval of 95 %, which holds near 0 and 1 too (Wilson 1927; Brown, Cai and
    DasGupta 2001). None of nothing. It takes pictures for independent: of alike ones it is too narrow."""
    if not whole:
        return None
    value, z2 = part / whole, Z_95**2
    centre = (value + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z_95 / (1 + z2 / whole) * math.sqrt(value * (1 - value) / whole + z2 / (4 * whole**2))
    return Share(
        value=value, low=max(0.0, min(centre - half, value)), high=min(1.0, max(centre + half, value)), of=whole
    )


def value_of(share: Share | None) -> float | None:
    return None if share is None else share.value


def balanced(clean: Share | None, dirty: Share | None) -> float | None:
    """The mean of both recalls: guessing gives one half, however many of each there are. None without both classes."""
    return None if clean is None or dirty is None else (clean.value + dirty.value) / 2


def latency(durations_ns: Sequence[int]) -> Latency | None:
    """Nearest rank: times that did occur. Of fewer than 100 pictures p99 is the longest. None of nothing."""
    if not durations_ns:
        return None
    p50, p99 = np.percentile(durations_ns, [50, 99], method="inverted_cdf") / NS_PER_MS
    return Latency(p50_ms=float(p50), p99_ms=float(p99), pictures=len(durations_ns))


def _right(scored: Sequence[Scored], threshold: float) -> Share | None:
    return wilson(sum(each.is_right(threshold) for each in scored), len(scored))


def _confusion(scored: Sequence[Scored]) -> dict[str, dict[str, int]]:
    count = Counter((each.dirty, each.label) for each in scored)
    return {
        truth.value: {said.value: count[truth is Label.DIRTY, said] for said in Label}
        for truth in (Label.CLEAN, Label.DIRTY)
    }


def _reasons(scored: Sequence[Scored]) -> dict[str, int]:
    return dict(Counter(reason.value for each in scored for reason in each.reasons).most_common())
