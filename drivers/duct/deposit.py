"""Where the deposit lies and how much, in g/m2, as a fixed pattern that grows with the mean.

Two patterns, a film and clumps, each with mean 1 over the wall in view, are mixed so that at every spot the coverage
only grows with the mean, and so that their mean is exactly the one asked for. Degrees that practice knows:
0.075 g/m2 after cleaning (NADCA ACR), and for supply ducts 0.6, 3.0 and 4.5 g/m2 as the limits of the high, medium
and low cleanliness classes (EN 15780:2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drivers.duct.geometry import BLADE, Hits
from drivers.duct.scene import Obstacle, Scene
from drivers.duct.surface import from_joint, woven
from drivers.duct.tiles import F32, Tiles, dice, hashed

THICKEST_G_M2 = 20.0  # renders beyond this look no different
EXTINCTION_M2_G = 0.32  # shadow of fine dust: 1.5 / (1 g/cm3 x 4.7 um), so 1 g/m2 hides 27 % seen from above
CLUMPS_FROM_G_M2 = 2.5  # half of the clumps' share is reached here
CELL_M = 0.09  # room of one crumb


@dataclass(frozen=True, slots=True)
class Pattern:
    """One element per ray. `film` and `clumps` are not yet scaled to mean 1."""

    film: F32
    clumps: F32
    relief: F32  # -1..1: which side of a thick deposit's humps is seen
    patches: F32  # 0..1, from the deposit's colour to its second one
    crumb: F32  # 0..1, how much of the spot a crumb covers
    crumb_from_g_m2: F32  # the mean at which it has come to lie there
    crumb_grey: F32  # its reflectance


def clump_share(scene: Scene, mean_g_m2: float) -> float:
    """The share of the deposit that lies in clumps: grows with the degree, so slowly that the film never shrinks."""
    return scene.soiling.clumps * mean_g_m2 / (mean_g_m2 + CLUMPS_FROM_G_M2)


def coverage(scene: Scene, film: F32, clumps: F32, mean_g_m2: float) -> F32:
    """g/m2 at each spot, from patterns of mean 1."""
    share = clump_share(scene, mean_g_m2)
    return film * np.float32(mean_g_m2 * (1 - share)) + clumps * np.float32(mean_g_m2 * share)


def pattern(scene: Scene, hits: Hits, tiles: Tiles) -> Pattern:
    soiling, seed = scene.soiling, scene.seed
    cloud = woven(scene, tiles.cloud, hits, 0.002, offset=(seed * 17.0, 300))
    fine = woven(scene, tiles.cloud, hits, 0.0007, offset=(seed * 19.0, 0))
    before = woven(scene, tiles.cloud, hits, 0.0007, offset=(seed * 19.0, -4))
    grain = woven(scene, tiles.grain, hits, 0.0006, offset=(0, seed * 23.0))
    streak = woven(scene, tiles.cloud, hits, 0.0016, stretch=25, offset=(seed * 29.0, 0))
    lint = woven(scene, tiles.fibres, hits, 0.00035, offset=(seed * 31.0, 500)) * (
        np.float32(0.15) + np.float32(0.85) * np.abs(hits.upward)
    )
    settled = np.maximum(hits.upward, 0) ** np.float32(1.5)
    base = 0.04 + (1 - soiling.floor_share) * (0.6 + 0.2 * hits.upward) + soiling.floor_share * 2.4 * settled
    if scene.obstacle is not Obstacle.NONE:  # what stands in the flow is thrown at
        base += 3 * np.maximum(hits.facing - 0.7, 0) * (hits.along > 0.8 * scene.obstacle_m) * (1 - soiling.floor_share)
    base = base * _gathering(scene, hits)
    uneven = np.exp((cloud - 0.5) * 3 + (streak - 0.5) * np.float32(5 * soiling.streaks) + (grain - 0.5) * 0.8)
    film = base * (0.35 + 0.65 * uneven)  # no spot stays bare for ever
    lumps = np.clip((fine - 0.52) * 6, 0, 1.6) * np.clip((cloud - 0.3) * 3, 0, 1) * (0.4 + 1.2 * grain)
    clumps = base * (lumps + np.float32(3 * soiling.lint) * lint + 0.3)
    swell = cloud - woven(scene, tiles.cloud, hits, 0.002, offset=(seed * 17.0, 296))
    relief = np.clip((fine - before) * 9 + swell * 5 + (grain - 0.5) * 0.9, -1, 1)
    crumb, crumb_from, crumb_grey = _crumbs(scene, hits, settled, fine)
    return Pattern(
        film.astype(np.float32),
        clumps.astype(np.float32),
        relief.astype(np.float32),
        _patches(soiling.spots, cloud, fine, grain, lint),
        crumb,
        crumb_from,
        crumb_grey,
    )


def _patches(spots: float, cloud: F32, fine: F32, grain: F32, lint: F32) -> F32:
    soft = np.clip((cloud - 0.5) * 2.2 + 0.5 + lint * 0.3, 0, 1)
    sharp = np.clip((fine + grain - 1.12) * 7, 0, 1) * np.clip((cloud - 0.42) * 5, 0, 1)
    patches: F32 = (soft + np.float32(spots) * (sharp - soft)).astype(np.float32)
    return patches


def _gathering(scene: Scene, hits: Hits) -> F32:
    """More behind joints, where the flow is slow, and in corners."""
    joint = from_joint(scene, hits)
    behind = np.where(joint > 0, np.exp(-np.minimum(np.abs(joint), 1) / np.float32(0.06)), 0)
    corner = np.exp(hits.corner * np.float32(-1 / 0.04)) * (1 + hits.upward)
    gathered: F32 = (1 + np.float32(scene.soiling.joints) * (2.5 * behind + 1.5 * corner)).astype(np.float32)
    return gathered


def _crumbs(scene: Scene, hits: Hits, settled: F32, rough: F32) -> tuple[F32, F32, F32]:
    """Crumbs and flakes on floors, at most one in a cell, each there from its own degree on."""
    cover, start, grey = (np.zeros_like(rough) for _ in range(3))
    floor = np.flatnonzero((settled > 0.3) & (hits.wall != BLADE))
    x, y = hits.across[floor] * np.float32(1 / CELL_M), hits.along[floor] * np.float32(1 / CELL_M)
    column, row = np.floor(x), np.floor(y)
    bits = hashed(scene.seed + 1, column.astype(np.int32), row.astype(np.int32))
    there = np.flatnonzero(dice(bits, 3) < 0.5 * scene.soiling.debris)
    floor, bits = floor[there], bits[there]
    more = hashed(scene.seed + 2, column[there].astype(np.int32), row[there].astype(np.int32))
    x = (x - column)[there] - (0.25 + 0.5 * dice(bits, 0))
    y = (y - row)[there] - (0.25 + 0.5 * dice(bits, 1))
    turn = dice(bits, 2) * np.float32(np.pi)
    long = 0.03 + 0.12 * dice(more, 0) ** 3
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    edge = 1 - np.hypot(u / long, v / (long * (0.15 + 0.7 * dice(more, 1)))) + (rough[floor] - 0.5) * 1.2
    cover[floor] = np.clip(edge * 4, 0, 1)
    start[floor] = 0.3 + 8 * dice(more, 2) ** 1.5
    grey[floor] = 0.04 + 0.4 * dice(more, 3) ** 2
    return cover, start, grey
