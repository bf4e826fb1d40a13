from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.duct.optics import Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import Material, random_scene

SIZE = (160, 120)
SOUND = Optics(noise=0.005)
DEGREES = (0.0, 0.075, 0.6, 3.0, 4.5, 12.0)


def galvanised(seed: int) -> Renderer:
    return Renderer(replace(random_scene(seed), material=Material.GALVANISED, weathering=0.2), *SIZE)


def frame(renderer: Renderer, mean_g_m2: float, optics: Optics = SOUND, light: float = 1.0) -> NDArray[np.uint8]:
    return renderer.render(mean_g_m2=mean_g_m2, light=light, optics=optics, frame_seed=3)


def test_the_same_seed_gives_the_same_picture() -> None:
    first, second = (Renderer(random_scene(5), *SIZE) for _ in range(2))

    assert np.array_equal(frame(first, 2.0), frame(second, 2.0))


def test_the_next_frame_differs_by_noise_only() -> None:
    renderer = galvanised(5)
    frames = [renderer.render(mean_g_m2=2.0, light=1, optics=SOUND, frame_seed=n).astype(int) for n in (1, 2)]

    difference = np.abs(frames[0] - frames[1])

    assert 0 < difference.mean() < 5


@pytest.mark.parametrize("seed", range(24))
def test_every_scene_gives_a_picture_at_every_degree(seed: int) -> None:
    renderer = Renderer(random_scene(seed), 96, 72)

    for mean_g_m2 in DEGREES:
        picture = frame(renderer, mean_g_m2)
        assert picture.shape == (72, 96, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 8  # something is to be seen


def test_the_duct_soils_smoothly_before_ones_eyes() -> None:
    renderer = galvanised(3)
    pictures = [frame(renderer, mean).astype(float) for mean in np.linspace(0, 12, 121)]

    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(pictures)]

    assert max(steps) < 4
    assert float(np.abs(pictures[-1] - pictures[0]).mean()) > 10


def test_dust_hides_the_spangle() -> None:
    renderer = galvanised(3)

    contrast = [local_contrast(frame(renderer, mean)) for mean in (0.0, 2.0, 6.0)]

    assert contrast[0] > contrast[1] > contrast[2]


def test_brightness_alone_does_not_tell_clean_from_dirty() -> None:
    rng = np.random.default_rng(1)
    scenes = [Renderer(random_scene(seed), 64, 48) for seed in range(30)]
    level = {
        mean: [frame(s, mean, Optics(exposure_ev=float(rng.uniform(-1.3, 1.3)))).mean() for s in scenes]
        for mean in (0.0, 6.0)
    }

    clean_brighter = np.mean([clean > dirty for clean in level[0.0] for dirty in level[6.0]])

    assert 0.25 < clean_brighter < 0.75


@pytest.mark.parametrize("mean_g_m2", [-1.0, 21.0, float("nan")])
def test_a_coverage_that_no_duct_has_is_refused(mean_g_m2: float) -> None:
    with pytest.raises(ValueError, match="coverage is 0 to 20 g/m2"):
        frame(galvanised(3), mean_g_m2)


def test_a_picture_of_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="8 to 4096"):
        Renderer(random_scene(1), 0, 480)


def local_contrast(picture: NDArray[np.uint8]) -> float:
    """Difference between neighbours against the level."""
    grey = picture.astype(float).mean(axis=2)
    return float(np.abs(np.diff(grey, axis=1)).mean() / grey.mean())
