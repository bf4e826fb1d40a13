from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from drivers.duct.optics import FAULTS, Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from model.colour import Picture
from model.image_quality import Measures, measure, unfit, unlit
from model.manifest import ImageLimits
from model.tensors import Decoder
from model.types import Reason
from tests.model.pictures import Rgb, flat, mjpeg, ripples, shipped

LIMITS: ImageLimits = shipped()[1].image_limits
SOUND = Measures(brightness=110, saturated_share=0.0, contrast=0.1, focus=1.1, veil=0.3)


def seen(rgb: Rgb) -> Picture:
    return Decoder(160, 160).decode(mjpeg(rgb))


@pytest.fixture(scope="module")
def duct() -> Renderer:
    return Renderer(random_scene(77), 640, 480)


def photo(duct: Renderer, optics: Optics, *, coverage_g_m2: float = 1.0, light: float = 1.0) -> Picture:
    return seen(duct.render(mean_g_m2=coverage_g_m2, light=light, optics=optics, frame_seed=1))


@pytest.mark.parametrize("coverage_g_m2", [0.0, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("metering", [0.0, 1.0], ids=["locked exposure", "automatic exposure"])
def test_a_sound_picture_is_judged_however_dirty_the_duct(
    duct: Renderer, coverage_g_m2: float, metering: float
) -> None:
    picture = photo(duct, Optics(metering=metering), coverage_g_m2=coverage_g_m2)

    assert unfit(measure(picture), LIMITS) == ()


UNFIT = {
    "camera-blind": Reason.FOGGED,
    "led-dead": Reason.DARK,
    "lens-fog": Reason.FOGGED,
    "out-of-focus": Reason.BLURRED,
    "saturated": Reason.SATURATED,
}


@pytest.mark.parametrize(("fault", "reason"), UNFIT.items(), ids=UNFIT)
@pytest.mark.parametrize("metering", [0.0, 1.0], ids=["locked exposure", "automatic exposure"])
def test_a_picture_that_shows_no_duct_is_never_judged(
    duct: Renderer, fault: str, reason: Reason, metering: float
) -> None:
    picture = photo(duct, replace(FAULTS[fault], metering=metering))

    assert reason in unfit(measure(picture), LIMITS)


DRAWN = {
    "black": ((0, 0, 0), Reason.DARK),
    "white": ((255, 255, 255), Reason.SATURATED),
    "grey": ((128, 128, 128), Reason.FOGGED),
}


@pytest.mark.parametrize(("colour", "reason"), DRAWN.values(), ids=DRAWN)
def test_one_colour_is_no_duct(colour: tuple[int, int, int], reason: Reason) -> None:
    assert reason in unfit(measure(seen(flat(640, 480, colour))), LIMITS)


@pytest.mark.parametrize("fog", [0.3, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("coverage_g_m2", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("metering", [0.0, 1.0], ids=["locked exposure", "automatic exposure"])
def test_a_veil_is_seen_however_thin_and_whatever_is_behind_it(
    duct: Renderer, fog: float, coverage_g_m2: float, metering: float
) -> None:
    picture = photo(duct, Optics(fog=fog, metering=metering), coverage_g_m2=coverage_g_m2)

    assert unfit(measure(picture), LIMITS) == (Reason.FOGGED,)


def test_a_bundle_that_knows_no_limit_of_the_veil_calls_thick_fog_blurred(duct: Renderer) -> None:
    before = structs.replace(LIMITS, veil_above=1.0)

    assert unfit(measure(photo(duct, FAULTS["lens-fog"])), before) == (Reason.BLURRED,)


def test_noise_alone_does_not_pass_for_a_duct() -> None:
    noise = np.random.default_rng(1).normal(110, 25, (480, 640, 3)).clip(0, 255).astype(np.uint8)

    assert unfit(measure(seen(noise)), LIMITS) == (Reason.FOGGED,)


@pytest.mark.parametrize(
    ("measures", "reasons"),
    [
        (SOUND, ()),
        (replace(SOUND, brightness=LIMITS.dark_below - 1), (Reason.DARK,)),
        (replace(SOUND, saturated_share=LIMITS.saturated_share_above + 0.01), (Reason.SATURATED,)),
        (replace(SOUND, contrast=LIMITS.contrast_below / 2), (Reason.BLURRED,)),
        (replace(SOUND, focus=LIMITS.focus_below / 2), (Reason.BLURRED,)),
        (replace(SOUND, veil=LIMITS.veil_above + 0.01), (Reason.FOGGED,)),
        (replace(SOUND, veil=LIMITS.veil_above + 0.01, contrast=0), (Reason.FOGGED,)),
        (replace(SOUND, brightness=1, contrast=0, focus=0, veil=1), (Reason.DARK, Reason.BLURRED)),
        (replace(SOUND, saturated_share=1, veil=1), (Reason.SATURATED,)),
    ],
    ids=[
        "sound",
        "dark",
        "saturated",
        "smeared",
        "out of focus",
        "fog",
        "fog takes the contrast",
        "dark and without contrast",
        "nothing but white",
    ],
)
def test_each_limit_has_its_reason(measures: Measures, reasons: tuple[Reason, ...]) -> None:
    assert unfit(measures, LIMITS) == reasons


def test_the_led_must_add_light(duct: Renderer) -> None:
    lit, dark = photo(duct, Optics()), photo(duct, Optics(), light=0.0)

    assert not unlit(lit, dark, LIMITS)
    assert unlit(dark, dark, LIMITS)


def test_a_dead_led_in_daylight_is_noticed_though_the_picture_is_bright() -> None:
    daylight = ripples(640, 480)

    assert unlit(seen(daylight), seen(ripples(640, 480, seed=1)), LIMITS)
    assert not unlit(seen(daylight), seen((daylight * 0.7).astype(np.uint8)), LIMITS)
