from __future__ import annotations

from drivers.types import Quantity
from firmware.derived.filter_load import PressureDrop
from firmware.derived.wiring import DERIVED, OF_CAMERAS, first_with_air
from tests.firmware.derived.builders import AIR, DUST, FILTER, GAS, MEASURED, PM, UPSTREAM, WALL, wiring

Q = Quantity


def test_each_signal_belongs_to_the_device_that_it_refines() -> None:
    assert wiring().derived == {
        GAS: (Q.DEW_POINT, Q.CONDENSATION_MARGIN, Q.MOULD_INDEX, Q.GAS_INDEX),
        PM: (Q.PM2_5_CORRECTED, Q.NOWCAST_PM2_5, Q.NOWCAST_PM10, Q.AQI),
        UPSTREAM: OF_CAMERAS,
    }


def test_the_margin_belongs_to_the_surface_where_one_is_measured() -> None:
    derived = wiring(measured={**MEASURED, WALL: (Q.TEMPERATURE,)}, surface=WALL).derived

    assert derived[WALL] == (Q.CONDENSATION_MARGIN,)
    assert Q.CONDENSATION_MARGIN not in derived[GAS]


def test_without_humidity_nothing_is_corrected() -> None:
    assert Q.PM2_5_CORRECTED not in wiring(measured={PM: DUST}, climate=None).derived[PM]


def test_another_makers_sensor_is_not_corrected() -> None:
    assert Q.PM2_5_CORRECTED not in wiring(plantower=frozenset()).derived[PM]


def test_a_filter_has_a_load_where_its_pressure_drops_are_known() -> None:
    measured = {FILTER: (Q.DIFFERENTIAL_PRESSURE,)}

    assert wiring(measured=measured, cameras=()).derived == {}
    assert wiring(measured=measured, cameras=(), pressure_drop=PressureDrop(80, 250)).derived == {
        FILTER: (Q.FILTER_LOAD,)
    }


def test_what_is_left_out_is_nowhere() -> None:
    left = wiring(left_out=frozenset({Q.AQI, *OF_CAMERAS})).derived

    assert UPSTREAM not in left
    assert Q.AQI not in left[PM]


def test_every_derived_signal_can_come_of_some_board() -> None:
    measured = {**MEASURED, FILTER: (Q.DIFFERENTIAL_PRESSURE,)}
    derived = wiring(measured=measured, pressure_drop=PressureDrop(80, 250)).derived

    assert {quantity for of in derived.values() for quantity in of} == DERIVED


def test_the_first_sensor_with_temperature_and_humidity_stands_for_the_air() -> None:
    assert first_with_air({WALL: (Q.TEMPERATURE,), GAS: AIR}) == GAS
    assert first_with_air({PM: DUST}) is None
