"""Expressions that are accepted, with their answers for these values; and what of the language is not CEL."""

from __future__ import annotations

from dataclasses import dataclass

from firmware.rules.expression.compile import Condition
from firmware.rules.expression.tree import SignalRef

BOARD = {
    "pm2_5": 40.0,
    "pm10": 60.0,
    "humidity": 55.0,
    "temperature": -3.5,
    "dirty_score": 0.3,
    "fan_running": 1.0,
    "restarts": 3.0,
}
DEVICES = {"duct-pm": {"pm2_5": 12.0, "pm10": 20.0}, "duct gas": {"temperature": 30.0}}

ACCEPTED = [
    ("pm2_5 > 35.4", True),
    ("pm2_5 > 40.0", False),
    ("pm2_5 >= 40.0", True),
    ("pm2_5 < 40.0", False),
    ("pm2_5 <= 40.0", True),
    ("pm2_5 == 40.0", True),
    ("pm2_5 != 40.0", False),
    ("pm2_5 > 35", True),
    ("pm2_5 == 40", True),
    ("35 < pm2_5", True),
    ("pm2_5 > .5", True),
    ("pm2_5 > 3.54e1", True),
    ("pm2_5 > 3E1", True),
    ("temperature < -3", True),
    ("temperature < - 3.0", True),
    ("temperature == -(1.0 + 2.5)", True),
    ("-temperature == 3.5", True),
    ("--temperature == -3.5", True),
    ("pm2_5 + pm10 == 100.0", True),
    ("pm10 - pm2_5 - 5.0 == 15.0", True),
    ("pm10 - (pm2_5 - 5.0) == 25.0", True),
    ("pm2_5 - -5.0 == 45.0", True),
    ("pm2_5 + 2.0 * 3.0 == 46.0", True),
    ("(pm2_5 + 2.0) * 3.0 == 126.0", True),
    ("pm10 / pm2_5 == 1.5", True),
    ("pm10 / 2.0 / 3.0 == 10.0", True),
    ("pm2_5 / pm10 > 0.5 + 0.1", True),
    ("0.524 * pm2_5 - 0.1 > 20.0", True),
    ("pm2_5 * pm2_5 > 1599", True),
    ("pm2_5 > 70 / 2", True),
    ("1 / 2 == 0 && pm2_5 > 0", True),
    ("-7 / 2 == -3 && pm2_5 > 0", True),
    ("(fan_running == 1.0 ? 7 : 8) / -2 == -3", True),
    ("(fan_running == 1.0 ? 7 : 8) + 2 * 3 == 13", True),
    ("-(fan_running == 1.0 ? 7 : 8) - 1 < 0", True),
    ("pm2_5 > 35.0 && humidity > 70.0 || dirty_score > 0.8", False),
    ("pm2_5 > 35.0 || humidity > 70.0 && dirty_score > 0.8", True),
    ("(pm2_5 > 35.0 || humidity > 70.0) && dirty_score > 0.8", False),
    ("pm2_5 > 1.0 && pm2_5 > 2.0 && pm2_5 > 3.0 && pm2_5 > 41.0", False),
    ("pm2_5 > 51.0 || pm2_5 > 52.0 || pm2_5 > 53.0 || pm2_5 > 1.0", True),
    ("!(pm2_5 > 35.0)", False),
    ("!!(pm2_5 > 35.0)", True),
    ("(pm2_5 > 35.0) == (humidity > 70.0)", False),
    ("pm2_5 > 35.0 != true", False),
    ("true && pm2_5 > 35.0", True),
    ("false || pm2_5 > 35.0", True),
    ("fan_running in [0, 1]", True),
    ("restarts in [1, 2.0, 4]", False),
    ("pm10 / 2.0 in [-1, 30]", True),
    ("fan_running == 1.0 ? pm2_5 > 35.0 : pm2_5 > 100.0", True),
    ("pm2_5 > (fan_running == 0.0 ? 35.0 : 100.0)", False),
    ("fan_running == 0.0 ? true : restarts > 5 ? true : pm2_5 > 35.0", True),
    ('of["duct-pm"].pm2_5 < pm2_5', True),
    ("of['duct gas'].temperature - temperature > 30.0", True),
    ("pm2_5 > 35.0 // the limit of the EPA\n\t&& // and\r\n humidity < 60.0", True),
    ('pm2_5 > amount(35.4, "ug/m3")', True),
    ('pm2_5 > amount(35, "ug/m3")', True),
    ('amount(-4.0, "Cel") < temperature', True),
    ('pm2_5 - amount(1.0, "ug/m3/%RH") * humidity < 0.0', True),
    ('dirty_score > amount(0.2, "1")', True),
]
"""The answer is that of CEL too, where `amount(number, unit)` is a function that returns its number."""


@dataclass(frozen=True)
class Outside:
    """An expression that CEL answers otherwise: `cel` is its answer, or the type of its error."""

    text: str
    ours: bool | None
    cel: bool | type[Exception]
    reason: str


OUTSIDE = [
    Outside("pm2_5 / (pm10 - 60.0) > 1.0", None, True, "division by zero is unknown, and infinity in CEL"),
    Outside("(pm10 - 60.0) / (pm10 - 60.0) == 1.0", None, False, "zero by zero is unknown, and NaN in CEL"),
    Outside("pm2_5 * 1e308 > 1.0", None, True, "overflow of a double is unknown, and infinity in CEL"),
    Outside("1 / (fan_running == 1.0 ? 0 : 1) == 1", None, ZeroDivisionError, "an error of ints is unknown"),
    Outside(
        "9223372036854775807 + (fan_running == 1.0 ? 1 : 0) > 0", None, OverflowError, "an error of ints is unknown"
    ),
    Outside(
        "-((fan_running == 1.0 ? 1 : 0) - 9223372036854775807 - 2) > 0", None, False, "an error of ints is unknown"
    ),
    Outside("count(pm2_5, 10m) > 3", None, ValueError, "windows, with bare durations"),
    Outside("age(pm2_5) > 3", None, RuntimeError, "the function age"),
]


def board_value(ref: SignalRef) -> float:
    return BOARD[ref.signal] if ref.device is None else DEVICES[ref.device][ref.signal]


def answer(condition: Condition) -> bool | None:
    """With the values above, and every window unknown."""
    return condition.ask([*map(board_value, condition.signals), *[None] * len(condition.windows)])
