"""Where the ray of each picture element meets the duct. Plain trigonometry: nothing of how a wall looks.

A duct is a chain of straight sections, joined at mitres; a bend is several of them.
All arrays are flat, one element per ray.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.duct.scene import Obstacle, Scene, Shape
from drivers.duct.tiles import F32, I32

FARTHEST_M = 100.0  # rays along the duct's axis end here: long past the light
BLADE = 4  # `Hits.wall` of a damper; 0 floor, 1 right, 2 ceiling, 3 left; a round wall is 0


@dataclass(frozen=True, slots=True)
class Hits:
    """What each ray meets. `across` and `along` are the coordinates on the wall that everything is painted in."""

    distance: F32  # from the lens, m
    along: F32  # the duct, from the camera, m
    across: F32  # around the duct, m
    wall: I32
    upward: F32  # the wall's normal against gravity: 1 on a floor, 0 on a side, -1 on a ceiling
    corner: F32  # distance to the nearest corner, m; large where there is none
    facing: F32  # cosine between normal and view, above 0
    facing_along: F32  # share of the view that comes along the duct: what a surface rising away from the camera catches
    facing_across: F32
    to_light: F32  # cosine between normal and the LED ring, 0 or more
    light_m: F32  # distance of the LED ring
    footprint: F32  # of one picture element across the ray, m


@dataclass(frozen=True, slots=True)
class _Section:
    origin: NDArray[np.float64]  # on its axis, where it begins
    axes: NDArray[np.float64]  # rows: right, down, along
    start_m: float  # the duct's length up to here
    entry: NDArray[np.float64]  # normal of the mitre plane through `origin`


def directions(scene: Scene, width: int, height: int, rows: slice, per_side: int) -> tuple[F32, F32]:
    """Unit directions (3, n) in the duct's axes of the rays through `rows` of the picture, and their cosine to the
    lens's axis. Each picture element has `per_side` squared rays, row by row of the finer raster."""
    camera = scene.camera
    x = ((np.arange(width * per_side) + 0.5) / per_side - width / 2) / (width / 2)
    y = ((np.arange(rows.start * per_side, rows.stop * per_side) + 0.5) / per_side - height / 2) / (width / 2)
    bent = 1 + camera.barrel * (x[None, :] ** 2 + y[:, None] ** 2)
    scale = np.tan(camera.field_of_view / 2)
    ray = np.stack([(x[None, :] * bent * scale).ravel(), (y[:, None] * bent * scale).ravel(), np.ones(bent.size)])
    ray /= np.linalg.norm(ray, axis=0)
    turned = _turn(camera.yaw, 0, 2) @ _turn(camera.pitch, 1, 2) @ _turn(camera.roll, 0, 1) @ ray
    return turned.astype(np.float32), ray[2].astype(np.float32)


def trace(scene: Scene, rays: F32, pixel_rad: float) -> Hits:
    """Follow each ray to the first surface; `pixel_rad` is the angle that one picture element covers."""
    first, *further = _sections(scene)
    hits = _straight(scene, first, rays, pixel_rad)
    inside = np.arange(rays.shape[1])
    for section in further:
        point = _eye(scene)[:, None] + rays[:, inside] * hits.distance[inside]
        inside = inside[section.entry @ (point - section.origin[:, None]) > 0]
        if not inside.size:
            break
        _put(hits, inside, _straight(scene, section, rays[:, inside], pixel_rad))
    if scene.obstacle is Obstacle.DAMPER:
        for blade in _blades(scene):
            _put(hits, *_on_blade(scene, blade, hits, rays, pixel_rad))
    return hits


def _straight(scene: Scene, section: _Section, rays: F32, pixel_rad: float) -> Hits:
    """Where rays leave a section that has no ends."""
    eye = (section.axes @ (_eye(scene) - section.origin)).astype(np.float32)
    d = (section.axes @ rays).astype(np.float32)
    a, b = np.float32(scene.half_width_m), np.float32(scene.half_height_m)
    if scene.shape is Shape.ROUND:
        aa = np.maximum(d[0] ** 2 + d[1] ** 2, 1e-9)
        ab = eye[0] * d[0] + eye[1] * d[1]
        distance = (-ab + np.sqrt(np.maximum(ab * ab - aa * (eye[0] ** 2 + eye[1] ** 2 - a * a), 0))) / aa
        q = eye[:, None] + d * distance
        theta = np.arctan2(q[0], q[1])  # 0 on the floor, a quarter turn on the right
        across = a * theta
        normal_x, normal_y = -np.sin(theta), -np.cos(theta)
        wall = np.zeros(theta.shape, np.int32)
        corner = np.full(theta.shape, 10.0, np.float32)
    else:
        to_x = (np.copysign(a, d[0]) - eye[0]) / np.where(np.abs(d[0]) < 1e-6, np.copysign(1e-6, d[0]), d[0])
        to_y = (np.copysign(b, d[1]) - eye[1]) / np.where(np.abs(d[1]) < 1e-6, np.copysign(1e-6, d[1]), d[1])
        on_side = to_x < to_y
        distance = np.where(on_side, to_x, to_y)
        q = eye[:, None] + d * distance
        normal_x = np.where(on_side, -np.sign(d[0]), 0)
        normal_y = np.where(on_side, 0, -np.sign(d[1]))
        wall = np.where(on_side, np.where(d[0] > 0, 1, 3), np.where(d[1] > 0, 0, 2)).astype(np.int32)
        across = np.choose(wall, [q[0] + a, 2 * a + b - q[1], 3 * a + 2 * b - q[0], 4 * a + 3 * b + q[1]])
        corner = np.where(on_side, b - np.abs(q[1]), a - np.abs(q[0]))
    light = (section.axes @ (_eye(scene) + _ring(scene) - section.origin)).astype(np.float32)
    to_light = light[:, None] - q
    light_m = np.maximum(np.sqrt((to_light**2).sum(axis=0)), 0.01)
    return _hits(
        distance=distance,
        along=section.start_m + q[2],
        across=across,
        wall=wall,
        upward=-(section.axes[0, 1] * normal_x + section.axes[1, 1] * normal_y),
        corner=corner,
        facing=-(d[0] * normal_x + d[1] * normal_y),
        facing_along=d[2],
        facing_across=d[0] * normal_y - d[1] * normal_x,
        to_light=(to_light[0] * normal_x + to_light[1] * normal_y) / light_m,
        light_m=light_m,
        footprint=distance * pixel_rad,
    )


