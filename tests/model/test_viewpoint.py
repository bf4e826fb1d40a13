"""A camera in one duct: what makes another view of its picture, and what does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from drivers.duct.optics import Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import Scene, random_scene
from model.colour import Picture
from model.image_quality import measure
from model.tensors import Decoder
from model.types import Reason
from model.viewpoint import HAZIER_BY, KNOWN_AFTER, Viewpoint, match, phases
from tests.model.pictures import mjpeg, ripples

DUCT = random_scene(77)
AT_MOST = 5


@lru_cache
def renderer(scene: Scene) -> Renderer:
    return Renderer(scene, 320, 240)


def photo(
    number: int, scene: Scene = DUCT, *, g_m2: float = 0.1, light: float = 1.0, optics: Optics | None = None
) -> Picture:
    rgb = renderer(scene).render(mean_g_m2=g_m2, light=light, optics=optics or Optics(), frame_seed=number)
    return Decoder(160, 160).decode(mjpeg(rgb))


def turned(*, yaw: float = 0.0, pitch: float = 0.0) -> Scene:
    return replace(DUCT, camera=replace(DUCT.camera, yaw=DUCT.camera.yaw + yaw, pitch=DUCT.camera.pitch + pitch))


def seen(viewpoint: Viewpoint, pictures: Iterable[Picture]) -> list[Reason | None]:
    return [viewpoint.changed(picture, measure(picture).veil) for picture in pictures]


@pytest.fixture
def settled() -> Viewpoint:
    """A camera whose view of a clean duct is known."""
    viewpoint = Viewpoint(AT_MOST)
    assert seen(viewpoint, map(photo, range(KNOWN_AFTER))) == [None] * KNOWN_AFTER
    return viewpoint


def test_dust_that_settles_makes_no_other_view(settled: Viewpoint) -> None:
    steps = [0.1 * 1.5**step for step in range(14)]

    assert seen(settled, (photo(9, g_m2=g_m2) for g_m2 in steps)) == [None] * len(steps)


def test_a_camera_that_was_wiped_sees_as_clearly_as_it_sees_then_and_still_knows_its_view(settled: Viewpoint) -> None:
    hazy = [photo(number, optics=Optics(fog=0.15)) for number in range(20, 24)]
    assert seen(settled, hazy[:1]) == [Reason.HAZY]

    settled.see_anew()

    assert seen(settled, hazy) == [None] * 4
    assert seen(settled, [photo(30, turned(yaw=0.1))]) == [Reason.MOVED]


def test_a_duct_that_is_suddenly_dirty_and_clean_again_makes_no_other_view(settled: Viewpoint) -> None:
    assert seen(settled, (photo(9, g_m2=g_m2) for g_m2 in (8.0, 8.0, 0.1, 8.0, 0.1))) == [None] * 5


@pytest.mark.parametrize(
    ("light", "optics"),
    [
        (0.5, Optics()),
        (1.0, Optics(exposure_ev=-1.0)),
        (1.0, Optics(exposure_ev=1.0)),
        (1.0, Optics(metering=1.0)),
        (1.0, Optics(white_balance=(1.2, 1.0, 0.85))),
        (1.0, Optics(noise=0.04)),
    ],
    ids=["weaker light", "darker", "brighter", "automatic exposure", "warmer", "noisier"],
)
def test_other_light_makes_no_other_view(settled: Viewpoint, light: float, optics: Optics) -> None:
    assert seen(settled, [photo(9, light=light, optics=optics)]) == [None]


@pytest.mark.parametrize(
    "scene",
    [turned(yaw=0.06), turned(yaw=-0.06), turned(pitch=0.06), turned(pitch=-0.06), turned(yaw=0.3), random_scene(78)],
    ids=["right", "left", "down", "up", "far to the right", "in another duct"],
)
def test_a_camera_that_was_turned_has_moved(settled: Viewpoint, scene: Scene) -> None:
    assert seen(settled, [photo(9, scene)]) == [Reason.MOVED]


def test_the_shift_is_measured_in_shares_of_the_picture() -> None:
    wide = ripples(400, 320)
    left, right = (Decoder(160, 160).decode(mjpeg(wide[:, start : start + 320])) for start in (0, 16))

    found = match(phases(left), phases(right))

    assert [found.down, found.right] == pytest.approx([0, -16 / 320], abs=0.01)
    assert match(phases(left), phases(left)).likeness == pytest.approx(1)


def test_a_new_view_that_lasts_is_learned_and_the_old_one_is_another_then(settled: Viewpoint) -> None:
    moved = turned(yaw=0.2)

    after = seen(settled, (photo(number, moved) for number in range(AT_MOST + KNOWN_AFTER)))

    assert after == [Reason.MOVED] * AT_MOST + [None] * KNOWN_AFTER
    assert seen(settled, [photo(9)]) == [Reason.MOVED]


def test_a_hand_before_the_camera_is_no_new_view(settled: Viewpoint) -> None:
    hand = photo(9, random_scene(78))

    assert seen(settled, [hand, photo(10), hand, photo(11)]) == [Reason.MOVED, None, Reason.MOVED, None]


def test_a_camera_that_shows_another_duct_each_time_has_no_view_to_leave() -> None:
    ducts = [random_scene(seed) for seed in (78, 79, 80)]

    assert seen(Viewpoint(AT_MOST), (photo(number, ducts[number % 3]) for number in range(12))) == [None] * 12


@pytest.mark.parametrize(
    "optics", [Optics(lens_dust=0.9), Optics(fog=0.15)], ids=["dust on the lens", "a breath of dew"]
)
def test_a_lens_that_is_no_longer_clean_is_noticed_for_as_long_as_it_is_so(settled: Viewpoint, optics: Optics) -> None:
    dirty = [photo(number, optics=optics) for number in range(3 * KNOWN_AFTER)]

    assert seen(settled, dirty) == [Reason.HAZY] * len(dirty)
    assert seen(settled, [photo(9)]) == [None]


@pytest.mark.parametrize(
    ("pictures", "after"),
    [(KNOWN_AFTER - 1, None), (KNOWN_AFTER, Reason.HAZY)],
    ids=["for a moment", "for as long as it takes to know a view"],
)
def test_what_counts_as_clear_is_the_clearest_that_has_lasted(
    settled: Viewpoint, pictures: int, after: Reason | None
) -> None:
    assert [settled.changed(photo(number), 0.0) for number in range(pictures)] == [None] * pictures
    assert settled.changed(photo(9), HAZIER_BY + 0.01) is after


@pytest.mark.parametrize("size", [(16, 16), (160, 224), (97, 131), (256, 256)], ids=str)
def test_pictures_of_any_shape_can_be_compared(size: tuple[int, int]) -> None:
    height, width = size
    pictures = [ripples(width, height, seed=seed) for seed in range(KNOWN_AFTER + 1)]

    assert seen(Viewpoint(AT_MOST), pictures) == [None] * len(pictures)


def test_pictures_without_anything_on_them_are_no_error() -> None:
    nothing = np.zeros((160, 160, 3), np.uint8)

    assert seen(Viewpoint(AT_MOST), [nothing] * 3) == [None] * 3
