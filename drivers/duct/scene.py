"""One simulated duct with the camera in it: its shape, its surface, what is built in, and how it soils.

A scene is plain data. Pictures of it come from `drivers.duct.render`.
Axes of the duct: x right, y down, z along the duct and away from the camera. Lengths in metres, angles in radians.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

Rgb = tuple[float, float, float]

WET_DUCTS = 1 / 6


class Shape(Enum):
    RECTANGULAR = "rectangular"
    ROUND = "round"


class Material(Enum):
    GALVANISED = "galvanised"  # zinc spangle, joints, folded or spiral seams
    FLEXIBLE = "flexible"  # foil or film over a helical wire
    LINED = "lined"  # fibrous acoustic liner held by pins


class Obstacle(Enum):
    """What closes the view in the distance."""

    NONE = "none"
    BEND = "bend"
    DAMPER = "damper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Where the camera is fixed, where it looks, and its lens."""

    x_m: float  # off the duct's axis
    y_m: float
    yaw: float  # to the right
    pitch: float  # downwards
    roll: float
    field_of_view: float  # horizontal
    barrel: float  # radial distortion: r * (1 + barrel * r^2), r in half widths of the picture
    vignette: float  # light lost in the corners, 0..1
    white_balance: Rgb  # gain of each channel as installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The LED ring around the lens."""

    x_m: float  # its centre off the lens
    y_m: float
    beam: float  # exponent of the cosine that the beam falls off with: 1 is wide, 8 is narrow
    colour: Rgb


