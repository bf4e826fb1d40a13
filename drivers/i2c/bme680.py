"""BME680: temperature, humidity, pressure, gas resistance. Sections are those of its datasheet, BST-BME680-DS001."""
# mypy: disallow-subclassing-any=False
# (the library has no types)

from __future__ import annotations

import contextlib
import fcntl
import functools
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import Protocol, Self

from drivers.clock import Clock
from drivers.errors import Absent, BadData, Lost
from drivers.faults import Fault, reported_as
from drivers.i2c.bus import Address, I2cSettings, Ioctl
from drivers.settings import Duration
from drivers.thread_bound import ThreadBound
from drivers.types import Instant, Quality, Quantity, Reading, SourceId

ADDRESSES = (0x76, 0x77)  # SDO to GND, SDO to VDDIO: 6.2
CHIP_ID = 0xD0  # register: 5.3.1.3
CHIPS = {
    0x61: "BME680",
    0x60: "BME280",
    0x58: "BMP280",
    0x55: "BMP180",
    0x50: "BMP388",
    0x00: "silence",
    0xFF: "silence",
}

CONTROL = 0x74  # register ctrl_meas, whose two lowest bits start a measurement: 5.3.1.1
STATUS = 0x1D  # register meas_status_0, at which the library reads the 17 bytes of a measurement: 5.3.5
HUMIDITY_CALIBRATION = 0xE1  # register of par_h2<11:4>, then par_h2<3:0> over par_h1<3:0>, then par_h1<11:4>
GAS_MEASURING, MEASURING, NEW_DATA = 0x40, 0x20, 0x80  # bits of meas_status_0: 5.3.5.1 to 5.3.5.3
GAS_STATUS = {0x00: 0x2B - STATUS, 0x01: 0x2D - STATUS}  # byte with the next two bits, by variant: BME680, BME688
GAS_VALID, HEATER_STABLE = 0x20, 0x10  # gas_valid_r, heat_stab_r: 5.3.5.5, 5.3.5.6

START_S = 0.005  # from the command to the first conversion, longest start-up of the chip 2 ms: 1.1
OPEN_LIMIT_S = 15.0  # reset and 3 blocks of calibration: 0.1 s, 1 s each if the adapter times out; its library's import
READ_LIMIT_S = 6.0  # a measurement takes 0.2 s; the library gives up after 3 s; an adapter may time out on top

RANGES = {  # what the chip is made for: tables 2 to 4 (gas resistance has no range, but is never 0)
    Quantity.TEMPERATURE: (-40.0, 85.0),
    Quantity.HUMIDITY: (0.0, 100.0),
    Quantity.PRESSURE: (300.0, 1100.0),
    Quantity.GAS_RESISTANCE: (1.0, math.inf),
}


class Bme680Settings(I2cSettings, frozen=True, kw_only=True):
    """`burn_in`: how long after opening the gas resistance counts as warming up. It settles in 5 min after a short
    power cut and in 48 h when new; the baseline that tells these apart is the rules' business."""

    address: int = 0x77
    burn_in: Duration = Duration(1800.0)

    def __post_init__(self) -> None:
        if self.address not in ADDRESSES:
            raise ValueError(f"a BME680 has address 0x76 (118) or 0x77 (119), not {self.address:#04x}")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One conversion, compensated. `heater_stable` is false where the gas resistance was not really measured."""

    values: dict[Quantity, float]
    heater_stable: bool


def readings(source: SourceId, measurement: Measurement, at: Instant, *, burnt_in: bool) -> tuple[Reading, ...]:
    """Each value with its quality: out of the datasheet's range is BAD, gas before it settled is WARMING_UP."""

    def quality(quantity: Quantity, value: float) -> Quality:
        lowest, highest = RANGES[quantity]
        if not lowest <= value <= highest:
            return Quality.BAD
        if quantity is Quantity.GAS_RESISTANCE and not (burnt_in and measurement.heater_stable):
            return Quality.WARMING_UP
        return Quality.GOOD

    return tuple(
        Reading(source=source, quantity=quantity, value=value, at=at, quality=quality(quantity, value))
        for quantity, value in measurement.values.items()
    )


