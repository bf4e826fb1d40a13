"""Humid air: saturation, dew point, absolute humidity. Equations of ASHRAE, Fundamentals 2017, chapter 1."""

from __future__ import annotations

import math

ZERO_K = 273.15
TRIPLE_POINT_CEL = 0.01  # below it equation 5 (over ice), above it equation 6 (over water)
LOWEST_CEL, HIGHEST_CEL = -100.0, 200.0  # where equations 5 and 6 hold
HALVINGS = 40  # of at most 300 K: far finer than any sensor
VAPOUR_J_KG_K = 461.524  # gas constant of water vapour: 8314.472 / 18.015268


def saturation_pa(temperature_cel: float) -> float:
    """Vapour pressure of air that holds all the water it can. Raises ValueError outside -100 to 200 Cel."""
    if not LOWEST_CEL <= temperature_cel <= HIGHEST_CEL:
        raise ValueError(f"{temperature_cel} Cel: outside {LOWEST_CEL:g} to {HIGHEST_CEL:g} Cel")
    t = temperature_cel + ZERO_K
    if temperature_cel <= TRIPLE_POINT_CEL:
        over_ice = -9.677843e-3 + t * (6.2215701e-7 + t * (2.0747825e-9 - 9.484024e-13 * t))
        return math.exp(-5.6745359e3 / t + 6.3925247 + t * over_ice + 4.1635019 * math.log(t))
    over_water = -4.8640239e-2 + t * (4.1764768e-5 - 1.4452093e-8 * t)
    return math.exp(-5.8002206e3 / t + 1.3914993 + t * over_water + 6.5459673 * math.log(t))


def dew_point_cel(temperature_cel: float, humidity_percent: float) -> float | None:
    """Where this air would begin to give up water, by dew or (below 0 Cel) by frost; never above the temperature.

    None for air that is dry to below -100 Cel, and for what is no temperature or humidity of air.
    """
    if not LOWEST_CEL <= temperature_cel <= HIGHEST_CEL or not 0 < humidity_percent <= 100:
        return None
    vapour_pa = saturation_pa(temperature_cel) * humidity_percent / 100
    low, high = LOWEST_CEL, temperature_cel
    if vapour_pa < saturation_pa(low):
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if saturation_pa(middle) < vapour_pa else (low, middle)
    return high


def absolute_humidity_g_m3(temperature_cel: float, humidity_percent: float) -> float | None:
    """Water in a cubic metre of air, by the ideal gas law. None for what is no temperature or humidity of air."""
    if not LOWEST_CEL <= temperature_cel <= HIGHEST_CEL or not 0 <= humidity_percent <= 100:
        return None
    vapour_pa = saturation_pa(temperature_cel) * humidity_percent / 100
    return 1000 * vapour_pa / (VAPOUR_J_KG_K * (temperature_cel + ZERO_K))
