"""From judgements of single snapshots to a verdict that does not flicker."""

from __future__ import annotations

from collections import deque

from model.types import Judgement, Label, Reason

OF_THE_SCORE = {Reason.UNSURE, Reason.UNSETTLED}


class Smoothing:
    """Of the last `of` snapshots of one camera, `needed` must agree.

    A picture that is unfit to judge says so at once, whatever was seen before: a dead LED or a covered lens is never
    CLEAN by yesterday's votes. It still takes its place among the last `of`, as a vote for nothing.
    """

    def __init__(self, *, needed: int, of: int) -> None:
        if not of >= needed > of / 2:
            raise ValueError(f"{needed} of {of} snapshots is not a majority: choose more than half, and at most all")
        self._needed = needed
        self._last: deque[Label] = deque(maxlen=of)

    def feed(self, judgement: Judgement) -> tuple[Label, tuple[Reason, ...]]:
        """Return the label and the reasons of the verdict after this judgement."""
        self._last.append(judgement.label)
        if judgement.label is Label.CANNOT_TELL and not OF_THE_SCORE.issuperset(judgement.reasons):
            return Label.CANNOT_TELL, judgement.reasons
        for label in (Label.DIRTY, Label.CLEAN):
            if self._last.count(label) >= self._needed:
                return label, ()
        return Label.CANNOT_TELL, judgement.reasons or (Reason.UNSETTLED,)
