"""Spoilt pictures: the same each time, worse with each strength, and of the physics that they are named after."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from model.training.evaluation.corrupt import CORRUPTIONS, STRENGTHS, Corruption, corrupt
from tests.model.pictures import flat, ripples

NAMED = {corruption.name: corruption for corruption in CORRUPTIONS}
each_kind = pytest.mark.parametrize("kind", CORRUPTIONS, ids=NAMED)


def loss(rgb: np.ndarray, spoilt: np.ndarray) -> float:
    return float(np.mean((rgb.astype(float) - spoilt) ** 2))


@pytest.mark.parametrize("name", sorted(NAMED.keys() - {"fog"}))
def test_each_strength_spoils_more_than_the_one_before(name: str) -> None:
    rgb = ripples(320, 240)

    losses = [loss(rgb, corrupt(rgb, NAMED[name], strength, seed=1)) for strength in STRENGTHS]

    assert all(0 < before < later for before, later in pairwise(losses))


def test_a_stronger_fog_leaves_less_of_the_scene() -> None:
    """Its light need not differ more: at strengths 3 and 4 it is as dense, and only more torn."""
    rgb = ripples(320, 240)

    detail = [np.abs(np.diff(corrupt(rgb, NAMED["fog"], at, seed=1).astype(int), axis=1)).mean() for at in STRENGTHS]

    assert all(before > later for before, later in pairwise([detail[0], detail[1], detail[2], detail[4]]))


@each_kind
def test_the_same_seed_spoils_the_same_way(kind: Corruption) -> None:
    rgb = ripples(160, 120)

    assert np.array_equal(corrupt(rgb, kind, 3, seed=1), corrupt(rgb, kind, 3, seed=1))


@pytest.mark.parametrize("name", ["gaussian noise", "shot noise", "motion", "fog"])
def test_another_seed_spoils_another_way(name: str) -> None:
    rgb = ripples(160, 120)

    assert not np.array_equal(corrupt(rgb, NAMED[name], 3, seed=1), corrupt(rgb, NAMED[name], 3, seed=2))


@each_kind
@pytest.mark.parametrize("size", [(33, 17), (16, 640), (16, 16)], ids=str)
@pytest.mark.parametrize("level", [0, 255])
def test_pictures_of_any_size_and_light_keep_their_size(kind: Corruption, size: tuple[int, int], level: int) -> None:
    rgb = flat(*size, (level, level, level))

    spoilt = corrupt(rgb, kind, 5, seed=0)

    assert spoilt.shape == rgb.shape
    assert spoilt.dtype == np.uint8


@pytest.mark.parametrize("name", ["defocus", "motion"])
def test_a_blur_takes_no_light_away_and_leaves_a_plain_wall_alone(name: str) -> None:
    wall, rgb = flat(320, 240, (90, 120, 60)), ripples(320, 240)

    assert np.abs(corrupt(wall, NAMED[name], 4, seed=1).astype(int) - wall).max() <= 1
    assert corrupt(rgb, NAMED[name], 4, seed=1).mean() == pytest.approx(rgb.mean(), abs=1.5)


@pytest.mark.parametrize(("side", "radius"), [(224, 4), (448, 8)])
def test_a_line_out_of_focus_is_a_band_as_wide_as_the_picture_is_large(side: int, radius: int) -> None:
    """Strength 2 has a radius of 4 pixels at ImageNet's 224."""
    line = flat(side, side, (0, 0, 0))
    line[100] = 255

    rows = np.flatnonzero(corrupt(line, NAMED["defocus"], 2, seed=0)[:, side // 2, 0])

    assert (rows.min(), rows.max()) == (100 - radius, 100 + radius)


def test_noise_has_the_strength_that_is_written() -> None:
    grey = flat(320, 240, (128, 128, 128))

    assert corrupt(grey, NAMED["gaussian noise"], 1, seed=0).std() / 255 == pytest.approx(0.08, rel=0.02)
    assert corrupt(grey, NAMED["shot noise"], 1, seed=0).std() / 255 == pytest.approx((0.5 / 60) ** 0.5, rel=0.02)


def test_more_light_keeps_the_hue_until_it_is_white() -> None:
    brighter = corrupt(flat(16, 16, (100, 50, 25)), NAMED["brighter"], 2, seed=0)

    assert brighter[0, 0].tolist() == [151, 76, 38]  # the largest gains 0.2 x 255, the others in proportion
    assert corrupt(flat(16, 16, (0, 0, 0)), NAMED["brighter"], 2, seed=0)[0, 0].tolist() == [51, 51, 51]


def test_less_light_and_less_contrast_are_shares() -> None:
    halves = np.concatenate([flat(16, 8, (50, 50, 50)), flat(16, 8, (150, 150, 150))])

    assert np.unique(corrupt(halves, NAMED["darker"], 2, seed=0)).tolist() == [25, 75]
    assert np.unique(corrupt(halves, NAMED["contrast"], 3, seed=0)).tolist() == [90, 110]


def test_a_denser_fog_has_the_same_clouds() -> None:
    """So that a curve over strengths shows the strength, not another draw."""
    wall = flat(320, 240, (100, 100, 100))

    light, dense = (corrupt(wall, NAMED["fog"], strength, seed=5)[..., 0].ravel() for strength in (1, 2))

    assert np.corrcoef(light, dense)[0, 1] > 0.99
