"""The emulated chip against Bosch's own integer arithmetic (BST-BME680-DS001, 3.3.1 to 3.3.4), written anew here:
it reads the calibration and the results from the registers, and knows nothing of how the chip makes them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hil.rig.bme680 import Bme680Chip, gas_ohms, pascal, percent, t_fine

GAS_1 = [2147483647] * 16
GAS_1[5], GAS_1[7], GAS_1[10], GAS_1[11], GAS_1[13] = 2126008810, 2130303777, 2143188679, 2136746228, 2126008810
GAS_2 = [
    4096000000, 2048000000, 1024000000, 512000000, 255744255, 127110228, 64000000, 32258064,
    16016016, 8000000, 4000000, 2000000, 1000000, 500000, 250000, 125000,
]  # fmt: skip

MOST_LOOKS = 100  # at its status, until a measurement is done

temperatures = st.floats(-40, 85)
humidities = st.floats(0, 100)
pressures = st.floats(300, 1100)
variants = st.sampled_from([0, 1])


class Calibration:
    """Table 11: which parameter is in which registers."""

    def __init__(self, chip: Bme680Chip) -> None:
        def read(register: int, form: str) -> int:
            chip.write(bytes([register]))
            return int(struct.unpack(form, chip.read(struct.calcsize(form)))[0])

        self.t1, self.t2, self.t3 = read(0xE9, "<H"), read(0x8A, "<h"), read(0x8C, "<b")
        self.p1, self.p2, self.p3 = read(0x8E, "<H"), read(0x90, "<h"), read(0x92, "<b")
        self.p4, self.p5, self.p6 = read(0x94, "<h"), read(0x96, "<h"), read(0x99, "<b")
        self.p7, self.p8, self.p9, self.p10 = read(0x98, "<b"), read(0x9C, "<h"), read(0x9E, "<h"), read(0xA0, "<B")
        self.h1 = read(0xE3, "<B") << 4 | read(0xE2, "<B") & 15
        self.h2 = read(0xE1, "<B") << 4 | read(0xE2, "<B") >> 4
        self.h3, self.h4, self.h5 = read(0xE4, "<b"), read(0xE5, "<b"), read(0xE6, "<b")
        self.h6, self.h7 = read(0xE7, "<B"), read(0xE8, "<b")
        self.switching_error = read(0x04, "<b") // 16


@dataclass(frozen=True)
class Bosch:
    """C's arithmetic: divisions go towards zero."""

    c: Calibration

    def fine(self, adc: int) -> int:
        x = (adc >> 3) - (self.c.t1 << 1)
        y = x * self.c.t2 >> 11
        z = ((x >> 1) * (x >> 1) >> 12) * (self.c.t3 << 4) >> 14
        return y + z

    def hundredths_of_degrees(self, fine: int) -> int:
        return fine * 5 + 128 >> 8

    def pascal(self, adc: int, fine: int) -> int:
        c = self.c
        x = (fine >> 1) - 64000
        y = ((x >> 2) * (x >> 2) >> 11) * c.p6 >> 2
        y += x * c.p5 << 1
        y = (y >> 2) + (c.p4 << 16)
        x = (((x >> 2) * (x >> 2) >> 13) * (c.p3 << 5) >> 3) + (c.p2 * x >> 1)
        x = (32768 + (x >> 18)) * c.p1 >> 15
        p = (1048576 - adc - (y >> 12)) * 3125
        p = int(p / x) << 1 if p >= 0x40000000 else int((p << 1) / x)
        x = c.p9 * ((p >> 3) * (p >> 3) >> 13) >> 12
        y = (p >> 2) * c.p8 >> 13
        z = (p >> 8) ** 3 * c.p10 >> 17
        return p + (x + y + z + (c.p7 << 7) >> 4)

    def thousandths_of_percent(self, adc: int, fine: int) -> int:
        c = self.c
        t = self.hundredths_of_degrees(fine)
        x = adc - c.h1 * 16 - (int(t * c.h3 / 100) >> 1)
        y = c.h2 * (int(t * c.h4 / 100) + int((t * int(t * c.h5 / 100) >> 6) / 100) + (1 << 14)) >> 10
        z = x * y
        w = (c.h6 << 7) + int(t * c.h7 / 100) >> 4
        v = (z >> 14) * (z >> 14) >> 10
        return min(max((z + (w * v >> 1) >> 10) * 1000 >> 12, 0), 100_000)

    def ohms(self, adc: int, gas_range: int, variant: int) -> int:
        if variant == 1:
            return 10_000 * (262144 >> gas_range) // (4096 + 3 * (adc - 512)) * 100
        x = (1340 + 5 * self.c.switching_error) * GAS_1[gas_range] >> 16
        y = (adc << 15) - 16777216 + x
        return ((GAS_2[gas_range] * x >> 9) + (y >> 1)) // y


def measured(chip: Bme680Chip, *, gas: bool = True) -> tuple[bytes, Bosch]:
    """The 17 bytes of a measurement in forced mode: 3.2.1."""
    chip.write(b"\xf0")
    run_gas = {b"\x00": 0x10, b"\x01": 0x20}[chip.read(1)]
    chip.write(bytes([0x72, 0x01, 0x71, run_gas if gas else 0, 0x74, 0x25]))
    for _ in range(MOST_LOOKS):
        chip.write(b"\x1d")
        data = chip.read(17)
        if data[0] & 0xA0 == 0x80:
            return data, Bosch(Calibration(chip))
    raise AssertionError("the measurement does not end")


