"""The US EPA's Air Quality Index, breakpoints of May 2024: an outdoor convention, in a duct context and not law.

EPA-454/B-24-002, "Technical Assistance Document for the Reporting of Daily Air Quality"; 40 CFR 58, appendix G.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

INDEX = ((0, 50), (51, 100), (101, 150), (151, 200), (201, 300), (301, 500))
HIGHEST_UG_M3 = 1e6


@dataclass(frozen=True, slots=True)
class Scale:
    """`last` holds the last concentration of each category; the next begins one `step` above it."""

    last: Sequence[float]
    step: float


PM2_5 = Scale((9.0, 35.4, 55.4, 125.4, 225.4, 325.4), 0.1)
PM10 = Scale((54, 154, 254, 354, 424, 604), 1)


def index(ug_m3: float, scale: Scale) -> int | None:
    """The index of a NowCast, or of a day's mean. None for what is no concentration.

    The concentration is truncated to the scale's step and the index rounded. Beyond 500 the line of the last category
    goes on.
    """
    if not 0 <= ug_m3 <= HIGHEST_UG_M3:
        return None
    steps = math.floor(ug_m3 / scale.step + 1e-6)  # 8.2 / 0.1 is 81.99...
    concentration = steps * scale.step
    category = next((n for n, last in enumerate(scale.last) if steps <= round(last / scale.step)), len(INDEX) - 1)
    low = 0.0 if category == 0 else scale.last[category - 1] + scale.step
    low_index, high_index = INDEX[category]
    share = (concentration - low) / (scale.last[category] - low)
    return math.floor(low_index + share * (high_index - low_index) + 0.5)
