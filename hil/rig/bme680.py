"""A BME680 at the level of its registers: what is set in degrees, ohms and so on is what its reader gets.

Sections and tables are those of the datasheet, BST-BME680-DS001; the gas formula of the BME688 is in its own.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Sequence

CALIBRATION = {  # of a plausible chip, names as in table 11 and section 3.3
    "t1": 26000, "t2": 26300, "t3": 3,
    "p1": 36000, "p2": -10300, "p3": 88, "p4": 7200, "p5": -120,
    "p6": 30, "p7": 40, "p8": -2500, "p9": -2200, "p10": 30,
    "h1": 783, "h2": 1009, "h3": 0, "h4": 45, "h5": 20, "h6": 120, "h7": -100,
    "g1": -50, "g2": -8000, "g3": 18,
}  # fmt: skip

TEMPERATURES_C = (-40.0, 85.0)  # tables 2 to 4
HUMIDITIES_PERCENT = (0.0, 100.0)
PRESSURES_HPA = (300.0, 1100.0)

STATUS, GAS_CONTROL, HEATER_CONTROL, MEASURE, CHIP_ID, RESET, VARIANT = 0x1D, 0x71, 0x70, 0x74, 0xD0, 0xE0, 0xF0
NEW_DATA, MEASURING = 0x80, 0x20
GAS_VALID, HEATER_STABLE = 0x20, 0x10
RUN_GAS, HEATER_OFF = 0x30, 0x08  # one bit of two starts a gas conversion: the lower a BME680's, the upper a BME688's
RESET_WORD = 0xB6
FORGOTTEN_ON_RESET = (range(STATUS, 0x2E), range(0x50, 0x76))  # results and settings
GAS_REGISTERS = {0x00: 0x2A, 0x01: 0x2C}  # by variant
ADC_MIDDLE, ADC_END = 512, 1024  # of the gas resistance
RANGE_ERRORS_1 = (0, 0, 0, 0, 0, -1, 0, -0.8, 0, 0, -0.2, -0.5, 0, -1, 0, 0)  # per cent, by gas range: table 16
RANGE_ERRORS_2 = (0, 0, 0, 0, 0.1, 0.7, 0, -0.8, -0.1, 0, 0, 0, 0, 0, 0, 0)


class Bme680Chip:
    """A BME680 that measures when told to, and takes `conversion_reads` readings of its status register for it.

    The gas resistance may be set in ohms, or as the chip has it: `gas_adc` in `gas_range`.
    """

    def __init__(self, *, chip_id: int = 0x61, variant: int = 0x00, ids: Sequence[int] = ()) -> None:
        """`variant` 1 is a BME688. `ids` are what the first reads of its identity give, on a disturbed bus."""
        self.temperature, self.pressure, self.humidity = 24.5, 1003.2, 41.0
        self.gas_status = GAS_VALID | HEATER_STABLE
        self.gas_adc, self.gas_range = 500, 5
        self.conversion_reads = 2
        self.finishes = True
        self.measurements = 0
        self.resets = 0
        self._ids = deque(ids)
        self._registers = bytearray(256)
        self._pointer = 0
        self._reads_left = 0
        self._registers[CHIP_ID], self._registers[VARIANT] = chip_id, variant
        self._calibrate()

    @property
    def temperature(self) -> float:
        """Degrees Celsius."""
        return self._temperature

    @temperature.setter
    def temperature(self, value: float) -> None:
        self._temperature = _within(TEMPERATURES_C, value, "degrees")

    @property
    def humidity(self) -> float:
        """Per cent."""
        return self._humidity

    @humidity.setter
    def humidity(self, value: float) -> None:
        self._humidity = _within(HUMIDITIES_PERCENT, value, "%RH")

    @property
    def pressure(self) -> float:
        """Hectopascal."""
        return self._pressure

    @pressure.setter
    def pressure(self, value: float) -> None:
        self._pressure = _within(PRESSURES_HPA, value, "hPa")

    @property
    def gas_resistance(self) -> float:
        """Ohms, as near as the converter can show it."""
        return gas_ohms(self.gas_adc, self.gas_range, self._registers[VARIANT])

    @gas_resistance.setter
    def gas_resistance(self, ohms: float) -> None:
        self.gas_adc, self.gas_range = gas_conversion(ohms, self._registers[VARIANT])

    @property
    def heater_stable(self) -> bool:
        return bool(self.gas_status & HEATER_STABLE)

    @heater_stable.setter
    def heater_stable(self, stable: bool) -> None:
        self.gas_status = self.gas_status & ~HEATER_STABLE | (HEATER_STABLE if stable else 0)

    def write(self, data: bytes) -> None:
        """A register to read from, or pairs of register and value: 6.2.1."""
        self._pointer = data[0]
        for register, value in zip(data[0::2], data[1::2], strict=False):
            if register == RESET:
                if value == RESET_WORD:
                    self.reset()
                continue
            self._registers[register] = value
            if register == MEASURE and value & 3:
                self._reads_left = self.conversion_reads

    def read(self, length: int) -> bytes:
        if self._pointer == STATUS:
            self._convert()
        if self._pointer == CHIP_ID and self._ids:
            return bytes([self._ids.popleft()])
        return bytes(self._registers[self._pointer : self._pointer + length])

    def set(self, register: int, value: int) -> None:
        self._registers[register] = value

    def reset(self) -> None:
        """As on power-up: asleep, without results."""
        self.resets += 1
        for registers in FORGOTTEN_ON_RESET:
            self._registers[registers.start : registers.stop] = bytes(len(registers))

    def _convert(self) -> None:
        """The status keeps new_data of the measurement before while the chip is busy with the next."""
        r = self._registers
        if r[MEASURE] & 3 == 0:
            return
        if not self.finishes:
            r[STATUS] |= MEASURING
            return
        if self._reads_left > 0:
            self._reads_left -= 1
            r[STATUS] |= MEASURING
            return
        self.measurements += 1
        r[MEASURE] &= 0xFC
        temperature_adc = _solve(lambda adc: t_fine(adc) / 5120, self.temperature, 2**20)
        fine = t_fine(temperature_adc)
        pressure_adc = _solve(lambda adc: pascal(adc, fine), self.pressure * 100, 2**20)
        humidity_adc = _solve(lambda adc: percent(adc, fine / 5120), self.humidity, 2**16)
        r[STATUS] = NEW_DATA
        r[0x1F:0x22] = (pressure_adc << 4).to_bytes(3, "big")
        r[0x22:0x25] = (temperature_adc << 4).to_bytes(3, "big")
        r[0x25:0x27] = humidity_adc.to_bytes(2, "big")
        gas = (self.gas_adc << 6 | self._gas_status() | self.gas_range).to_bytes(2, "big")
        at = GAS_REGISTERS.get(r[VARIANT], 0x2A)
        r[at : at + 2] = gas

    def _gas_status(self) -> int:
        """Without a gas conversion nothing is valid, and without its current the heater is not stable: 5.3.5.5."""
        if not self._registers[GAS_CONTROL] & RUN_GAS:
            return 0
        return self.gas_status & ~HEATER_STABLE if self._registers[HEATER_CONTROL] & HEATER_OFF else self.gas_status

    def _calibrate(self) -> None:
        c, r = CALIBRATION, self._registers
        for register, form, names in (
            (0x8A, "<hb", ("t2", "t3")),
            (0x8E, "<Hhb", ("p1", "p2", "p3")),
            (0x94, "<hhbb", ("p4", "p5", "p7", "p6")),
            (0x9C, "<hhB", ("p8", "p9", "p10")),
            (0xE4, "<bbbBb", ("h3", "h4", "h5", "h6", "h7")),
            (0xE9, "<Hhbb", ("t1", "g2", "g1", "g3")),
        ):
            packed = struct.pack(form, *(c[name] for name in names))
            r[register : register + len(packed)] = packed
        r[0xE1:0xE4] = bytes([c["h2"] >> 4, (c["h2"] & 15) << 4 | (c["h1"] & 15), c["h1"] >> 4])
        r[0x00], r[0x02], r[0x04] = 40, 0x10, 0x00


def t_fine(adc: int) -> float:
    """The temperature of a conversion, 5120 a degree: 3.3.1, in floating point as all that follows."""
    c = CALIBRATION
    first = (adc / 16384 - c["t1"] / 1024) * c["t2"]
    return first + (adc / 131072 - c["t1"] / 8192) ** 2 * c["t3"] * 16


def pascal(adc: int, fine: float) -> float:
    """3.3.2"""
    c = CALIBRATION
    x = fine / 2 - 64000
    y = (x * x * c["p6"] / 131072 + x * c["p5"] * 2) / 4 + c["p4"] * 65536
    x = (1 + ((c["p3"] * x * x) / 16384 + c["p2"] * x) / 524288 / 32768) * c["p1"]
    p = (1048576 - adc - y / 4096) * 6250 / x
    correction = c["p9"] * p * p / 2147483648 + p * c["p8"] / 32768 + (p / 256) ** 3 * c["p10"] / 131072
    return p + (correction + c["p7"] * 128) / 16


def percent(adc: int, degrees: float) -> float:
    """3.3.3"""
    c = CALIBRATION
    x = adc - (c["h1"] * 16 + c["h3"] / 2 * degrees)
    x *= c["h2"] / 262144 * (1 + c["h4"] / 16384 * degrees + c["h5"] / 1048576 * degrees**2)
    return x + (c["h6"] / 16384 + c["h7"] / 2097152 * degrees) * x * x


def gas_ohms(adc: int, gas_range: int, variant: int) -> float:
    """3.3.4; the range switching error is 0 here."""
    middle, slope = _gas_range(gas_range, variant)
    return middle / (1 + (adc - ADC_MIDDLE) / slope)


def gas_conversion(ohms: float, variant: int) -> tuple[int, int]:
    """Result and range of a conversion: of the ranges that can show it, the one with the result nearest the middle."""
    candidates = []
    for gas_range in range(16):
        middle, slope = _gas_range(gas_range, variant)
        adc = round(ADC_MIDDLE + slope * (middle / max(ohms, 1e-3) - 1))
        if 0 <= adc < ADC_END:
            candidates.append((abs(adc - ADC_MIDDLE), adc, gas_range))
    if not candidates:
        raise ValueError(f"{ohms:g} ohms are beyond what the chip can show")
    _, adc, gas_range = min(candidates)
    return adc, gas_range


def _gas_range(gas_range: int, variant: int) -> tuple[float, float]:
    """The resistance at the middle of a range, and the steps in which the conductance doubles from there."""
    if variant == 1:
        return 1e6 * (262144 >> gas_range) / 4096, 4096 / 3
    middle = 1 / ((1 + RANGE_ERRORS_2[gas_range] / 100) * 125e-9 * 2**gas_range)
    return middle, 1340 * (1 + RANGE_ERRORS_1[gas_range] / 100)


def _within(bounds: tuple[float, float], value: float, unit: str) -> float:
    if not bounds[0] <= value <= bounds[1]:
        raise ValueError(f"a BME680 is made for {bounds[0]:g} to {bounds[1]:g} {unit}, not for {value:g}")
    return value


def _solve(compensated: Callable[[int], float], wanted: float, end: int) -> int:
    """The conversion result below `end` that compensates to `wanted`, by bisection."""
    low, high = 0, end - 1
    rising = compensated(high) > compensated(low)
    while high - low > 1:
        middle = (low + high) // 2
        if (compensated(middle) < wanted) == rising:
            low = middle
        else:
            high = middle
    return low
