"""From a score to the deposit that it stands for, as the model's table was fitted to pictures of known deposit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from model.manifest import DegreePoint
from model.types import Degree


def degree_of(score: float, table: Sequence[DegreePoint] | None) -> Degree | None:
    """The estimate at `score`, 0 to 1: between two points a straight line over the logarithm of the grams.

    Beyond the first and the last point nothing is known, so that theirs holds. None without a table.
    """
    if table is None:
        return None
    above = bisect_right(table, score, key=lambda point: point.score)
    lower, upper = table[max(above - 1, 0)], table[min(above, len(table) - 1)]
    share = (score - lower.score) / (upper.score - lower.score) if upper.score > lower.score else 0.0
    return Degree(
        _between(lower.g_m2, upper.g_m2, share),
        _between(lower.low_g_m2, upper.low_g_m2, share),
        _between(lower.high_g_m2, upper.high_g_m2, share),
    )


def two_digits(g_m2: float) -> str:
    """As people read it: no estimate is better than that."""
    return f"{float(f'{g_m2:.1e}'):g}"


def _between(lower: float, upper: float, share: float) -> float:
    return lower if lower == upper else lower ** (1 - share) * upper**share
