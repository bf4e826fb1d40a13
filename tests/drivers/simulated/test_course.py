from __future__ import annotations

from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from drivers.simulated.course import along, chance, drift, noise, number, wave


def test_the_same_key_gives_the_same_numbers_on_every_machine() -> None:
    assert (chance("1/dust/0"), noise("1/dust/0"), number("1/dust/0")) == (
        0.3524263803847134,
        -0.4518890450382613,
        1513659778,
    )


def test_noise_scatters_around_zero_with_deviation_one() -> None:
    values = [noise(f"key {index}") for index in range(4000)]

    assert abs(fmean(values)) < 0.05
    assert abs(pstdev(values) - 1) < 0.05
    assert max(map(abs, values)) < 3.5


def test_chance_fills_the_range_from_0_to_1() -> None:
    values = sorted(chance(f"key {index}") for index in range(4000))

    assert values[0] >= 0
    assert values[-1] < 1
    assert [round(values[index], 1) for index in (400, 2000, 3600)] == [0.1, 0.5, 0.9]


def test_drift_moves_in_small_steps_and_comes_to_other_values() -> None:
    values = [drift("key", second, every_s=60) for second in range(600)]

    assert max(abs(after - before) for before, after in pairwise(values)) < 0.2
    assert max(values) - min(values) > 1


@pytest.mark.parametrize(("turns", "value"), [(0, 0), (0.25, 1), (0.5, 0), (0.75, -1), (1, 0), (-0.25, -1), (7.25, 1)])
def test_a_wave_goes_up_and_down_once_a_turn(turns: float, value: float) -> None:
    assert wave(turns) == pytest.approx(value)


@pytest.mark.parametrize(("x", "y"), [(-1, 5), (0, 5), (1, 6), (2, 7), (3, 4), (9, 1)])
def test_a_curve_is_straight_between_its_points_and_level_beyond(x: float, y: float) -> None:
    assert along([(0, 5), (2, 7), (4, 1)], x) == y
