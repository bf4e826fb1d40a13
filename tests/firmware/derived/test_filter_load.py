from __future__ import annotations

import math

import pytest

from firmware.derived.filter_load import PressureDrop, load_percent

FILTER = PressureDrop(80, 250)


@pytest.mark.parametrize(
    ("drop_pa", "percent"), [(80, 0), (165, 50), (250, 100), (267, 110), (63, -10), (math.nan, None), (math.inf, None)]
)
def test_the_load_is_the_share_of_the_way_from_clean_to_final(drop_pa: float, percent: float | None) -> None:
    assert load_percent(drop_pa, FILTER) == (None if percent is None else pytest.approx(percent))


@pytest.mark.parametrize(("clean", "final"), [(250, 80), (80, 80), (-1, 80), (80, math.inf), (math.nan, 80)])
def test_pressure_drops_that_cannot_be_are_refused(clean: float, final: float) -> None:
    with pytest.raises(ValueError, match="clean_pa must be 0 or more and below final_pa"):
        PressureDrop(clean, final)
