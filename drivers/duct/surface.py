"""How the clean wall looks: what colour it has, where it shines, how it is bent and what it shades.

Everything is painted in coordinates on the wall, so that the duct stays the same from any pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drivers.duct.geometry import BLADE, Hits
from drivers.duct.scene import Material, Obstacle, Scene, Shape
from drivers.duct.tiles import CRYSTAL, F32, SIDE, Tile, Tiles, dice, hashed

RUST = (0.30, 0.13, 0.05)  # reflectance of iron oxide hydrate, linear light
STRIP_M = 0.137  # sheet width that spiral duct is wound from: the usual coil
COARSE = 0.6  # rays per texel below which the eye would see texels: smooth between them
DARKER_WET = np.float32(0.6)  # share of the diffuse light that a film of water keeps back: by eye
FLANGE_M = 0.012
SCREW_M = 0.005  # radius of a screw's head
SCREW_SPACING_M = 0.12


@dataclass(slots=True)
class Surface:
    """One element per ray."""

    colour: F32  # (3, n) diffuse reflectance
    shine: F32  # how much the spot's facets glitter, 1 is usual
    slope_along: F32  # of the height over the flat wall; above 0 faces the camera
    slope_across: F32
    light: F32  # share of the light that shade and gaps leave, 0..1
    wet: F32  # 0..1, whatever lies on the spot: water soaks a deposit, too


def surface(scene: Scene, hits: Hits, tiles: Tiles) -> Surface:
    paint = {Material.GALVANISED: _galvanised, Material.FLEXIBLE: _flexible, Material.LINED: _lined}[scene.material]
    look = paint(scene, hits, tiles)
    look.light *= 1 - np.float32(0.35) * np.exp(hits.corner * np.float32(-1 / 0.03))
    if scene.wet:
        _wet(scene, hits, look, tiles)
    return look


def from_joint(scene: Scene, hits: Hits) -> F32:
    """Distance from the nearest joint along the duct: above 0 behind it, seen from the camera."""
    spacing = np.float32(scene.joint_spacing_m)
    nearest = (hits.along - np.float32(scene.joint_offset_m) + spacing / 2) % spacing - spacing / 2
    jointless = hits.wall == BLADE
    if scene.obstacle is Obstacle.BEND:  # fittings are one piece
        jointless |= np.abs(hits.along - np.float32(scene.obstacle_m)) < np.float32(1.3 * scene.half_width_m)
    return np.where(jointless, np.float32(1e3), nearest)


def woven(
    scene: Scene,
    tile: Tile,
    hits: Hits,
    texel_m: float,
    *,
    stretch: float = 1.0,
    offset: tuple[float | F32, float | F32] = (0.0, 0.0),
) -> F32:
    """The tile laid on the wall, `stretch` times longer along the duct, at the detail that the picture can show.

    Around a round duct a whole number of tiles is laid, so that it closes at the top.
    """
    if scene.shape is Shape.ROUND:
        around_m = 2 * np.pi * scene.half_width_m
        texel_m = around_m / SIDE / max(1, round(around_m / (SIDE * texel_m)))
    detail = hits.footprint / (2 * texel_m) * np.minimum(hits.facing ** np.float32(-0.5), 8)
    x = hits.across * np.float32(1 / texel_m) + np.asarray(offset[0] % SIDE, np.float32)
    y = hits.along * np.float32(1 / (texel_m * stretch)) + np.asarray(offset[1] % SIDE, np.float32)
    values = tile.at(x, y, np.log2(np.maximum(detail, 1)).astype(np.int32))
    near = np.flatnonzero(detail < COARSE)
    values[near] = tile.between(x[near], y[near])
    return values


def _galvanised(scene: Scene, hits: Hits, tiles: Tiles) -> Surface:
    joint = from_joint(scene, hits)
    panel = np.floor((hits.along - np.float32(scene.joint_offset_m)) / np.float32(scene.joint_spacing_m))
    bits = hashed(scene.seed, panel.astype(np.int32), hits.wall)
    grain_m = scene.texture_m / CRYSTAL
    shift = (SIDE * dice(bits, 0), SIDE * dice(bits, 1))
    spangle = woven(scene, tiles.spangle, hits, grain_m, offset=shift)
    cloud = woven(scene, tiles.cloud, hits, 0.003, offset=(scene.seed * 37.0, 0))
    rolled = woven(scene, tiles.cloud, hits, 0.0012, stretch=60, offset=(0, scene.seed * 11.0))
    worn = np.clip(
        (woven(scene, tiles.cloud, hits, 0.0011, offset=(400, scene.seed * 5.0)) - 0.5) * 5,
        np.float32(0),
        np.float32(1),
    )
    worn *= np.float32(scene.weathering)
    contrast = np.float32(1 - 0.6 * scene.weathering)
    grey = 1 + contrast * (spangle - 0.35) * 1.1 + (cloud - 0.5) * 0.5 + (rolled - 0.5) * 0.5
    grey = grey * (0.88 + 0.24 * dice(bits, 2)) * (1 + 0.25 * worn)
    scratch = woven(scene, tiles.fibres, hits, 0.0009, offset=(scene.seed * 3.0, 200))
    shine = (0.15 + 2.2 * contrast * spangle**1.5) * (0.5 + rolled) * (1 - 0.75 * worn)
    look = _flat(scene, grey, shine + scratch * np.float32(0.8 * scene.weathering))
    _rust(scene, hits, joint, look, woven(scene, tiles.cloud, hits, 0.0009, offset=(700, scene.seed * 41.0)))
    _joints(scene, hits, joint, look, woven(scene, tiles.cloud, hits, 0.0007))
    if scene.shape is Shape.ROUND and scene.seed % 4:
        _spiral_seam(scene, hits, look)
    if scene.shape is Shape.RECTANGULAR:
        _folded_seam(hits, look)
        if scene.seed % 3 == 0:
            bead = (hits.along + np.float32(0.11)) % np.float32(0.3) - np.float32(0.15)
            look.slope_along -= _ridge(bead, 0.008, 0.5)
    if scene.screws:
        _screws(joint, hits, look)
    return look


def _flexible(scene: Scene, hits: Hits, tiles: Tiles) -> Surface:
    """A film that sags outwards between the turns of its wire: steep before and behind each turn, flat between."""
    pitch = np.float32(scene.texture_m)
    turns = hits.along / pitch + hits.across * np.float32(1 / (2 * np.pi * scene.half_width_m))
    visible = np.clip(
        pitch * hits.facing / (2 * hits.footprint) - 0.2, np.float32(0), np.float32(1)
    )  # ribs too fine to see are flat
    behind = turns - np.round(turns)  # -0.5..0.5 of a turn behind the wire
    sag = 1 - 2 * np.abs(behind)
    crinkle = woven(scene, tiles.grain, hits, 0.002, offset=(scene.seed * 7.0, 0)) - 0.5
    fold = woven(scene, tiles.cloud, hits, 0.0012, stretch=3, offset=(0, scene.seed * 13.0)) - 0.5
    sparkle: F32 = np.maximum(crinkle + np.float32(0.7) * fold, np.float32(0)) ** 2
    look = _flat(scene, 0.8 + fold * 0.5 + crinkle * 0.2, np.float32(0.25) + np.float32(18) * sparkle)
    steepness = np.float32(0.25 + 0.45 * scene.flange)
    look.slope_along -= steepness * sag * np.tanh(behind * 16) * visible - crinkle * 0.5
    look.slope_across += fold * 1.6 + crinkle * 0.3
    look.light *= 1 - 0.3 * (1 - sag) * visible
    return look


def _lined(scene: Scene, hits: Hits, tiles: Tiles) -> Surface:
    joint = from_joint(scene, hits)
    mat = woven(scene, tiles.grain, hits, 0.0008, offset=(scene.seed * 7.0, 0)) - 0.5
    cloud = woven(scene, tiles.cloud, hits, 0.003, offset=(0, scene.seed * 13.0)) - 0.5
    thread = woven(scene, tiles.fibres, hits, 0.0003, offset=(scene.seed * 3.0, 50))
    look = _flat(scene, 1 + mat * 0.7 + cloud * 0.5 + thread * 0.5, np.full_like(mat, 0.06))
    look.slope_along += mat * 0.5
    taped = np.abs(joint + cloud * 0.004) < 0.035 * scene.flange + 0.01
    look.colour *= np.where(taped, np.float32(0.7 + 0.5 * scene.flange), 1)
    look.light *= np.where(np.abs(np.abs(joint) - 0.035 * scene.flange - 0.01) < 0.002, np.float32(0.6), 1)
    _pins(scene, hits, look)
    return look


def _flat(scene: Scene, grey: F32, shine: F32) -> Surface:
    tint = np.asarray(scene.tint, np.float32)[:, None]
    return Surface(
        colour=tint * np.maximum(grey, 0.05).astype(np.float32),
        shine=np.maximum(shine, 0).astype(np.float32),
        slope_along=np.zeros(grey.shape, np.float32),
        slope_across=np.zeros(grey.shape, np.float32),
        light=np.ones(grey.shape, np.float32),
        wet=np.zeros(grey.shape, np.float32),
    )


def _rust(scene: Scene, hits: Hits, joint: F32, look: Surface, cloud: F32) -> None:
    """Brown bloom where the zinc is used up, first at joints and in corners of an old duct. It is no deposit."""
    wet = 0.12 * np.exp(np.abs(joint) * np.float32(-1 / 0.05)) + 0.08 * np.exp(hits.corner * np.float32(-1 / 0.05))
    bloom = np.clip((cloud + wet - np.float32(1.05 - 0.3 * scene.weathering**2)) * 4, 0, 0.85)
    brown = np.asarray(RUST, np.float32)[:, None] * (2.4 * cloud - 0.7)
    look.colour += bloom * (brown - look.colour)
    look.shine *= 1 - bloom


def _wet(scene: Scene, hits: Hits, look: Surface, tiles: Tiles) -> None:
    """Condensate: puddles on the floor and runs down the walls, dark and smooth (Lekner and Dorf 1988)."""
    pool = woven(scene, tiles.cloud, hits, 0.0022, offset=(scene.seed * 43.0, 120))
    run = woven(scene, tiles.cloud, hits, 0.0008, stretch=0.25, offset=(scene.seed * 47.0, 640))
    lies, falls = np.clip(hits.upward, 0, 1), 1 - np.abs(hits.upward)
    wet = (pool + 0.3 * lies - np.float32(0.98 - 0.3 * scene.wet)) * 14
    runs = (run + 0.3 * pool - np.float32(0.9 - 0.12 * scene.wet)) * 10
    look.wet = np.clip(np.maximum(wet, runs * falls), 0, 1).astype(np.float32)
    look.colour *= 1 - DARKER_WET * look.wet
    look.shine += look.wet * (0.35 - look.shine)
    look.slope_along *= 1 - 0.8 * look.wet
    look.slope_across *= 1 - 0.8 * look.wet


def _joints(scene: Scene, hits: Hits, joint: F32, look: Surface, cloud: F32) -> None:
    """A slip or flange: a lip that rises to a dark gap, sometimes smeared over with sealant."""
    before, behind = (joint > -FLANGE_M) & (joint < 0), (joint > 0) & (joint < FLANGE_M)
    look.slope_along += np.float32(0.9 * scene.flange) * (before * np.float32(1) - behind)
    look.light *= np.where(np.abs(joint) < 0.0025, np.float32(1 - 0.85 * scene.flange), 1)
    look.light *= np.where(behind, np.float32(1 - 0.5 * scene.flange), 1)
    if scene.seed % 5 < 2:
        mastic = np.clip((0.028 + 0.05 * (cloud - 0.5) - np.abs(joint)) * 300, np.float32(0), np.float32(1)) * (
            hits.wall != BLADE
        )
        grey = np.float32(0.2 + 0.35 * scene.weathering)
        look.colour += mastic * (grey * (0.8 + 0.4 * cloud) - look.colour)
        look.shine *= 1 - 0.9 * mastic
        look.slope_along += mastic * (cloud - 0.5) * 2


def _spiral_seam(scene: Scene, hits: Hits, look: Surface) -> None:
    turn = hits.across * np.float32(STRIP_M / (2 * np.pi * scene.half_width_m))
    seam = (hits.along - turn) % np.float32(STRIP_M) - np.float32(STRIP_M / 2)
    seam = np.where(hits.wall == BLADE, 1, seam)
    look.slope_along -= _ridge(seam, 0.005, 0.7)
    look.light *= np.where(np.abs(seam - 0.005) < 0.0015, np.float32(0.5), np.float32(1))


def _folded_seam(hits: Hits, look: Surface) -> None:
    """The lock seam in two of the corners."""
    lap = (hits.wall % 2 == 0) & (hits.corner < 0.022)
    look.light *= np.where(lap & (hits.corner > 0.019), np.float32(0.45), np.float32(1))
    look.colour *= np.where(lap, np.float32(1.12), 1)


def _screws(joint: F32, hits: Hits, look: Surface) -> None:
    around = hits.across % np.float32(SCREW_SPACING_M) - np.float32(SCREW_SPACING_M / 2)
    beside = joint - np.float32(0.028)
    head = np.hypot(beside, around) < SCREW_M
    look.slope_along -= np.where(head, beside * np.float32(1.4 / SCREW_M), np.float32(0))
    look.slope_across -= np.where(head, around * np.float32(1.4 / SCREW_M), np.float32(0))
    look.shine += np.where(head, np.float32(1.5), np.float32(0))
    shade = (beside > SCREW_M) & (beside < 3.5 * SCREW_M) & (np.abs(around) < SCREW_M * 0.8)
    look.light *= np.where(shade, np.float32(0.5), 1)


def _pins(scene: Scene, hits: Hits, look: Surface) -> None:
    """Metal washers that hold a liner, and the dimple around each."""
    grid = np.float32(scene.texture_m)
    x, y = hits.across % grid - grid / 2, hits.along % grid - grid / 2
    away = np.hypot(x, y)
    washer = away < 0.011
    look.light *= 1 - 0.5 * np.exp(-(((away - 0.013) / 0.008) ** 2))
    look.colour = np.where(washer, np.float32(0.28), look.colour)
    look.shine = np.where(washer, np.float32(0.5), look.shine)
    look.slope_along = np.where(washer, np.float32(0.15), look.slope_along)


def _ridge(away: F32, half_width_m: float, steepness: float) -> F32:
    """Slope of a rounded ridge at `away` from its crest."""
    inside = np.abs(away) < half_width_m
    return np.where(inside, np.float32(steepness) * np.sin(away * np.float32(np.pi / half_width_m)), np.float32(0))
