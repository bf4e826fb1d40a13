"""How sure shares of right answers are where photos come in groups: these are drawn whole, as twins add no evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.training.evaluation.paired import Comparison, Difference, Flags, Groups, compare
from model.training.evaluation.scores import Scored

FEWEST_GROUPS: Final = 20
"""Of fewer, such intervals are far too narrow: "few" begins at 20 to 50 (Cameron and Miller 2015, J. Human Resources
50:317)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Shares 0..1 by the forced answer with their 95 % intervals. None where drawing does not tell: of fewer groups
    than `FEWEST_GROUPS`, of one class where it takes both, or where all answers are right, or all wrong."""

    groups: int
    accuracy: Difference | None
    balanced_accuracy: Difference | None
    recall_dirty: Difference | None


def intervals(scored: Sequence[Scored], groups: Groups, threshold: float) -> Intervals:
    """`groups` (n,): a number for each answer, the same for twins and for answers to the same photo."""
    dirty = np.array([each.dirty for each in scored], bool)
    right = np.array([each.is_right(threshold) for each in scored], bool)
    of_all, of_dirty = _drawn(dirty, right, groups), _drawn(dirty[dirty], right[dirty], groups[dirty])
    return Intervals(
        groups=len(np.unique(groups)),
        accuracy=_told(of_all.accuracy if of_all else None),
        balanced_accuracy=_told(of_all.balanced_accuracy if of_all else None),
        recall_dirty=_told(of_dirty.accuracy if of_dirty else None),
    )


def _drawn(dirty: Flags, right: Flags, groups: Groups) -> Comparison | None:
    """Against a model that is never right: what is gained over it is the share itself."""
    if len(np.unique(groups)) < FEWEST_GROUPS:
        return None
    return compare(dirty, np.zeros_like(right), right, groups)


def _told(share: Difference | None) -> Difference | None:
    """None if every draw was alike."""
    return None if share is None or share.low == share.high else share
