"""Values over time in few characters, as rules are tested with: `10x30 10+2x5 _x5 ?`."""

from __future__ import annotations

import re
from enum import Enum

MOST_VALUES = 1_000_000  # of one series: eleven days at one a second

PART = re.compile(
    r"(?P<value>_|\?|[+-]?\d{1,12}(?:\.\d{1,12})?)(?P<step>[+-]\d{1,12}(?:\.\d{1,12})?)?(?:x(?P<times>\d{1,7}))?"
)


class Silence(Enum):
    """Nothing is said: another thing than a value that is said to be unknown."""

    SILENCE = "_"


Said = float | None | Silence
"""A value, None for one that is unknown, or nothing."""


def expand(text: str) -> list[Said]:
    """`10x3` is 10 three times; `10+2x3` is 10, 12 and 14; `_` is nothing said, `?` is said to be unknown.

    Raises ValueError that names the part which is none of this, or if there are more than `MOST_VALUES`.
    """
    values: list[Said] = []
    for part in text.split():
        match = PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part[:40]!r}: write 10x30 for thirty tens, 10+2x5 for 10 12 14 16 18, _x5 or ?x5")
        value, step, times = match["value"], match["step"], int(match["times"] or 1)
        if len(values) + times > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values")
        if value in "_?":
            if step:
                raise ValueError(f"{part!r}: what is not known cannot grow")
            values += [Silence.SILENCE if value == "_" else None] * times
        else:
            values += [float(value) + float(step or 0) * number for number in range(times)]
    return values