@dataclass(frozen=True, slots=True, kw_only=True)
class Soiling:
    """How this duct soils: where the deposit goes and what it is. How much is `mean_g_m2` when rendering."""

    colour: Rgb  # reflectance of a thick layer, linear light
    patch_colour: Rgb  # of the patches in it
    spots: float  # 0: patches are wide and soft, 1: small and sharp, as mould grows
    floor_share: float  # 0: the same all around, 1: all that settles lies on the floor
    streaks: float  # 0..1, along the flow
    clumps: float  # 0..1, share of a thick deposit that lies in clumps
    joints: float  # 0..1, gathering behind joints, screws and in corners
    lint: float  # 0..1, fibres
    debris: float  # 0..1, crumbs and flakes on the floor


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A duct and the camera in it. Equal scenes give equal pictures."""

    seed: int  # of every noise field: the same seed is the same duct seen from another pose
    shape: Shape
    material: Material
    half_width_m: float  # the radius of a round duct
    half_height_m: float
    joint_spacing_m: float
    joint_offset_m: float  # distance of the first joint
    flange: float  # 0..1, how much a joint stands out
    screws: bool
    obstacle: Obstacle
    obstacle_m: float  # distance
    obstacle_angle: float  # of the turn or the blades
    tint: Rgb  # reflectance of the clean surface, linear light
    gloss: float  # 0..1: how strongly facets shine
    texture_m: float  # size of spangle grains, pitch of the wire, distance of the liner's pins
    weathering: float  # 0..1: dull patches, stains and scratches of a clean but old surface
    wet: float  # 0..1: how much of the floor is wet with condensate
    camera: Camera
    ring: Ring
    soiling: Soiling

    @property
    def radius_m(self) -> float:
        """Half the smaller side: the length that light and sizes scale with."""
        return min(self.half_width_m, self.half_height_m)


def random_scene(seed: int) -> Scene:
    """A plausible duct. The same seed gives the same scene, on any machine."""
    rng = np.random.default_rng(seed)
    material = Material(str(rng.choice([m.value for m in Material], p=[0.6, 0.18, 0.22])))
    is_round = material is Material.FLEXIBLE or (material is Material.GALVANISED and rng.random() < 0.45)
    half_width = float(rng.uniform(0.08, 0.25) if is_round else rng.uniform(0.12, 0.4))
    half_height = half_width if is_round else float(half_width * rng.uniform(0.5, 1.0))
    flexible = material is Material.FLEXIBLE
    obstacle = Obstacle.NONE if rng.random() < 0.3 else (Obstacle.DAMPER, Obstacle.BEND)[int(rng.random() < 0.6)]
    if flexible and obstacle is Obstacle.DAMPER:
        obstacle = Obstacle.BEND
    reach = min(half_width, half_height)
    return Scene(
        seed=seed,
        shape=Shape.ROUND if is_round else Shape.RECTANGULAR,
        material=material,
        half_width_m=half_width,
        half_height_m=half_height,
        joint_spacing_m=1e3 if flexible else float(rng.choice([0.9, 1.2, 1.5, 3.0])),
        joint_offset_m=float(rng.uniform(0.25, 0.9)),
        flange=float(rng.uniform(0.2, 1.0)),
        screws=bool(rng.random() < 0.7),
        obstacle=obstacle,
        obstacle_m=float(reach * rng.uniform(4, 12)),
        obstacle_angle=float(rng.uniform(0.3, 1.3)),
        tint=_surface_tint(rng, material),
        gloss=float(rng.uniform(0.25, 1.0)),
        texture_m=float(
            {"galvanised": 0.002 * 6.0 ** rng.uniform(0, 1), "flexible": rng.uniform(0.02, 0.045)}.get(
                material.value, rng.uniform(0.2, 0.4)
            )
        ),
        weathering=float(rng.uniform(0, 1)),
        wet=_wet(seed),
        camera=_random_camera(rng, half_width, half_height),
        ring=Ring(
            x_m=float(rng.uniform(-0.02, 0.02)),
            y_m=float(rng.uniform(-0.03, 0.02)),
            beam=float(rng.uniform(0.5, 4)),
            colour=warmth(rng, 0.06),
        ),
        soiling=_random_soiling(rng),
    )


def other_way(scene: Scene, seed: int) -> Scene:
    """The second camera of a pair: the same kind of duct, looking the other way from the same place."""
    other = random_scene(seed)
    return replace(
        scene,
        seed=seed,
        camera=replace(scene.camera, x_m=-scene.camera.x_m, yaw=-scene.camera.yaw, roll=-scene.camera.roll),
        joint_offset_m=other.joint_offset_m,
        obstacle=Obstacle.NONE if scene.obstacle is Obstacle.BEND else scene.obstacle,
        obstacle_m=scene.radius_m * 8,
    )


def warmth(rng: np.random.Generator, spread: float) -> Rgb:
    """White that leans to red or to blue, as lamps and cameras do, and hardly to green."""
    warm, green = float(rng.normal(0, spread)), float(rng.normal(0, spread / 4))
    return (float(np.exp(warm)), float(np.exp(green)), float(np.exp(-warm)))


def _random_camera(rng: np.random.Generator, half_width_m: float, half_height_m: float) -> Camera:
    return Camera(
        x_m=float(rng.uniform(-0.4, 0.4) * half_width_m),
        y_m=float(rng.uniform(-0.55, 0.3) * half_height_m),
        yaw=float(rng.normal(0, 0.1)),
        pitch=float(rng.normal(0.12, 0.09)),
        roll=float(rng.normal(0, 0.06)),
        field_of_view=float(rng.uniform(1.1, 1.75)),
        barrel=float(rng.uniform(-0.02, 0.16)),
        vignette=float(rng.uniform(0, 0.45)),
        white_balance=warmth(rng, 0.08),
    )


def _random_soiling(rng: np.random.Generator) -> Soiling:
    greys = [(0.33, 0.31, 0.28), (0.36, 0.30, 0.23), (0.42, 0.38, 0.32), (0.22, 0.21, 0.20), (0.28, 0.24, 0.19)]
    colour = _colour(rng, greys[int(rng.integers(len(greys)))], 0.12)
    mould = rng.random() < 0.2
    return Soiling(
        colour=colour,
        patch_colour=_colour(rng, (0.04, 0.045, 0.035) if mould else colour, 0.2),
        spots=float(rng.uniform(0.6, 1)) if mould else 0.0,
        floor_share=float(rng.uniform(0.1, 0.7)),
        streaks=float(rng.uniform(0, 1)),
        clumps=float(rng.uniform(0.1, 0.8)),
        joints=float(rng.uniform(0, 1)),
        lint=float(rng.uniform(0, 1)),
        debris=float(rng.uniform(0, 1) ** 2),
    )


def _wet(seed: int) -> float:
    """One duct in six: behind a cooling coil, or not insulated."""
    rng = np.random.default_rng([seed, 11])  # of its own: what was drawn before it was thought of stays the same
    return float(rng.uniform(0.3, 1)) if rng.random() < WET_DUCTS else 0.0


def _surface_tint(rng: np.random.Generator, material: Material) -> Rgb:
    if material is Material.LINED:
        liners = [(0.045, 0.045, 0.05), (0.09, 0.09, 0.09), (0.42, 0.36, 0.2), (0.5, 0.5, 0.47)]
        return _colour(rng, liners[int(rng.choice(4, p=[0.45, 0.3, 0.1, 0.15]))], 0.1)
    if material is Material.FLEXIBLE:
        films = [(0.5, 0.51, 0.52), (0.62, 0.62, 0.6), (0.1, 0.1, 0.11)]
        return _colour(rng, films[int(rng.choice(3, p=[0.6, 0.2, 0.2]))], 0.08)
    return _colour(rng, (0.34, 0.36, 0.38), 0.12)


def _colour(rng: np.random.Generator, near: Rgb, spread: float) -> Rgb:
    """A colour near `near`: its level varies, and a little each channel."""
    level = float(np.exp(rng.normal(0, spread)))
    channels = np.asarray(near) * level * np.exp(rng.normal(0, spread / 4, 3))
    return (float(channels[0]), float(channels[1]), float(channels[2]))
