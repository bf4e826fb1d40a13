"""A small board for tests of what is derived on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drivers.types import Quality, Quantity, Reading, SourceId
from firmware.derived.pm_correction import Masses
from firmware.derived.wiring import Wiring
from model.types import Degree, Verdict
from tests.builders import reading, verdict

GAS, PM, WALL, FILTER, UPSTREAM, FAN = (
    SourceId(name) for name in ("duct-gas", "duct-pm", "wall", "filter", "upstream", "fan")
)
AIR = (Quantity.TEMPERATURE, Quantity.HUMIDITY, Quantity.GAS_RESISTANCE)
DUST = (Quantity.PM2_5, Quantity.PM10)
MEASURED: Mapping[SourceId, Sequence[Quantity]] = {GAS: AIR, PM: DUST}


def wiring(**changes: Any) -> Wiring:
    """A gas sensor, a Plantower and a camera."""
    usual: dict[str, Any] = {
        "measured": MEASURED,
        "cameras": (UPSTREAM,),
        "climate": GAS,
        "surface": None,
        "plantower": frozenset({PM}),
        "masses": Masses.ATM,
        "pressure_drop": None,
        "limit_g_m2": 3.0,
    }
    return Wiring(**{**usual, **changes})


def air(
    temperature_cel: float, humidity_percent: float, second: float, *, quality: Quality = Quality.GOOD
) -> tuple[Reading, Reading]:
    return (
        reading(temperature_cel, source=GAS, quantity=Quantity.TEMPERATURE, taken_s=second, quality=quality),
        reading(humidity_percent, source=GAS, quantity=Quantity.HUMIDITY, taken_s=second, quality=quality),
    )


def resistance(ohm: float, second: float) -> Reading:
    return reading(ohm, source=GAS, quantity=Quantity.GAS_RESISTANCE, taken_s=second)


def dust(pm2_5: float, pm10: float, second: float) -> tuple[Reading, Reading]:
    return (
        reading(pm2_5, source=PM, quantity=Quantity.PM2_5, taken_s=second),
        reading(pm10, source=PM, quantity=Quantity.PM10, taken_s=second),
    )


def deposit(g_m2: float, second: float) -> Verdict:
    return verdict(source=UPSTREAM, taken_s=second, degree=Degree(g_m2, g_m2 / 2, g_m2 * 2))
