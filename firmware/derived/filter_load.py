"""How far a filter is used up, by its pressure drop."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PressureDrop:
    """Of the filter when it is clean, and when it must go, at the air flow of this plant: its data sheet, EN ISO 16890.

    Raises ValueError unless 0 <= clean < final.
    """

    clean_pa: float
    final_pa: float

    def __post_init__(self) -> None:
        if not 0 <= self.clean_pa < self.final_pa < math.inf:
            raise ValueError(f"clean_pa must be 0 or more and below final_pa, not {self.clean_pa:g}, {self.final_pa:g}")


def load_percent(drop_pa: float, of: PressureDrop) -> float | None:
    """0 is as good as new, 100 is due. Below 0 less air flows than was meant, or some flows past the filter.

    At another air flow the drop is another one too: compare only what was measured with the fan at one speed.
    """
    if not math.isfinite(drop_pa):
        return None
    return 100 * (drop_pa - of.clean_pa) / (of.final_pa - of.clean_pa)
