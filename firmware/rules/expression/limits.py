"""Whether a limit can be crossed at all: one that cannot is a slip of the pen, mostly in the unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Range = tuple[float, float]
"""The least and the most that something can be, both included."""

NEVER: Mapping[str, Callable[[float, float, float], bool]] = {
    ">": lambda limit, _, most: limit >= most,
    ">=": lambda limit, _, most: limit > most,
    "<": lambda limit, least, _: limit <= least,
    "<=": lambda limit, least, _: limit < least,
    "==": lambda limit, least, most: not least <= limit <= most,
    "!=": lambda limit, least, most: limit == least == most,
}
OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}
TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
"""The sign where the sides change places."""


def foregone(sign: str, limit: float, of: Range) -> bool | None:
    """The answer of `value sign limit` where it is the same for every value in the range; None where it is not."""
    if NEVER[sign](limit, *of):
        return False
    return True if NEVER[OPPOSITE[sign]](limit, *of) else None
