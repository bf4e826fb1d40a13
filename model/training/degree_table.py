"""The table from score to deposit: fitted to pictures of which the deposit was measured, with how sure it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.degree import degree_of
from model.manifest import LEAST_G_M2, MOST_G_M2, DegreePoint
from model.training.data.samples import BadDataset
from model.training.evaluation.curves import spearman

Numbers = npt.NDArray[np.float64]

COVERAGE = 0.9  # of the interval
FEWEST = 10  # below, not even the widest of the residuals bounds nine in ten of those to come
MOST_POINTS = 16
PICTURES_A_POINT = 3  # at least, as a rule
NEAR = 39  # pictures whose residuals make a point's interval: the second from either end is then its limit
NEAR_SHARE = 8  # or an eighth of all, where that is more
FOLDS = 50  # up to so many pictures each is left out alone, beyond it a fiftieth of them at a time
MOST_SIGNIFICANT = 4  # digits of what is written


@dataclass(frozen=True, slots=True, kw_only=True)
class DegreeFigures:
    """What a table is worth on pictures that were left out of its fit.

    `spearman`: of score and deposit, -1 to 1. `relative_error`: the median of how far an estimate is off, in shares of
    what was measured. `covered`: so many of the `measurements` were within the interval.
    """

    measurements: int
    least_g_m2: float
    most_g_m2: float
    spearman: float
    relative_error: float
    covered: int

    @property
    def coverage(self) -> float:
        return self.covered / self.measurements


def fit_degree(scores: npt.ArrayLike, grams: npt.ArrayLike) -> tuple[DegreePoint, ...]:
    """The manifest's `degree`, from scores (n,) of 0 to 1 and deposits (n,) in g/m2, in any order.

    The estimate is an isotonic regression of the logarithm of the grams on the score, at up to 16 points that stand for
    about as many pictures each. The interval comes from residuals: how far pictures lie from a curve that was fitted
    without them. Of the m pictures (39 or more, if there are) that score most like a point, the residuals of rank
    0.05 (m + 1) and 0.95 (m + 1) are its limits, as in conformal prediction. Fewer than 19 have no such ranks: there
    the residual of rank 0.9 (m + 1) by its size goes both ways, which is wider.

    So a next picture is within the interval nine times in ten if it is of the same kind of ducts, cameras and light,
    and these in the same shares. Nearly: a point borrows its neighbours' residuals, and no law holds for pictures left
    out one by one (Barber et al. 2021 prove 0.8 for a like rule, where they see 0.9). `measure_degree` counts it.
    Raises `BadDataset` where there is nothing to fit.
    """
    score, deposit = _checked(np.asarray(scores, float), np.asarray(grams, float))
    return _table(score, np.log(deposit))


def measure_degree(scores: npt.ArrayLike, grams: npt.ArrayLike) -> DegreeFigures:
    """Fit as `fit_degree` does, again and again without some of the pictures, and compare these with the estimates."""
    score, deposit = _checked(np.asarray(scores, float), np.asarray(grams, float))
    found = np.empty((len(score), 3))
    for left_out in _folds(score):
        table = _table(score[~left_out], np.log(deposit[~left_out]))
        for place in np.flatnonzero(left_out):
            degree = degree_of(float(score[place]), table)
            assert degree is not None
            found[place] = degree.g_m2, degree.low_g_m2, degree.high_g_m2
    estimate, low, high = found.T
    return DegreeFigures(
        measurements=len(score),
        least_g_m2=float(deposit.min()),
        most_g_m2=float(deposit.max()),
        spearman=spearman(deposit, score) or 0.0,
        relative_error=float(np.median(np.abs(estimate - deposit) / deposit)),
        covered=int(np.count_nonzero((low <= deposit) & (deposit <= high))),
    )


def _checked(score: Numbers, grams: Numbers) -> tuple[Numbers, Numbers]:
    """Both by rising score, and the deposits as low as anybody can weigh at least."""
    if len(score) < FEWEST:
        said = f"{len(score)} pictures of known deposit are too few: from {FEWEST} on, an interval can be given"
        raise BadDataset(said, remedy="Measure further spots, clean and dirty ones")
    if not (((score >= 0) & (score <= 1)).all() and ((grams >= 0) & (grams <= MOST_G_M2)).all()):
        raise ValueError(f"scores are 0 to 1, deposits 0 to {MOST_G_M2:g} g/m2")
    deposit = np.maximum(grams, LEAST_G_M2)
    if np.ptp(deposit) == 0:
        said = f"all {len(deposit)} deposits are {deposit[0]:g} g/m2: nothing can be told of others"
        raise BadDataset(said, remedy="Measure clean and dirty spots, and some between")
    if not (spearman(deposit, score) or 0.0) > 0:
        said = "pictures of more deposit do not score higher, so that the score says nothing of the deposit"
        raise BadDataset(said, remedy="Look whether each picture stands beside its own measurement; or train the model")
    order = np.lexsort((deposit, score))
    return score[order], deposit[order]


def _table(score: Numbers, log: Numbers) -> tuple[DegreePoint, ...]:
    at, estimate = _curve(score, log)
    residual = np.empty_like(log)
    for left_out in _folds(score):
        residual[left_out] = log[left_out] - np.interp(score[left_out], *_curve(score[~left_out], log[~left_out]))
    low, high = np.array([_interval(residual[_near(score, one)]) for one in at]).T
    grams = _rounded(np.exp(np.stack([estimate, estimate + np.minimum(low, 0), estimate + np.maximum(high, 0)])))
    return tuple(
        DegreePoint(score=round(float(one), 6), g_m2=middle, low_g_m2=least, high_g_m2=most)
        for one, middle, least, most in zip(at, *grams.tolist(), strict=True)
    )


def _curve(score: Numbers, log: Numbers) -> tuple[Numbers, Numbers]:
    """Scores, rising, and at each the logarithm of the grams, not falling. Equal scores are at one point."""
    points = min(MOST_POINTS, max(2, len(score) // PICTURES_A_POINT))
    # the first and the last point stand for half as many, so that they are nearer to the ends
    share = _ranks(score) / (len(score) - 1)
    _, cell, pictures = np.unique(np.round(share * (points - 1)), return_inverse=True, return_counts=True)
    mean = np.bincount(cell, log) / pictures
    return np.bincount(cell, score) / pictures, _rising(mean, pictures.astype(float))


def _rising(values: Numbers, weights: Numbers) -> Numbers:
    """The nearest values that do not fall, by weighted squares: neighbours that fall are pooled (Ayer et al. 1955)."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many values
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, heavy, many = pools.pop()
            both = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / both, both, many + pool[2])
        pools.append(pool)
    return np.concatenate([np.full(many, mean) for mean, _, many in pools])


