"""Whether one model is better than another on the very same pictures: an exact test, an interval, and a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Groups = npt.NDArray[np.intp]
Gains = npt.NDArray[np.int64]  # what B has right more than A: -1, 0 or 1

RESAMPLES = 10_000
SEED = 20_260_801
ALPHA = 0.05  # of the test, two-sided, and of what lies outside the intervals
Z_ALPHA = 1.959963984540054  # the standard normal's point for ALPHA / 2
FEWEST_DISCORDANT = 6  # 2 / 2**6 is the first that is below ALPHA: fewer show nothing, even if all say the same
Z_POWER = 0.8416212335729143  # and for finding a true difference 4 times in 5


class Outcome(Enum):
    BETTER = "better"
    WORSE = "worse"
    CANNOT_TELL = "cannot be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """B less A, -1..1, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`only_a_right`, `only_b_right`: pictures. `groups_for_a`, `groups_for_b`: groups of twins in which the one has
    more right than the other. `balanced_accuracy` is None without both classes. `pictures_needed`: to show an accuracy
    difference as large as the one found 4 times in 5; None if none was found."""

    pictures: int
    groups: int
    only_a_right: int
    only_b_right: int
    groups_for_a: int
    groups_for_b: int
    p_value: float
    accuracy: Difference
    balanced_accuracy: Difference | None
    pictures_needed: int | None
    outcome: Outcome


Interval = Callable[[Flags, Gains, Groups], tuple[Difference, Difference | None]]
"""Of truth, gains and groups from 0 on: the differences in accuracy and, of both classes, in balanced accuracy."""


def compare(
    dirty: Flags,
    a_right: Flags,
    b_right: Flags,
    groups: Groups | None = None,
    *,
    interval: Interval | None = None,
) -> Comparison:
    """All (n,), n at least 1. `groups`: a number for each picture, the same for twins; without it each is by itself.

    `interval`: `bootstrap` unless given, which has no width where all groups gained alike; `smoothed` holds there too.
    """
    if not len(dirty):
        raise ValueError("there is nothing to compare on without a picture")
    _, group = np.unique(np.arange(len(dirty)) if groups is None else groups, return_inverse=True)
    gain = b_right.astype(np.int64) - a_right
    by_group = np.zeros(group.max() + 1, np.int64)
    np.add.at(by_group, group, gain)
    for_a, for_b = int((by_group < 0).sum()), int((by_group > 0).sum())
    only_a, only_b = int((gain < 0).sum()), int((gain > 0).sum())
    p_value = sign_test(for_a, for_b)
    accuracy, balanced = (interval or bootstrap)(dirty, gain, group)
    return Comparison(
        pictures=len(dirty),
        groups=len(by_group),
        only_a_right=only_a,
        only_b_right=only_b,
        groups_for_a=for_a,
        groups_for_b=for_b,
        p_value=p_value,
        accuracy=accuracy,
        balanced_accuracy=balanced,
        pictures_needed=pictures_needed((only_a + only_b) / len(dirty), accuracy.value),
        outcome=decide(p_value, accuracy, balanced),
    )


def sign_test(for_a: int, for_b: int) -> float:
    """Two-sided p of a coin that fell so or less evenly. Of single pictures this is McNemar's exact test (1947).

    For groups it counts each once, by which of the two has more right in it: twins add no evidence.
    """
    count = for_a + for_b
    term, tail = 1, 0
    for k in range(min(for_a, for_b) + 1):
        tail += term
        term = term * (count - k) // (k + 1)
    p_value: float = 2 * tail / 2**count  # whole numbers up to here: exact, however many
    return min(1.0, p_value)


def pictures_needed(discordant: float, difference: float) -> int | None:
    """How many it takes to find `difference` with power 0.8, if `discordant` is the share told right by one alone.

    Connor 1987, Biometrics 43:207, for McNemar's test. None if there is no difference to find.
    """
    if difference == 0:
        return None
    spread = math.sqrt(max(discordant - difference**2, 0.0))
    by_connor = ((Z_ALPHA * math.sqrt(discordant) + Z_POWER * spread) / difference) ** 2
    return math.ceil(max(by_connor, FEWEST_DISCORDANT / discordant))


def decide(p_value: float, accuracy: Difference, balanced: Difference | None) -> Outcome:
    """Test and interval must agree, and balanced accuracy must not point the other way."""
    if p_value >= ALPHA:
        return Outcome.CANNOT_TELL
    if accuracy.low > 0 and (balanced is None or balanced.value > 0):
        return Outcome.BETTER
    if accuracy.high < 0 and (balanced is None or balanced.value < 0):
        return Outcome.WORSE
    return Outcome.CANNOT_TELL


def bootstrap(dirty: Flags, gain: Gains, group: Groups) -> tuple[Difference, Difference | None]:
    """Percentile intervals (Efron 1979) of the differences in accuracy and in balanced accuracy, groups drawn whole.

    Groups with the same counts are alike to both figures: drawing how many of each kind is the same and much faster.
    """
    columns = np.stack([~dirty, dirty, np.where(dirty, 0, gain), np.where(dirty, gain, 0)], axis=1).astype(np.int64)
    totals = np.zeros((group.max() + 1, 4), np.int64)
    np.add.at(totals, group, columns)
    kinds, count = np.unique(totals, axis=0, return_counts=True)
    drawn = np.random.default_rng(SEED).multinomial(len(totals), count / len(totals), RESAMPLES) @ kinds
    found = totals.sum(axis=0)
    accuracy = _difference(_accuracy(found), _accuracy(drawn))
    if not found[0] or not found[1]:
        return accuracy, None
    both = drawn[(drawn[:, 0] > 0) & (drawn[:, 1] > 0)]
    return accuracy, _difference(_balanced(found), _balanced(both))


def _accuracy(sums: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """`sums` (..., 4): clean and dirty pictures, and what B gained on them."""
    share: npt.NDArray[np.float64] = (sums[..., 2] + sums[..., 3]) / (sums[..., 0] + sums[..., 1])
    return share


def _balanced(sums: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    share: npt.NDArray[np.float64] = (sums[..., 2] / sums[..., 0] + sums[..., 3] / sums[..., 1]) / 2
    return share


def _difference(found: npt.NDArray[np.float64], drawn: npt.NDArray[np.float64]) -> Difference:
    low, high = np.percentile(drawn, [100 * ALPHA / 2, 100 * (1 - ALPHA / 2)])
    return Difference(value=float(found), low=float(low), high=float(high))
