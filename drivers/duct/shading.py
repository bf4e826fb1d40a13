"""The layers of a picture that do not change: the wall clean, under a thick deposit, and the patterns between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.duct.deposit import EXTINCTION_M2_G, pattern
from drivers.duct.geometry import directions, trace
from drivers.duct.scene import Material, Scene
from drivers.duct.surface import DARKER_WET, surface
from drivers.duct.tiles import F32, VARIANTS, tiles

PER_SIDE = 2  # rays of a picture element, squared
BAND_ROWS = 16  # drawn at a time: small enough for the processor's cache, and for a small board
REACH = 10.0  # half widths ahead that the mean coverage is counted over: the light's useful reach
THICK_RAD = 0.35  # a deposit seen at a flatter angle looks no thicker than at this one

PIPED = {Material.GALVANISED: 0.085, Material.FLEXIBLE: 0.11, Material.LINED: 0.02}
"""Light that arrives over other walls, as a share of the direct light at one half width: metal pipes it far ahead."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Radiance under full LED power and coverage of mean 1, each (height, width), colours (3, height, width)."""

    clean: F32
    dusty: F32
    piped: F32  # share of the radiance that came over other walls, 0..1
    film: F32
    clumps: F32
    thickness: F32  # m2/g: optical thickness of 1 g/m2 as seen by the camera
    relief: F32
    area_m2: F32  # of wall within reach, that a picture element shows
    crumb_at: NDArray[np.intp]  # the few picture elements with crumbs, in the flat picture
    crumb: F32
    crumb_from_g_m2: F32
    crumb_radiance: F32


def draw(scene: Scene, width: int, height: int) -> Layers:
    planes = {
        name: np.empty((depth, height, width), np.float32) for name, depth in {"clean": 3, "dusty": 3}.items()
    } | {
        name: np.empty((height, width), np.float32)
        for name in ("piped", "film", "clumps", "thickness", "relief", "area_m2", "crumb", "crumb_from", "crumb_grey")
    }
    for top in range(0, height, BAND_ROWS):
        rows = slice(top, min(top + BAND_ROWS, height))
        for name, values in _band(scene, width, height, rows).items():
            planes[name][..., rows, :] = _mean_of_rays(values, width, rows.stop - rows.start)
    area = planes["area_m2"]
    for name in ("film", "clumps"):
        planes[name] /= max(float((planes[name] * area).sum(dtype=np.float64) / area.sum(dtype=np.float64)), 1e-9)
    crumb, crumb_from, crumb_grey = (planes.pop(name) for name in ("crumb", "crumb_from", "crumb_grey"))
    at = np.flatnonzero(crumb > 0.02)
    part: F32 = crumb.ravel()[at]
    return Layers(
        crumb_at=at,
        crumb=crumb.ravel()[at],
        crumb_from_g_m2=crumb_from.ravel()[at] / part,
        crumb_radiance=crumb_grey.ravel()[at] / part,
        **planes,
    )


def _band(scene: Scene, width: int, height: int, rows: slice) -> dict[str, F32]:
    rays, off_axis = directions(scene, width, height, rows, PER_SIDE)
    pixel_rad = 2 * np.tan(scene.camera.field_of_view / 2) / width
    hits = trace(scene, rays, float(pixel_rad))
    woven = tiles(scene.seed % VARIANTS)
    look, deposit = surface(scene, hits, woven), pattern(scene, hits, woven)
    beam = off_axis ** np.float32(scene.ring.beam)
    lens = 1 - np.float32(scene.camera.vignette) * np.minimum((1 - off_axis) * 2.2, 0.9)
    source = (beam * (scene.radius_m / hits.light_m) ** 2).astype(np.float32)
    piped = (
        np.float32(PIPED[scene.material])
        * (np.minimum(scene.radius_m / hits.light_m, 2))
        * np.exp(-np.maximum(hits.along, 0) / np.float32(9 * scene.radius_m))
    )
    tilt = look.slope_along * hits.facing_along - look.slope_across * hits.facing_across
    steep = np.sqrt(1 + look.slope_along**2 + look.slope_across**2)
    facing = np.clip((hits.facing + tilt) / steep, 0.0, 1)
    lit = np.clip((hits.to_light + tilt) / steep, 0, 1) * look.light
    roundabout = piped * np.clip(0.75 + 0.9 * tilt, 0.15, 2) * look.light
    glint = np.float32(scene.gloss) * look.shine * (source * look.light * 1.6 * facing**4 + 1.1 * roundabout)
    clean = _coloured(look.colour * (source * lit + roundabout) + glint * np.float32(0.5), scene, lens)
    # what has settled evens the bumps out, and throws light back the way it came: flat against the metal's sheen
    dust_lit = np.sqrt(np.clip(hits.to_light + 0.5 * tilt, 0, 1)) * np.clip(hits.to_light * 3 + tilt, 0, 1)
    dust_light = (source * (0.7 * dust_lit) * np.sqrt(look.light) + roundabout) * (1 - DARKER_WET * look.wet)
    body, patch = (np.asarray(c, np.float32)[:, None] for c in (scene.soiling.colour, scene.soiling.patch_colour))
    share = roundabout / np.maximum(source * lit + roundabout, 1e-9)
    within = hits.along < REACH * scene.radius_m
    return {
        "clean": clean,
        "dusty": _coloured(
            (body + (patch - body) * deposit.patches) * dust_light + 0.2 * look.wet * glint, scene, lens
        ),
        "piped": share,
        "film": deposit.film,
        "clumps": deposit.clumps,
        "thickness": EXTINCTION_M2_G / np.maximum(hits.facing, np.float32(THICK_RAD)),
        "relief": deposit.relief,
        "area_m2": np.where(within, hits.footprint**2 / hits.facing, 0),
        "crumb": deposit.crumb,
        "crumb_from": deposit.crumb * deposit.crumb_from_g_m2,
        "crumb_grey": deposit.crumb * deposit.crumb_grey * dust_light * lens,
    }


def _coloured(radiance: F32, scene: Scene, lens: F32) -> F32:
    seen = np.asarray(scene.ring.colour, np.float32) * np.asarray(scene.camera.white_balance, np.float32)
    return radiance * (seen[:, None] * lens)


def _mean_of_rays(values: F32, width: int, rows: int) -> F32:
    fine = values.reshape(*values.shape[:-1], rows, PER_SIDE, width, PER_SIDE)
    total: F32 = fine[..., 0, :, 0].copy()
    for down, right in list(np.ndindex(PER_SIDE, PER_SIDE))[1:]:
        total += fine[..., down, :, right]
    total *= np.float32(1 / PER_SIDE**2)
    return total
