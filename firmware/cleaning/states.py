"""The states of a cleaning, as one table."""

from __future__ import annotations

from enum import Enum


class CleaningState(Enum):
    """Alarms that cleaning makes meaningless are suppressed in all states but IDLE."""

    IDLE = "idle"
    CLEANING = "cleaning"
    VERIFYING = "verifying"  # somebody says that it is done: snapshots are taken to see whether it is


class CleaningEvent(Enum):
    START = "start"  # somebody begins to clean, or goes on after a look at what the cameras say
    FINISH = "finish"  # they say that it is done
    VERIFY = "verify"  # enough snapshots in a row show a clean duct
    GIVE_UP = "give_up"  # too many snapshots were taken without that
    CANCEL = "cancel"  # somebody says that it was no cleaning
    ABANDON = "abandon"  # nobody said anything for so long that it must have been forgotten


S, E = CleaningState, CleaningEvent

NEXT: dict[tuple[CleaningState, CleaningEvent], CleaningState] = {
    (S.IDLE, E.START): S.CLEANING,
    (S.CLEANING, E.FINISH): S.VERIFYING,
    (S.CLEANING, E.CANCEL): S.IDLE,
    (S.CLEANING, E.ABANDON): S.IDLE,
    (S.VERIFYING, E.START): S.CLEANING,
    (S.VERIFYING, E.VERIFY): S.IDLE,
    (S.VERIFYING, E.GIVE_UP): S.IDLE,
    (S.VERIFYING, E.CANCEL): S.IDLE,
    (S.VERIFYING, E.ABANDON): S.IDLE,
}
"""A pair that is not here is a move that a cleaning cannot make."""

REPORTED = {E.VERIFY, E.GIVE_UP, E.ABANDON}
"""How a cleaning ends that a report is written of."""
