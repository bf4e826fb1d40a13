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
    RETURN_UNTOLD = "return_untold"  # the condition is over, and nobody was told that it ever held
    RE_ALARM = "re_alarm"  # acknowledged long ago, and nothing was done: it asks for attention again
    RETIRE = "retire"  # its rule or its device is no longer configured
    RESUME = "resume"  # the firmware started anew: it stands as it did before
    SHELVE = "shelve"  # an operator does not want to be told for a while
    UNSHELVE = "unshelve"  # that while is over, or an operator ends it
    SUPPRESS = "suppress"  # the plant is in a state in which the alarm means nothing: `suppress_when`
    UNSUPPRESS = "unsuppress"  # it is not in that state any more
    TAKE_OUT_OF_SERVICE = "take_out_of_service"  # an operator works on it
    RETURN_TO_SERVICE = "return_to_service"  # the work is done


class Withheld(Enum):
    """Why nobody is told. The alarm goes on behind it: its states are those above, and it is told when this ends."""

    SHELVED = "shelved"
    SUPPRESSED = "suppressed"  # by design
    OUT_OF_SERVICE = "out_of_service"


S, E = AlarmState, AlarmEvent

NEXT: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (S.NORMAL, E.RAISE): S.UNACKNOWLEDGED,
    (S.UNACKNOWLEDGED, E.ACKNOWLEDGE): S.ACKNOWLEDGED,
    (S.UNACKNOWLEDGED, E.RETURN): S.RETURNED_UNACKNOWLEDGED,
    (S.UNACKNOWLEDGED, E.RETURN_LATCHED): S.LATCHED_UNACKNOWLEDGED,
    (S.UNACKNOWLEDGED, E.RETURN_UNTOLD): S.NORMAL,
    (S.UNACKNOWLEDGED, E.RETIRE): S.NORMAL,
    (S.UNACKNOWLEDGED, E.RESUME): S.UNACKNOWLEDGED,
    (S.ACKNOWLEDGED, E.RETURN): S.NORMAL,
    (S.ACKNOWLEDGED, E.RETURN_LATCHED): S.LATCHED_ACKNOWLEDGED,
    (S.ACKNOWLEDGED, E.RE_ALARM): S.UNACKNOWLEDGED,
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
    (S.LATCHED_ACKNOWLEDGED, E.RE_ALARM): S.LATCHED_UNACKNOWLEDGED,
    (S.LATCHED_ACKNOWLEDGED, E.RETIRE): S.NORMAL,
    (S.LATCHED_ACKNOWLEDGED, E.RESUME): S.LATCHED_ACKNOWLEDGED,
}
"""A pair that is not here is a move that the alarm cannot make."""

WITHHOLDS: dict[AlarmEvent, Withheld] = {
    E.SHELVE: Withheld.SHELVED,
    E.SUPPRESS: Withheld.SUPPRESSED,
    E.TAKE_OUT_OF_SERVICE: Withheld.OUT_OF_SERVICE,
}
TELLS_AGAIN: dict[AlarmEvent, Withheld] = {
    E.UNSHELVE: Withheld.SHELVED,
    E.UNSUPPRESS: Withheld.SUPPRESSED,
    E.RETURN_TO_SERVICE: Withheld.OUT_OF_SERVICE,
}
"""What begins and ends the withholding, in every state of the alarm, which it leaves as it is."""

RAISED = {S.UNACKNOWLEDGED, S.ACKNOWLEDGED}
"""States in which the condition holds."""

ACTIVE = RAISED | {S.LATCHED_UNACKNOWLEDGED, S.LATCHED_ACKNOWLEDGED}
"""States in which relay and lamp stay on."""

UNSEEN = {S.UNACKNOWLEDGED, S.RETURNED_UNACKNOWLEDGED, S.LATCHED_UNACKNOWLEDGED}
"""States that wait for a human to acknowledge: the buzzer stays on."""
