"""How much more gas there is than usual, from one metal oxide sensor's resistance against its own past.

No air quality in any official sense, and no ppm: a sensor's resistance means nothing beside another sensor's. The
usual is a regression of ln(R) over absolute humidity, which forgets: a straight line with five numbers to remember.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from drivers.types import NS_PER_S, Instant

FORGET_S = 4 * 86_400.0  # how far back the usual reaches: weeks of drift are followed, hours of gas are not
LEARN_S = 48 * 3600.0  # a new sensor settles in 48 h (Bosch, BST-BME680-DS001, gas sensor: burn-in)
LONGEST_STEP_S = 900.0  # a gap between two readings counts for no more
SPREAD_G_M3 = 1.0  # humidity must have varied by about this before it explains anything
SUDDEN = 0.3  # in ln(R): once it has learned, what lies further off than this pulls the usual no harder
FURTHEST = 3.0  # in ln(R): the index ends at 2009 and 5


@dataclass(slots=True)
class GasBaseline:
    """What is usual for one sensor. Times are seconds of good readings; sums are weighted by them.

    Raises ValueError for a state that cannot be.
    """

    weight_s: float = 0.0
    humidity: float = 0.0  # weighted means, g/m3 and ln(Ohm)
    ln_ohm: float = 0.0
    humidity_squares: float = 0.0  # weighted sums around the means
    products: float = 0.0
    learned_s: float = 0.0
    last_at: Instant | None = None

    def __post_init__(self) -> None:
        if min(self.weight_s, self.humidity_squares, self.learned_s) < 0:
            raise ValueError("a baseline that no feeding leads to")

    @property
    def learning(self) -> bool:
        return self.learned_s < LEARN_S

    def feed(self, ohm: float, humidity_g_m3: float, at: Instant) -> float | None:
        """The index of this reading: 100 as usual, 200 where the resistance is half of that. None for no resistance."""
        if not 0 < ohm < math.inf or not 0 <= humidity_g_m3 < math.inf:
            return None
        ln_ohm = math.log(ohm)
        off = ln_ohm - self._usual(humidity_g_m3) if self.weight_s else 0.0
        step_s = 0.0 if self.last_at is None else (at - self.last_at) / NS_PER_S
        if step_s >= 0:
            self.last_at = at
        self._learn(ln_ohm if self.learning else ln_ohm - off + _within(off, SUDDEN), humidity_g_m3, step_s)
        return 100 * math.exp(_within(-off, FURTHEST))

    def moved(self, by_ns: int) -> None:
        """Go on on a clock that shows `by_ns` more."""
        if self.last_at is not None:
            self.last_at = Instant(self.last_at + by_ns)

    def _usual(self, humidity_g_m3: float) -> float:
        """Ridge regression: where humidity has hardly varied the slope is near 0, instead of anything."""
        slope = self.products / (self.humidity_squares + self.weight_s * SPREAD_G_M3**2)
        return self.ln_ohm + slope * (humidity_g_m3 - self.humidity)

    def _learn(self, ln_ohm: float, humidity_g_m3: float, step_s: float) -> None:
        step_s = min(LONGEST_STEP_S, max(0.0, step_s)) if self.weight_s else 1.0
        kept = math.exp(-step_s / FORGET_S)
        self.weight_s = kept * self.weight_s + step_s
        share = step_s / self.weight_s
        humidity_off, ln_off = humidity_g_m3 - self.humidity, ln_ohm - self.ln_ohm
        self.humidity += share * humidity_off
        self.ln_ohm += share * ln_off
        self.humidity_squares = kept * self.humidity_squares + step_s * humidity_off * (humidity_g_m3 - self.humidity)
        self.products = kept * self.products + step_s * humidity_off * (ln_ohm - self.ln_ohm)
        self.learned_s = min(LEARN_S, self.learned_s + step_s)


def _within(value: float, bound: float) -> float:
    return min(bound, max(-bound, value))
