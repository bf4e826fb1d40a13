from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.duct.deposit import coverage, pattern
from drivers.duct.geometry import Hits
from drivers.duct.render import Renderer
from drivers.duct.scene import Material, Obstacle, Scene, Shape, Soiling, random_scene
from drivers.duct.tiles import tiles

DEGREES = (0.0, 0.075, 0.6, 3.0, 4.5, 12.0)  # the limits that practice knows, and a thick mat
EVEN = Soiling(
    colour=(0.3, 0.3, 0.3),
    patch_colour=(0.3, 0.3, 0.3),
    spots=0,
    floor_share=0.4,
    streaks=0,
    clumps=0.3,
    joints=0,
    lint=0,
    debris=0,
)
SIDE = 300


def duct(soiling: Soiling = EVEN) -> Scene:
    scene = replace(random_scene(1), shape=Shape.RECTANGULAR, material=Material.GALVANISED, obstacle=Obstacle.NONE)
    return replace(scene, joint_spacing_m=10.0, joint_offset_m=0.45, soiling=soiling)


def settled(soiling: Soiling, upward: float = 1.0, spacing_m: float = 0.003) -> NDArray[np.float32]:
    """What lies at 3 g/m2 on a flat piece of wall, (along, across), `SIDE` spots each way, looked at from above."""
    along, across = (g.ravel() for g in np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) * np.float32(spacing_m))
    one, far = np.ones(SIDE * SIDE, np.float32), np.full(SIDE * SIDE, 10, np.float32)
    flat = Hits(
        distance=one,
        along=along,
        across=across,
        wall=np.zeros(SIDE * SIDE, np.int32),
        upward=one * np.float32(upward),
        corner=far,
        facing=one,
        facing_along=one,
        facing_across=one,
        to_light=one,
        light_m=one,
        footprint=one * np.float32(spacing_m),
    )
    scene = duct(soiling)
    lies = pattern(scene, flat, tiles(0))
    return coverage(scene, lies.film, lies.clumps, 3.0).reshape(SIDE, SIDE)


def unevenness(values: NDArray[np.float32]) -> float:
    return float(values.std() / values.mean())


@pytest.mark.parametrize("seed", range(6))
def test_the_mean_coverage_in_view_is_the_one_asked_for(seed: int) -> None:
    renderer = Renderer(random_scene(seed), 160, 120)
    area = renderer.area_m2

    for mean_g_m2 in DEGREES:
        assert (renderer.coverage_g_m2(mean_g_m2) * area).sum() / area.sum() == pytest.approx(mean_g_m2, rel=1e-3)


@pytest.mark.parametrize("clumps", [0.0, 0.5, 1.0])
def test_no_spot_loses_dust_while_the_duct_soils(clumps: float) -> None:
    renderer = Renderer(duct(replace(EVEN, clumps=clumps)), 160, 120)
    before = renderer.coverage_g_m2(0.0)

    for mean_g_m2 in np.linspace(0.1, 20, 60):
        after = renderer.coverage_g_m2(float(mean_g_m2))
        assert (after >= before - 1e-5).all()
        before = after


@pytest.mark.parametrize(("floor_share", "least", "most"), [(0.0, 1.2, 3), (0.4, 5, 12), (1.0, 30, 100)])
def test_the_floor_gets_its_share(floor_share: float, least: float, most: float) -> None:
    soiling = replace(EVEN, floor_share=floor_share)

    floor, ceiling = settled(soiling, upward=1.0).mean(), settled(soiling, upward=-1.0).mean()

    assert least < floor / ceiling < most


def test_streaks_lie_along_the_flow() -> None:
    plain, streaked = settled(EVEN), settled(replace(EVEN, streaks=1.0))

    assert unevenness(streaked.mean(axis=0)) > 1.5 * unevenness(plain.mean(axis=0))  # from one streak to the next
    assert unevenness(streaked.mean(axis=1)) < 1.5 * unevenness(plain.mean(axis=1))


def test_dust_gathers_behind_a_joint() -> None:
    gathered = settled(replace(EVEN, joints=1.0)) / settled(EVEN)

    assert gathered[155:165].mean() > 2 * gathered[100:145].mean()  # the joint is at row 150


@pytest.mark.parametrize("soiling", [replace(EVEN, lint=1.0), replace(EVEN, clumps=0.8)], ids=["lint", "clumps"])
def test_lint_and_clumps_make_a_deposit_less_even(soiling: Soiling) -> None:
    assert unevenness(settled(soiling, spacing_m=0.0005)) > 1.1 * unevenness(settled(EVEN, spacing_m=0.0005))
