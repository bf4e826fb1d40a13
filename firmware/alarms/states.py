"""The states of an alarm after ISA-18.2, as one table."""

from __future__ import annotations

from enum import Enum


class AlarmState(Enum):
    """`LATCHED_…`: the condition has returned to normal, and the alarm stays until somebody resets it.

    An alarm whose on-delay runs is NORMAL: nobody is told before the delay is over.
    """

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"


class AlarmEvent(Enum):
    RAISE = "raise"  # the condition holds, and has for its on-delay
    RETURN = "return"  # the condition is over, and has been for its off-delay
    RETURN_LATCHED = "return_latched"  # the same, for an alarm that latches
    ACKNOWLEDGE = "acknowledge"  # a human has seen it
    RESET = "reset"  # a human says that it is mended
    RETIRE = "retire"  # its rule or its device is no longer configured
    RESUME = "resume"  # the firmware started anew: it stands as it did before


S, E = AlarmState, AlarmEvent

NEXT: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (S.NORMAL, E.RAISE): S.UNACKNOWLEDGED,
    (S.UNACKNOWLEDGED, E.ACKNOWLEDGE): S.ACKNOWLEDGED,
    (S.UNACKNOWLEDGED, E.RETURN): S.RETURNED_UNACKNOWLEDGED,
    (S.UNACKNOWLEDGED, E.RETURN_LATCHED): S.LATCHED_UNACKNOWLEDGED,
    (S.UNACKNOWLEDGED, E.RETIRE): S.NORMAL,
    (S.UNACKNOWLEDGED, E.RESUME): S.UNACKNOWLEDGED,
    (S.ACKNOWLEDGED, E.RETURN): S.NORMAL,
    (S.ACKNOWLEDGED, E.RETURN_LATCHED): S.LATCHED_ACKNOWLEDGED,
    (S.ACKNOWLEDGED, E.RETIRE): S.NORMAL,
    (S.ACKNOWLEDGED, E.RESUME): S.ACKNOWLEDGED,
    (S.RETURNED_UNACKNOWLEDGED, E.RAISE): S.UNACKNOWLEDGED,
    (S.RETURNED_UNACKNOWLEDGED, E.ACKNOWLEDGE): S.NORMAL,
    (S.RETURNED_UNACKNOWLEDGED, E.RETIRE): S.NORMAL,
    (S.RETURNED_UNACKNOWLEDGED, E.RESUME): S.RETURNED_UNACKNOWLEDGED,
    (S.LATCHED_UNACKNOWLEDGED, E.RAISE): S.UNACKNOWLEDGED,
    (S.LATCHED_UNACKNOWLEDGED, E.ACKNOWLEDGE): S.LATCHED_ACKNOWLEDGED,
    (S.LATCHED_UNACKNOWLEDGED, E.RESET): S.NORMAL,
    (S.LATCHED_UNACKNOWLEDGED, E.RETIRE): S.NORMAL,
    (S.LATCHED_UNACKNOWLEDGED, E.RESUME): S.LATCHED_UNACKNOWLEDGED,
    (S.LATCHED_ACKNOWLEDGED, E.RAISE): S.UNACKNOWLEDGED,
    (S.LATCHED_ACKNOWLEDGED, E.RESET): S.NORMAL,
    (S.LATCHED_ACKNOWLEDGED, E.RETIRE): S.NORMAL,
    (S.LATCHED_ACKNOWLEDGED, E.RESUME): S.LATCHED_ACKNOWLEDGED,
}
"""A pair that is not here is a move that the alarm cannot make."""

RAISED = {S.UNACKNOWLEDGED, S.ACKNOWLEDGED}
"""States in which the condition holds."""

ACTIVE = RAISED | {S.LATCHED_UNACKNOWLEDGED, S.LATCHED_ACKNOWLEDGED}
"""States in which relay and lamp stay on."""

UNSEEN = {S.UNACKNOWLEDGED, S.RETURNED_UNACKNOWLEDGED, S.LATCHED_UNACKNOWLEDGED}
"""States that wait for a human to acknowledge: the buzzer stays on."""
