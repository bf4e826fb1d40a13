"""PM2.5 of a Plantower sensor, corrected for humidity and smoke, as the US EPA does on its Fire and Smoke Map."""

from __future__ import annotations

from enum import Enum

RISE, PER_PERCENT, OFFSET = 0.524, 0.0862, 5.75  # Barkjohn, Gantt, Clements 2021, doi 10.5194/amt-14-4617-2021
HIGHEST_UG_M3 = 65535.0  # what a frame can hold


class Masses(Enum):
    """Which of a Plantower's two masses data 4 to 6 of its frame are. The manual says ATM; some batches differ."""

    ATM = "atm"
    CF_1 = "cf_1"


def corrected_ug_m3(raw_ug_m3: float, humidity_percent: float, masses: Masses = Masses.ATM) -> float | None:
    """What a reference instrument would show, 0 or more. None for what no sensor can have said."""
    if not 0 <= raw_ug_m3 <= HIGHEST_UG_M3 or not 0 <= humidity_percent <= 100:
        return None
    correct = _atm if masses is Masses.ATM else _cf_1
    return max(0.0, correct(raw_ug_m3, humidity_percent))


def _atm(raw: float, humidity: float) -> float:
    """The five pieces of October 2021, for "atmospheric" masses: AirNow Fire and Smoke Map, Questions and Answers."""
    if raw < 30:
        return RISE * raw - PER_PERCENT * humidity + OFFSET
    if raw < 50:
        return _mixed(RISE, 0.786, raw / 20 - 1.5) * raw - PER_PERCENT * humidity + OFFSET
    if raw < 210:
        return 0.786 * raw - PER_PERCENT * humidity + OFFSET
    smoke = 8.84e-4 * raw**2 + 0.69 * raw + 2.966
    if raw < 260:
        return _mixed(0.786 * raw - PER_PERCENT * humidity + OFFSET, smoke, raw / 50 - 4.2)
    return smoke


def _cf_1(raw: float, humidity: float) -> float:
    """The three pieces for CF=1 masses: Barkjohn, Holder, Frederick, Clements 2022, doi 10.3390/s22249669.

    Their share of smoke, 0.0244 raw - 13.9, is 0 at 570 and 1 at 611 but for its rounding. From a secondary source.
    """
    usual = RISE * raw - PER_PERCENT * humidity + OFFSET
    smoke = 4.21e-4 * raw**2 + 0.392 * raw + 3.44
    return _mixed(usual, smoke, min(1.0, max(0.0, (raw - 570) / 41)))


def _mixed(lower: float, upper: float, share: float) -> float:
    return (1 - share) * lower + share * upper
