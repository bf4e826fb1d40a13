from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.derived.pm_correction import Masses, corrected_ug_m3

RAW = st.floats(0, 2000)
HUMIDITIES = st.floats(0, 100)
MASSES = st.sampled_from(Masses)


@pytest.mark.parametrize(
    ("raw", "humidity", "corrected"),
    [
        (20, 50, 0.524 * 20 - 0.0862 * 50 + 5.75),
        (40, 50, (0.524 + 0.786) / 2 * 40 - 0.0862 * 50 + 5.75),
        (100, 50, 0.786 * 100 - 0.0862 * 50 + 5.75),
        (235, 50, (0.786 * 235 - 0.0862 * 50 + 5.75 + 0.69 * 235 + 2.966 + 8.84e-4 * 235**2) / 2),
        (300, 50, 2.966 + 0.69 * 300 + 8.84e-4 * 300**2),
        (0, 100, 0.0),
    ],
    ids=["clear", "between", "usual", "into smoke", "smoke", "never below nothing"],
)
def test_the_five_pieces_of_the_epa(raw: float, humidity: float, corrected: float) -> None:
    assert corrected_ug_m3(raw, humidity) == pytest.approx(corrected)


@pytest.mark.parametrize(("raw", "corrected"), [(570, 300.1), (611, 400.1)])
def test_cf_1_masses_go_over_to_smoke_from_300_to_400(raw: float, corrected: float) -> None:
    """Barkjohn et al. 2022: the usual correction up to 300 ug/m3 at 50 %RH, the quadratic one above 400."""
    assert corrected_ug_m3(raw, 50, Masses.CF_1) == pytest.approx(corrected, abs=0.2)


@pytest.mark.parametrize("edge", [30, 50, 210, 260, 570, 611])
@pytest.mark.parametrize("masses", Masses)
def test_one_piece_begins_where_the_other_ends(edge: float, masses: Masses) -> None:
    below, at = corrected_ug_m3(edge - 1e-9, 70, masses), corrected_ug_m3(edge, 70, masses)

    assert below == pytest.approx(at, abs=1e-6)


@given(RAW, RAW, HUMIDITIES, MASSES)
def test_more_dust_shows_as_more(one: float, other: float, humidity: float, masses: Masses) -> None:
    less, more = (corrected_ug_m3(raw, humidity, masses) for raw in sorted((one, other)))

    assert less is not None
    assert more is not None
    assert less <= more + 1e-9


@given(RAW, HUMIDITIES, HUMIDITIES, MASSES)
def test_humid_air_is_corrected_downwards(raw: float, one: float, other: float, masses: Masses) -> None:
    dry, humid = (corrected_ug_m3(raw, humidity, masses) for humidity in sorted((one, other)))

    assert dry is not None
    assert humid is not None
    assert humid <= dry + 1e-9


@given(st.floats(), st.floats(), MASSES)
def test_nothing_but_a_concentration_or_none_comes_of_anything(raw: float, humidity: float, masses: Masses) -> None:
    found = corrected_ug_m3(raw, humidity, masses)

    assert found is None or 0 <= found < math.inf