def conversions(data: bytes) -> tuple[int, int, int]:
    """Temperature, pressure, humidity: 5.3.4."""
    return (
        int.from_bytes(data[5:8], "big") >> 4,
        int.from_bytes(data[2:5], "big") >> 4,
        int.from_bytes(data[8:10], "big"),
    )


@given(temperatures, humidities, pressures, variants)
@example(-40.0, 0.0, 300.0, 0)
@example(85.0, 100.0, 1100.0, 1)
@example(-40.0, 100.0, 1100.0, 0)
@example(85.0, 0.0, 300.0, 0)
def test_what_is_set_is_what_boschs_formulas_make_of_the_registers(
    degrees: float, humidity: float, hectopascal: float, variant: int
) -> None:
    chip = Bme680Chip(variant=variant)
    chip.temperature, chip.humidity, chip.pressure = degrees, humidity, hectopascal
    data, bosch = measured(chip)
    temperature_adc, pressure_adc, humidity_adc = conversions(data)
    fine = bosch.fine(temperature_adc)

    assert bosch.hundredths_of_degrees(fine) == pytest.approx(degrees * 100, abs=2)
    assert bosch.pascal(pressure_adc, fine) == pytest.approx(hectopascal * 100, abs=30)
    assert bosch.thousandths_of_percent(humidity_adc, fine) == pytest.approx(humidity * 1000, abs=150)


@given(st.integers(0, 2**20 - 1), st.integers(0, 2**20 - 1), st.integers(0, 2**16 - 1))
def test_the_chips_arithmetic_is_boschs_whatever_is_in_the_registers(
    temperature_adc: int, pressure_adc: int, humidity_adc: int
) -> None:
    bosch = Bosch(Calibration(Bme680Chip()))
    fine = bosch.fine(temperature_adc)
    in_range = -4000 <= bosch.hundredths_of_degrees(fine) <= 8500
    pressure, humidity = bosch.pascal(pressure_adc, fine), bosch.thousandths_of_percent(humidity_adc, fine)

    assert t_fine(temperature_adc) == pytest.approx(fine, abs=60)
    if in_range and 30_000 <= pressure <= 110_000:
        assert pascal(pressure_adc, t_fine(temperature_adc)) == pytest.approx(pressure, abs=30)
    if in_range and 0 < humidity < 100_000:
        assert percent(humidity_adc, t_fine(temperature_adc) / 5120) * 1000 == pytest.approx(humidity, abs=150)


@given(st.integers(0, 1023), st.integers(0, 15), variants)
def test_gas_registers_mean_the_ohms_of_boschs_tables(adc: int, gas_range: int, variant: int) -> None:
    chip = Bme680Chip(variant=variant)
    chip.gas_adc, chip.gas_range = adc, gas_range
    data, bosch = measured(chip)
    at = {0: 13, 1: 15}[variant]
    word = int.from_bytes(data[at : at + 2], "big")

    assert (word >> 6, word & 0x0F, word & 0x30) == (adc, gas_range, 0x30)
    assert gas_ohms(adc, gas_range, variant) == pytest.approx(bosch.ohms(adc, gas_range, variant), rel=1e-3, abs=101)
    assert chip.gas_resistance == gas_ohms(adc, gas_range, variant)


@given(st.floats(2_000, 10_000_000), variants)
@example(27_002.0, 1)
def test_ohms_that_are_set_are_read_back(ohms: float, variant: int) -> None:
    chip = Bme680Chip(variant=variant)
    chip.gas_resistance = ohms
    data, bosch = measured(chip)
    word = int.from_bytes(data[{0: 13, 1: 15}[variant] :][:2], "big")

    steps = 1e-3 * ohms  # of the converter; Bosch's integers add as much, and cut off what is below a hundred
    assert bosch.ohms(word >> 6, word & 0x0F, variant) == pytest.approx(ohms, rel=0, abs=101 + 2 * steps)
    assert chip.gas_resistance == pytest.approx(ohms, rel=1e-3)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        ("temperature", -40.1),
        ("temperature", 85.1),
        ("humidity", 100.1),
        ("pressure", 299.0),
        ("pressure", float("nan")),
    ],
)
def test_what_no_such_chip_measures_is_refused(quantity: str, value: float) -> None:
    with pytest.raises(ValueError, match="a BME680 is made for"):
        setattr(Bme680Chip(), quantity, value)


@pytest.mark.parametrize("ohms", [0.0, 100.0, 1e9])
def test_ohms_that_the_converter_cannot_show_are_refused(ohms: float) -> None:
    with pytest.raises(ValueError, match="beyond what the chip can show"):
        Bme680Chip().gas_resistance = ohms


def test_a_reset_forgets_settings_and_results_but_not_the_calibration() -> None:
    chip = Bme680Chip()
    before = vars(Calibration(chip))
    measured(chip)
    chip.write(b"\xe0\xb6")
    chip.write(b"\x1d")

    assert chip.read(17) == bytes(17)
    assert vars(Calibration(chip)) == before
    assert chip.resets == 1


def test_a_cold_heater_and_no_gas_conversion_show_in_the_status() -> None:
    chip = Bme680Chip()
    chip.heater_stable = False

    assert measured(chip)[0][14] & 0x30 == 0x20
    assert measured(chip, gas=False)[0][14] & 0x30 == 0


def test_a_measurement_that_never_ends_goes_on_measuring() -> None:
    """What the registers still hold of the one before is not to be taken for its result."""
    chip = Bme680Chip()
    measured(chip)
    chip.finishes = False

    with pytest.raises(AssertionError, match="does not end"):
        measured(chip)
