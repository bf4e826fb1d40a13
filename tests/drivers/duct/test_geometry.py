from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.duct.geometry import BLADE, Hits, directions, trace
from drivers.duct.scene import Camera, Obstacle, Scene, Shape, random_scene

STRAIGHT = Camera(
    x_m=0.0, y_m=0.0, yaw=0, pitch=0, roll=0, field_of_view=1.4, barrel=0, vignette=0, white_balance=(1, 1, 1)
)


def duct(shape: Shape, obstacle: Obstacle = Obstacle.NONE, camera: Camera = STRAIGHT) -> Scene:
    return replace(
        random_scene(1),
        shape=shape,
        obstacle=obstacle,
        obstacle_m=1.0,
        half_width_m=0.2,
        half_height_m=0.15,
        camera=camera,
    )


def look(scene: Scene) -> tuple[NDArray[np.float32], Hits]:
    rays, _ = directions(scene, 64, 48, slice(0, 48), 1)
    return rays, trace(scene, rays, 0.02)


@pytest.mark.parametrize("camera", [STRAIGHT, replace(STRAIGHT, x_m=0.05, y_m=-0.04, yaw=0.2, pitch=0.1, roll=0.3)])
@pytest.mark.parametrize("shape", Shape)
def test_every_ray_ends_on_the_wall(shape: Shape, camera: Camera) -> None:
    rays, hits = look(duct(shape, camera=camera))
    x, y = camera.x_m + rays[0] * hits.distance, camera.y_m + rays[1] * hits.distance

    off_the_wall = np.hypot(x, y) - 0.2 if shape is Shape.ROUND else np.maximum(abs(x) - 0.2, abs(y) - 0.15)

    assert np.abs(off_the_wall[hits.along < 50]).max() < 1e-3


@pytest.mark.parametrize("shape", Shape)
def test_the_floor_is_below_and_the_ceiling_above(shape: Shape) -> None:
    _, hits = look(duct(shape))
    upward = hits.upward.reshape(48, 64)

    assert upward[47, 32] > 0.9
    assert upward[0, 32] < -0.9
    assert abs(upward[24, 0]) < 0.1


@pytest.mark.parametrize("shape", Shape)
def test_a_bend_closes_the_view(shape: Shape) -> None:
    _, straight = look(duct(shape))
    _, bent = look(duct(shape, Obstacle.BEND))

    assert straight.distance.max() > 5
    assert bent.distance.max() < 3


@pytest.mark.parametrize("shape", Shape)
def test_a_damper_stands_where_it_was_built_in(shape: Shape) -> None:
    rays, hits = look(duct(shape, Obstacle.DAMPER))
    blade = hits.wall == BLADE

    assert blade.sum() > 10
    assert np.abs((rays[2] * hits.distance)[blade] - 1.0).max() < 0.2


@pytest.mark.parametrize("obstacle", Obstacle)
@pytest.mark.parametrize("shape", Shape)
def test_no_surface_is_seen_from_behind(shape: Shape, obstacle: Obstacle) -> None:
    _, hits = look(duct(shape, obstacle))

    assert (hits.facing > 0).all()
    assert (hits.to_light >= 0).all()
    assert all(np.isfinite(getattr(hits, name)).all() for name in Hits.__slots__)
