"""How well scores rank and how honest they are: pure functions of the truth (n,) bool and the scores (n,) 0..1.

What cannot be said of an empty set, or of one class alone, is None: never NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Truth = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]

BINS = 15  # Guo et al. 2017
FEWEST_BINS, FEWEST_IN_BIN = 2, 10  # of fewer pictures, a bin's share of dirty ones is mostly chance
DRAWS, SEED = 200, 20_260_801


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionRecall:
    """Each (k,), by falling threshold: of those scored at `threshold` or more, `precision` are dirty, and they are
    `recall` of all the dirty ones."""

    threshold: Numbers
    precision: Numbers
    recall: Numbers


@dataclass(frozen=True, slots=True)
class Bin:
    """Pictures of about the same score: their mean score, how many of them are dirty, and how many there are."""

    score: float
    dirty: int
    pictures: int


def auc(dirty: Truth, score: Numbers) -> float | None:
    """The chance that a dirty picture scores higher than a clean one, 0..1, ties half. None without both classes.

    The rank formula of Mann and Whitney 1947: the sum of the dirty ones' ranks, less the least it can be, in shares
    of all pairs.
    """
    positive = int(dirty.sum())
    negative = len(dirty) - positive
    if not positive or not negative:
        return None
    return float((_ranks(score)[dirty].sum() - positive * (positive + 1) / 2) / (positive * negative))


def precision_recall(dirty: Truth, score: Numbers) -> PrecisionRecall | None:
    """One point for each score that occurs. None if nothing is dirty."""
    if not dirty.any():
        return None
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)  # of each run of equal scores
    found = np.cumsum(dirty[order])[last]
    return PrecisionRecall(threshold=falling[last], precision=found / (last + 1), recall=found / found[-1])


def average_precision(curve: PrecisionRecall | None) -> float | None:
    """The area under the steps of the curve, 0..1, not interpolated (Davis and Goadrich 2006 say why not)."""
    return None if curve is None else float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))


def bins_for(pictures: int) -> int:
    """15, but of fewer than 150 pictures as many as get ten each, and two at least."""
    return min(BINS, max(FEWEST_BINS, pictures // FEWEST_IN_BIN))


def reliability(dirty: Truth, score: Numbers, bins: int | None = None) -> tuple[Bin, ...]:
    """Bins of equal numbers of pictures, by rising score; equal scores stay together, so there may be fewer bins."""
    chosen = _binned(score, bins_for(len(score)) if bins is None else bins)
    return tuple(
        Bin(float(score[chosen == at].mean()), int(dirty[chosen == at].sum()), int((chosen == at).sum()))
        for at in np.unique(chosen)
    )


def calibration_error(bins: tuple[Bin, ...]) -> float | None:
    """Expected calibration error, 0..1: how far a bin's mean score is from its share of dirty ones, weighted by size.

    Guo et al. 2017 (arXiv:1706.04599, eq. 3), but for the probability of dirty instead of that of the answer, and with
    bins of equal numbers instead of equal widths, of which most would be empty.
    """
    pictures = sum(each.pictures for each in bins)
    if not pictures:
        return None
    return sum(abs(each.score * each.pictures - each.dirty) for each in bins) / pictures


def error_by_chance(score: Numbers) -> float | None:
    """The calibration error that these scores would get if they were perfect: the mean of draws in which each picture
    is as often dirty as its score says. None of nothing."""
    if not len(score):
        return None
    chosen = _binned(score, bins_for(len(score)))
    expected, rng = np.bincount(chosen, score), np.random.default_rng(SEED)
    drawn = [np.bincount(chosen, rng.random(len(score)) < score, len(expected)) for _ in range(DRAWS)]
    return float(np.abs(np.array(drawn) - expected).sum(axis=1).mean() / len(score))


def brier(dirty: Truth, score: Numbers) -> float | None:
    """Mean square of score less truth, 0 (best) to 1 (Brier 1950). None of nothing."""
    return float(np.mean((score - dirty) ** 2)) if len(dirty) else None


def spearman(degree: Numbers, score: Numbers) -> float | None:
    """Whether dirtier ducts score higher: Pearson's correlation of ranks, -1..1. None where either is constant."""
    if len(degree) < 2 or np.ptp(degree) == 0 or np.ptp(score) == 0:
        return None
    first, second = _ranks(degree), _ranks(score)
    first -= first.mean()
    second -= second.mean()
    return float((first @ second) / np.sqrt((first @ first) * (second @ second)))


def _binned(score: Numbers, bins: int) -> npt.NDArray[np.intp]:
    """The bin (n,) of each, from 0 on; some may be of none."""
    return np.floor((_ranks(score) - 0.5) / max(1, len(score)) * bins).astype(np.intp)


def _ranks(values: Numbers) -> Numbers:
    """1 to n, ties sharing the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: Numbers = (last - (count - 1) / 2)[place]
    return ranks