def _sections(scene: Scene) -> tuple[_Section, ...]:
    ahead = np.array([0.0, 0.0, 1.0])
    sections = [_Section(np.zeros(3), np.eye(3), 0.0, ahead)]
    if scene.obstacle is not Obstacle.BEND:
        return tuple(sections)
    rectangular = scene.shape is Shape.RECTANGULAR
    count, turn = (1, np.pi / 2) if rectangular else (5, np.pi / 10)  # a mitred elbow, or a gored one
    side = np.pi * (scene.seed % 2) + (0.0 if rectangular else scene.obstacle_angle - 0.8)
    length_m = 2 * 3 * scene.half_width_m * np.tan(turn / 2)  # bends 1.5 diameters wide: usual for round fittings
    for number in range(count):
        last = sections[-1]
        step = scene.obstacle_m if number == 0 else length_m
        right, down, along = last.axes
        towards = right * np.cos(side) + down * np.sin(side)
        shear = (np.cos(turn) - 1) * towards - np.sin(turn) * along
        axes = np.stack(
            [
                right + np.cos(side) * shear,
                down + np.sin(side) * shear,
                along * np.cos(turn) + towards * np.sin(turn),
            ]
        )
        sections.append(_Section(last.origin + along * step, axes, last.start_m + step, along + axes[2]))
    return tuple(sections)


def _blades(scene: Scene) -> list[tuple[float, float, float]]:
    """Height of the shaft, half the chord and tilt of each blade."""
    half = scene.half_height_m
    if scene.shape is Shape.ROUND:
        return [(0.0, half, scene.obstacle_angle)]
    count = max(2, round(2 * half / 0.15))
    return [
        (half * ((2 * n + 1) / count - 1), half / count * 0.98, scene.obstacle_angle * (-1) ** n) for n in range(count)
    ]


def _on_blade(
    scene: Scene, blade: tuple[float, float, float], hits: Hits, rays: F32, pixel_rad: float
) -> tuple[NDArray[np.intp], Hits]:
    """The rays that meet a damper's blade before anything else, and where."""
    shaft_y, half_chord, tilt = blade
    eye, light = _eye(scene), _eye(scene) + _ring(scene)
    chord = np.array([0.0, np.cos(tilt), np.sin(tilt)])
    normal = np.array([0.0, -np.sin(tilt), np.cos(tilt)])
    centre = np.array([0.0, shaft_y, scene.obstacle_m])
    slant = (normal @ rays).astype(np.float32)
    distance = float(normal @ (centre - eye)) / np.where(np.abs(slant) < 1e-5, 1e-5, slant)
    q = eye[:, None] + rays * distance
    s = chord @ (q - centre[:, None])
    reach = np.maximum(half_chord**2 - q[0] ** 2, 0) if scene.shape is Shape.ROUND else half_chord**2
    met = np.flatnonzero((distance > 0.02) & (distance < hits.distance) & (s * s < reach))
    q, s, d = q[:, met], s[met], rays[:, met]
    flip = -np.sign(slant[met])  # the face that is seen
    to_light = light[:, None] - q
    light_m = np.maximum(np.sqrt((to_light**2).sum(axis=0)), 0.01)
    return met, _hits(
        distance=distance[met],
        along=scene.obstacle_m + s,
        across=q[0] + 5.0,
        wall=np.full(met.size, BLADE, np.int32),
        upward=-normal[1] * flip,
        corner=np.full(met.size, 10.0),
        facing=np.abs(slant[met]),
        facing_along=chord @ d,
        facing_across=-d[0],
        to_light=(normal @ to_light) * flip / light_m,
        light_m=light_m,
        footprint=distance[met] * pixel_rad,
    )


def _hits(*, wall: I32, facing: NDArray[Any], to_light: NDArray[Any], **values: NDArray[Any]) -> Hits:
    single = {name: np.clip(value, -FARTHEST_M, FARTHEST_M).astype(np.float32) for name, value in values.items()}
    return Hits(
        wall=wall,
        facing=np.maximum(facing, 1e-3).astype(np.float32, copy=False),
        to_light=np.maximum(to_light, 0).astype(np.float32, copy=False),
        **single,
    )


def _put(hits: Hits, where: NDArray[np.intp], others: Hits) -> None:
    for field in fields(Hits):
        getattr(hits, field.name)[where] = getattr(others, field.name)


def _eye(scene: Scene) -> NDArray[np.float64]:
    return np.array([scene.camera.x_m, scene.camera.y_m, 0.0])


def _ring(scene: Scene) -> NDArray[np.float64]:
    return np.array([scene.ring.x_m, scene.ring.y_m, 0.0])


def _turn(angle: float, one: int, other: int) -> NDArray[np.float64]:
    """Rotation that carries the `other` axis towards the `one` axis."""
    matrix = np.eye(3)
    matrix[one, one] = matrix[other, other] = np.cos(angle)
    matrix[one, other], matrix[other, one] = np.sin(angle), -np.sin(angle)
    return matrix