class Bme680:
    """The sensor on its bus. Each `read` is a new measurement of 0.2 s, in a thread of its own."""

    def __init__(self, settings: Bme680Settings, clock: Clock, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self.source = SourceId(settings.name)
        self._settings = settings
        self._clock = clock
        self._ioctl = ioctl
        self._burnt_in_at = Instant(0)
        what = f"the BME680 at 0x{settings.address:02x} on {settings.bus}"
        self._sensor = ThreadBound(self.source, what, self._open, _Sensor.close)

    async def __aenter__(self) -> Self:
        with reported_as(Absent, self.source):
            await self._sensor.open(limit_s=OPEN_LIMIT_S)
        self._burnt_in_at = Instant(self._clock.now() + self._settings.burn_in.ns)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._sensor.close()

    async def read(self) -> Sequence[Reading]:
        with reported_as(Lost, self.source):
            measurement = await self._sensor.call(_Sensor.measure, limit_s=READ_LIMIT_S)
        if measurement is None:
            raise BadData(self.source, "measured nonsense", remedy="Check the sensor's power and the bus's pull-ups.")
        now = self._clock.now()
        return readings(self.source, measurement, now, burnt_in=now >= self._burnt_in_at)

    def _open(self) -> _Sensor:
        bus = Address(self._settings.bus, self._settings.address, ioctl=self._ioctl)
        try:
            return _Sensor(bus)
        except BaseException:
            bus.close()
            raise


class _Sensor:
    """The open chip; its methods block."""

    def __init__(self, bus: Address) -> None:
        self._bus = bus
        found = bus.write_then_read(bytes([CHIP_ID]), 1)[0]  # before the library's reset reaches another maker's chip
        if CHIPS.get(found) != "BME680":
            raise Fault(
                f"found {CHIPS.get(found, 'a chip')} (id 0x{found:02x}), not a BME680",
                "Set address to the other of 0x76 and 0x77, or fit a BME680.",
            )
        try:
            self._chip = _chip_class()(bus)
        except (RuntimeError, ValueError, ZeroDivisionError, OverflowError) as error:  # the first: another chip by now
            raise Fault(f"its calibration makes no sense ({error})", "Check its cable, or replace it.") from error

    def close(self) -> None:
        self._bus.close()

    def measure(self) -> Measurement | None:
        """None if what the chip sent cannot be computed with."""
        try:
            return self._chip.measure()
        except RuntimeError as error:
            raise Fault("no new measurement within 3 s", "Take its power away and give it back.") from error
        except (ValueError, ZeroDivisionError, OverflowError):
            return None


class _Chip(Protocol):
    def measure(self) -> Measurement: ...


@functools.cache
def _chip_class() -> Callable[[Address], _Chip]:
    """The library's chip on our bus, imported at the first opening only."""
    with _no_blinka():
        from adafruit_bme680 import Adafruit_BME680

    class Chip(Adafruit_BME680):
        def __init__(self, bus: Address) -> None:
            self._bus = bus
            self._status = bytes(17)
            super().__init__()
            if self._chip_variant not in GAS_STATUS:
                raise ValueError(f"variant 0x{self._chip_variant:02x}, which there is not")
            self.filter_size = 0  # the chip's own smoothing would mix a reading with those of many minutes ago

        def measure(self) -> Measurement:
            self._last_reading = -math.inf  # the library hands out the values of the last 0.1 s as new
            super()._perform_reading()
            gas = self._status[GAS_STATUS[self._chip_variant]]
            return Measurement(
                {
                    Quantity.TEMPERATURE: float(self.temperature),
                    Quantity.HUMIDITY: float(self.humidity),
                    Quantity.PRESSURE: float(self.pressure),
                    Quantity.GAS_RESISTANCE: float(self.gas),
                },
                heater_stable=gas & (GAS_VALID | HEATER_STABLE) == GAS_VALID | HEATER_STABLE,
            )

        def _perform_reading(self) -> None:
            """The library's properties call this: they are to show one and the same measurement."""

        def _read_calibration(self) -> None:
            """The library swaps two half bytes, which costs up to 2 %RH: Bosch's and the kernel's drivers do not."""
            super()._read_calibration()
            h2, shared, h1 = self._read(HUMIDITY_CALIBRATION, 3)
            self._humidity_calibration[:2] = [float(h1 << 4 | shared & 0x0F), float(h2 << 4 | shared >> 4)]

        def _read(self, register: int, length: int) -> bytearray:
            data = bytearray(self._bus.write_then_read(bytes([register]), length))
            if register == STATUS:
                if data[0] & (MEASURING | GAS_MEASURING):
                    data[0] &= ~NEW_DATA  # of the measurement before: the library would take its values
                self._status = bytes(data)
            return data

        def _write(self, register: int, values: Sequence[int]) -> None:
            self._bus.write(bytes(byte for i, value in enumerate(values) for byte in (register + i, value)))
            if register == CONTROL and values[0] & 3:
                time.sleep(START_S)

    return Chip


@contextlib.contextmanager
def _no_blinka() -> Iterator[None]:
    """Keep Blinka out while the library is imported.

    It wants Blinka's modules for annotations only, but on a board that Blinka knows they import that board's GPIO
    library, and fail where it is not installed (`RuntimeError: The platform library 'gpiod' was not found`).
    """
    stand_ins = {name: ModuleType(name) for name in ("busio", "digitalio")}
    vars(stand_ins["busio"]).update(I2C=object, SPI=object)
    vars(stand_ins["digitalio"]).update(DigitalInOut=object)
    strangers = {name: module for name, module in stand_ins.items() if name not in sys.modules}
    sys.modules.update(strangers)
    try:
        yield
    finally:
        for name in strangers:
            del sys.modules[name]
