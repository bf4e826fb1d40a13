"""Chips at the level of their registers, after their datasheets: what is set in degrees comes out in degrees."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Sequence

CALIBRATION = {  # of a plausible chip, names as in BST-BME680-DS001, table 11 and section 3.3
    "t1": 26000, "t2": 26300, "t3": 3,
    "p1": 36000, "p2": -10300, "p3": 88, "p4": 7200, "p5": -120,
    "p6": 30, "p7": 40, "p8": -2500, "p9": -2200, "p10": 30,
    "h1": 783, "h2": 1009, "h3": 0, "h4": 45, "h5": 20, "h6": 120, "h7": -100,
    "g1": -50, "g2": -8000, "g3": 18,
}  # fmt: skip


class Bme680Chip:
    """A BME680 that measures when told to, and takes `conversion_reads` readings of its status register for it."""

    def __init__(self, *, chip_id: int = 0x61, variant: int = 0x00, ids: Sequence[int] = ()) -> None:
        """`ids` are what the first reads of its identity give, on a disturbed bus."""
        self.temperature, self.pressure, self.humidity = 24.5, 1003.2, 41.0
        self.gas_status = 0x30  # gas_valid_r, heat_stab_r
        self.gas_adc, self.gas_range = 500, 5
        self.conversion_reads = 2
        self.finishes = True
        self.measurements = 0
        self._ids = deque(ids)
        self._registers = bytearray(256)
        self._pointer = 0
        self._reads_left = 0
        self._registers[0xD0], self._registers[0xF0] = chip_id, variant
        self._calibrate()

    def write(self, data: bytes) -> None:
        """A register to read from, or pairs of register and value: datasheet 6.2.1."""
        self._pointer = data[0]
        for register, value in zip(data[0::2], data[1::2], strict=False):
            if register != 0xE0:
                self._registers[register] = value
            if register == 0x74 and value & 3:
                self._reads_left = self.conversion_reads

    def read(self, length: int) -> bytes:
        if self._pointer == 0x1D:
            self._convert()
        if self._pointer == 0xD0 and self._ids:
            return bytes([self._ids.popleft()])
        return bytes(self._registers[self._pointer : self._pointer + length])

    def set(self, register: int, value: int) -> None:
        self._registers[register] = value

    def _convert(self) -> None:
        """The status keeps new_data of the measurement before while the chip is busy with the next."""
        if self._registers[0x74] & 3 == 0 or not self.finishes:
            return
        if self._reads_left > 0:
            self._reads_left -= 1
            self._registers[0x1D] |= 0x20
            return
        self.measurements += 1
        self._registers[0x74] &= 0xFC
        temperature_adc = _solve(lambda adc: self._t_fine(adc) / 5120, self.temperature, 2**20)
        t_fine = self._t_fine(temperature_adc)
        pressure_adc = _solve(lambda adc: self._pascal(adc, t_fine), self.pressure * 100, 2**20)
        humidity_adc = _solve(lambda adc: self._percent(adc, t_fine / 5120), self.humidity, 2**16)
        gas = (self.gas_adc << 6 | self.gas_status | self.gas_range).to_bytes(2, "big")
        self._registers[0x1D] = 0x80
        self._registers[0x1F:0x22] = (pressure_adc << 4).to_bytes(3, "big")
        self._registers[0x22:0x25] = (temperature_adc << 4).to_bytes(3, "big")
        self._registers[0x25:0x27] = humidity_adc.to_bytes(2, "big")
        self._registers[0x2A:0x2C] = self._registers[0x2C:0x2E] = gas

    def _t_fine(self, adc: int) -> float:
        c = CALIBRATION
        first = (adc / 16384 - c["t1"] / 1024) * c["t2"]
        return first + (adc / 131072 - c["t1"] / 8192) ** 2 * c["t3"] * 16

    def _pascal(self, adc: int, t_fine: float) -> float:
        c = CALIBRATION
        x = t_fine / 2 - 64000
        y = (x * x * c["p6"] / 131072 + x * c["p5"] * 2) / 4 + c["p4"] * 65536
        x = (1 + ((c["p3"] * x * x) / 16384 + c["p2"] * x) / 524288 / 32768) * c["p1"]
        p = (1048576 - adc - y / 4096) * 6250 / x
        correction = c["p9"] * p * p / 2147483648 + p * c["p8"] / 32768 + (p / 256) ** 3 * c["p10"] / 131072
        return p + (correction + c["p7"] * 128) / 16

    def _percent(self, adc: int, degrees: float) -> float:
        c = CALIBRATION
        x = adc - (c["h1"] * 16 + c["h3"] / 2 * degrees)
        x *= c["h2"] / 262144 * (1 + c["h4"] / 16384 * degrees + c["h5"] / 1048576 * degrees**2)
        return x + (c["h6"] / 16384 + c["h7"] / 2097152 * degrees) * x * x

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
