"""How sure shares of right answers are where photos come in groups: these are drawn whole, as twins add no evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.training.evaluation.paired import Difference, Flags, Groups, bootstrap
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
    accuracy, balanced = _drawn(dirty, right, groups)
    recall, _ = _drawn(dirty[dirty], right[dirty], groups[dirty])
    return Intervals(
        groups=len(np.unique(groups)),
        accuracy=_told(accuracy),
        balanced_accuracy=_told(balanced),
        recall_dirty=_told(recall),
    )


def _drawn(dirty: Flags, right: Flags, groups: Groups) -> tuple[Difference | None, Difference | None]:
    """Of accuracy and balanced accuracy: as gained over a model that is never right."""
    numbers, group = np.unique(groups, return_inverse=True)
    return (None, None) if len(numbers) < FEWEST_GROUPS else bootstrap(dirty, right.astype(np.int64), group)


def _told(share: Difference | None) -> Difference | None:
    """None if every draw was alike."""
    return None if share is None or share.low == share.high else share
