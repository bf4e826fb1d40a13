from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.duct.optics import FAULTS, Optics, blurred, random_optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene

SOUND = Optics(noise=0.005)


def picture(optics: Optics, seed: int = 4, light: float = 1.0, frame_seed: int = 1) -> NDArray[np.float64]:
    renderer = Renderer(random_scene(seed), 160, 120)
    return renderer.render(mean_g_m2=1.0, light=light, optics=optics, frame_seed=frame_seed).astype(float)


def sharpness(image: NDArray[np.float64]) -> float:
    return float(np.abs(np.diff(image.mean(axis=2), axis=1)).mean())


@pytest.mark.parametrize("metering", [0.0, 1.0], ids=["locked", "automatic"])
def test_with_a_dead_led_the_camera_sees_nothing_but_noise(metering: float) -> None:
    dead = picture(replace(FAULTS["led-dead"], metering=metering))

    assert 0 < dead.mean() < 25


def test_led_off_and_led_dead_look_the_same() -> None:
    assert np.array_equal(picture(FAULTS["led-dead"]), picture(Optics(), light=0.0))


def test_a_covered_lens_shows_a_dim_glow_and_no_duct() -> None:
    covered = picture(FAULTS["camera-blind"])

    assert covered.mean() < 60
    assert np.abs(covered - picture(FAULTS["camera-blind"], seed=5)).mean() < 8  # any duct looks alike


def test_fog_takes_the_contrast_and_not_the_light() -> None:
    clear, fogged = picture(SOUND), picture(replace(SOUND, fog=0.9))

    assert sharpness(fogged) < 0.4 * sharpness(clear)
    assert fogged.mean() > 0.5 * clear.mean()


def test_too_much_exposure_burns_out() -> None:
    assert (picture(FAULTS["saturated"]) > 250).mean() > 0.6


def test_out_of_focus_loses_detail_and_keeps_the_level() -> None:
    sharp, soft = picture(SOUND), picture(replace(FAULTS["out-of-focus"], noise=0.005))

    assert sharpness(soft) < 0.5 * sharpness(sharp)
    assert abs(soft.mean() - sharp.mean()) < 12


def test_dust_on_the_lens_stays_where_it_is() -> None:
    dusty = replace(SOUND, lens_dust=0.9, lens_dust_seed=7)
    marks = [picture(dusty, seed=s) - picture(SOUND, seed=s) for s in (4, 6)]

    assert np.corrcoef(marks[0].ravel(), marks[1].ravel())[0, 1] > 0.3


def test_automatic_exposure_brings_dim_light_back_to_level() -> None:
    automatic = Optics(metering=1.0)

    assert abs(picture(automatic, light=0.3).mean() - picture(automatic).mean()) < 10
    assert picture(Optics(), light=0.3).mean() < 0.75 * picture(Optics()).mean()


def test_noise_grows_with_the_gain() -> None:
    def noise(light: float) -> float:
        frames = [picture(Optics(metering=1.0), light=light, frame_seed=n) for n in (1, 2)]
        return float((frames[0] - frames[1]).std())

    assert noise(0.15) > 1.5 * noise(1.0)


@pytest.mark.parametrize("sigma_px", [0.3, 1.0, 2.5, 6.0])
def test_a_point_out_of_focus_is_as_wide_as_asked(sigma_px: float) -> None:
    point = np.zeros((1, 97, 97), np.float32)
    point[0, 48, 48] = 1

    spread = blurred(point, sigma_px)[0]

    away = np.arange(97) - (spread.sum(axis=0) * np.arange(97)).sum() / spread.sum()
    assert spread.sum() == pytest.approx(1, abs=0.02)
    assert np.sqrt((spread.sum(axis=0) * away**2).sum()) == pytest.approx(sigma_px, rel=0.25)


def test_random_optics_are_a_sound_camera_and_repeat_with_their_seed() -> None:
    assert random_optics(np.random.default_rng(4)) == random_optics(np.random.default_rng(4))
    assert all(random_optics(np.random.default_rng(n)).led == 1 for n in range(20))
