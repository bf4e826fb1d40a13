"""What drivers hand to the rest of the board: readings and frames, with their unit, place and time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

Instant = NewType("Instant", int)
"""Nanoseconds on the duct's clock (`drivers.clock.Clock`): CLOCK_MONOTONIC on a board,
simulated time on the simulated board. Never wall time, which may jump by years."""

SourceId = NewType("SourceId", str)
"""The configured name of the device that something comes from, such as `duct-gas`."""

NS_PER_S = 1_000_000_000


class Quantity(Enum):
    """What is measured or derived, and its one unit. Names and units follow SenML (RFC 8428, RFC 8798). It has none
    for a deposit, its rate and days: g/m2, g/m2/d and d are written as UCUM writes them.
    """

    TEMPERATURE = ("temperature", "Cel")
    HUMIDITY = ("humidity", "%RH")
    PRESSURE = ("pressure", "hPa")
    GAS_RESISTANCE = ("gas_resistance", "Ohm")
    PM1 = ("pm1", "ug/m3")
    PM2_5 = ("pm2_5", "ug/m3")
    PM4 = ("pm4", "ug/m3")
    PM10 = ("pm10", "ug/m3")
    COUNT_0_3 = ("count_0_3", "1/dl")
    COUNT_0_5 = ("count_0_5", "1/dl")
    COUNT_1_0 = ("count_1_0", "1/dl")
    COUNT_2_5 = ("count_2_5", "1/dl")
    COUNT_5_0 = ("count_5_0", "1/dl")
    COUNT_10 = ("count_10", "1/dl")
    FAN_RUNNING = ("fan_running", "1")
    CPU_TEMPERATURE = ("cpu_temperature", "Cel")
    CPU_LOAD = ("cpu_load", "1")
    MEMORY_USED = ("memory_used", "%")
    DISK_USED = ("disk_used", "%")
    CLOCK_SYNCHRONISED = ("clock_synchronised", "1")
    RESIDENT = ("resident", "By")
    RESTARTS = ("restarts", "1")
    DROPPED = ("dropped", "1")
    OVERWRITTEN = ("overwritten", "1")
    ALIVE = ("alive", "1")
    DIRTY_SCORE = ("dirty_score", "1")
    ESTIMATED_DEPOSIT = ("estimated_deposit", "g/m2")
    BLIND = ("blind", "1")
    MOVED = ("moved", "1")
    DISAGREE = ("disagree", "1")
    CLEANING = ("cleaning", "1")
    BUDGET_MISSED = ("budget_missed", "1")
    DIFFERENTIAL_PRESSURE = ("differential_pressure", "Pa")
    PM2_5_CORRECTED = ("pm2_5_corrected", "ug/m3")
    NOWCAST_PM2_5 = ("nowcast_pm2_5", "ug/m3")
    NOWCAST_PM10 = ("nowcast_pm10", "ug/m3")
    AQI = ("aqi", "1")
    DEW_POINT = ("dew_point", "Cel")
    CONDENSATION_MARGIN = ("condensation_margin", "K")
    GAS_INDEX = ("gas_index", "1")
    MOULD_INDEX = ("mould_index", "1")
    FILTER_LOAD = ("filter_load", "%")
    DIRT_RATE = ("dirt_rate", "g/m2/d")
    DAYS_TO_LIMIT = ("days_to_limit", "d")
    DAYS_TO_LIMIT_LOW = ("days_to_limit_low", "d")
    DAYS_TO_LIMIT_HIGH = ("days_to_limit_high", "d")

    def __init__(self, signal: str, unit: str) -> None:
        self.signal = signal
        self.unit = unit


class Quality(Enum):
    """How far a reading's value can be trusted. Rules take anything but GOOD for unknown."""

    GOOD = "good"
    WARMING_UP = "warming_up"  # heater, fan or laser not settled: the value is shown, not judged
    LEARNING = "learning"  # compared with what is usual, of which too little is known yet
    BAD = "bad"  # out of the sensor's own range


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value of one quantity from one device."""

    source: SourceId
    quantity: Quantity
    value: float
    at: Instant
    quality: Quality = Quality.GOOD


class PixelFormat(Enum):
    """V4L2 pixel formats that the classifier decodes, by their FourCC."""

    MJPEG = "MJPG"
    YUYV = "YUYV"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture as the camera delivered it: not decoded, which happens later, once, at the size needed.

    `payload` holds MJPEG bytes, or `height` rows of `width * 2` bytes of YUYV (BT.601, limited range).
    `captured_ns` is CLOCK_MONOTONIC when the kernel took the picture: latency is counted from here.
    `at` is the same moment on the duct's clock.
    """

    source: SourceId
    sequence: int
    payload: memoryview
    pixel_format: PixelFormat
    width: int
    height: int
    captured_ns: int
    at: Instant
