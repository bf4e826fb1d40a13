"""Whether the cameras of a board say the same of the duct: no verdict is changed, a disagreement is only reported."""

from __future__ import annotations

from collections.abc import Collection

from drivers.types import Quantity, Reading, SourceId
from firmware.observations import BOARD
from model.types import Label, Verdict


def disagree(verdicts: Collection[Verdict]) -> bool | None:
    """One camera says CLEAN and another DIRTY. None where that is unknown: one cannot tell, or there is only one."""
    labels = {verdict.label for verdict in verdicts}
    if len(verdicts) < 2 or Label.CANNOT_TELL in labels:
        return None
    return len(labels) > 1


class Agreement:
    """Gathers the verdicts of one snapshot until each camera has spoken."""

    def __init__(self, cameras: int, *, within_ns: int) -> None:
        """Pictures taken within `within_ns` of each other are of one snapshot."""
        self._cameras = cameras
        self._within_ns = within_ns
        self._told: dict[SourceId, Verdict] = {}  # by now, of this snapshot

    def feed(self, verdict: Verdict) -> Reading | None:
        """The signal `disagree`, 0 or 1, with the snapshot's last verdict; None before that, or where it is unknown."""
        kept = {source: one for source, one in self._told.items() if verdict.at - one.at <= self._within_ns}
        self._told = {**kept, verdict.source: verdict}
        if len(self._told) < self._cameras:
            return None
        found = disagree(self._told.values())
        self._told = {}
        return None if found is None else _reading(found, verdict)


def _reading(found: bool, last: Verdict) -> Reading:
    return Reading(source=BOARD, quantity=Quantity.DISAGREE, value=float(found), at=last.at)