def _near(score: Numbers, at: float) -> npt.NDArray[np.bool_]:
    """Which pictures score most like `at`; as many as score alike, no matter in which order they came."""
    away = np.abs(_ranks(score) - np.interp(at, *_by_score(score)))
    count = min(len(score), max(NEAR, len(score) // NEAR_SHARE))
    near: npt.NDArray[np.bool_] = away <= np.partition(away, count - 1)[count - 1]
    return near


def _interval(residual: Numbers) -> tuple[float, float]:
    """Where the next residual is nine times in ten, if it is like these."""
    count, tail = len(residual), (1 - COVERAGE) / 2
    below, above = int(tail * (count + 1) + 1e-9), int(np.ceil((1 - tail) * (count + 1) - 1e-9))
    if below >= 1:
        rising = np.sort(residual)
        return float(rising[below - 1]), float(rising[above - 1])
    rank = min(count, int(np.ceil(COVERAGE * (count + 1) - 1e-9)))
    furthest = float(np.sort(np.abs(residual))[rank - 1])
    return -furthest, furthest


def _folds(score: Numbers) -> Iterator[npt.NDArray[np.bool_]]:
    """Which pictures are left out, in turn: by rising score each fiftieth, so that what stays is like the whole."""
    count = min(len(score), FOLDS)
    for fold in range(count):
        yield np.arange(len(score)) % count == fold


def _by_score(score: Numbers) -> tuple[Numbers, Numbers]:
    """Each score that there is, and its rank, from 0; equal ones share the mean of theirs."""
    different, pictures = np.unique(score, return_counts=True)
    return different, np.cumsum(pictures) - (pictures + 1) / 2


def _ranks(score: Numbers) -> Numbers:
    different, rank = _by_score(score)
    ranks: Numbers = rank[np.searchsorted(different, score)]
    return ranks


def _rounded(grams: Numbers) -> Numbers:
    """To four digits, which is more than anybody measures; not so that an order is lost."""
    digits = MOST_SIGNIFICANT - 1 - np.floor(np.log10(grams))
    scale = 10.0**digits
    return np.clip(np.round(grams * scale) / scale, LEAST_G_M2, MOST_G_M2)
