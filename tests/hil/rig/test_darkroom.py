from __future__ import annotations

import numpy as np
import pytest

from drivers.camera.integrity import whole_mjpeg
from drivers.camera.negotiate import Size
from drivers.types import PixelFormat
from hil.rig.darkroom import FRAMES, STRIPS, TIMES, Prints, develop, order
from hil.rig.pictures import BARS, Rgb, Scene, bars, black
from hil.rig.uvc import HD, QVGA, SIZES
from hil.rig.uvc_controls import Development
from tests.hil.rig.seen import luma, seen

formats = pytest.mark.parametrize("pixel_format", list(PixelFormat))
GREY = Scene(lit=lambda size: np.full((size.height, size.width, 3), 120, np.uint8), dark=black)


def prints(
    scene: Scene = BARS,
    *,
    light: float = 1.0,
    development: Development | None = None,
    pixel_format: PixelFormat = PixelFormat.MJPEG,
    size: Size = QVGA,
) -> Prints:
    return develop(order(scene, light, development or Development(), pixel_format, size))


def brightness(light: float = 1.0, **development: float) -> float:
    wanted = Development(
        exposure=development.get("exposure", 1.0), gain=1.0, brightness=int(development.get("brightness", 0))
    )
    return luma(prints(GREY, light=light, development=wanted).frame(1), PixelFormat.MJPEG, QVGA)


@formats
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_frame_put_together_from_strips_is_the_picture(pixel_format: PixelFormat, size: Size) -> None:
    frame = prints(pixel_format=pixel_format, size=size).frame(12345)
    difference = seen(frame, pixel_format, size).astype(int) - bars(size)

    assert abs(difference.mean()) < 2
    assert np.percentile(abs(difference), 90) < 16


def test_a_jpeg_is_one_picture_with_a_restart_marker_after_each_strip() -> None:
    frame = prints(size=HD).frame(7)

    assert bytes(whole_mjpeg(frame)) == frame
    assert frame.count(b"\xff\xd8") == frame.count(b"\xff\xd9") == frame.count(b"\xff\xdd") == 1
    assert [frame.count(bytes([0xFF, 0xD0 + n])) for n in range(8)] == [2, 1, 1, 1, 1, 1, 1, 1]


@formats
@pytest.mark.parametrize("scene", [BARS, Scene(lit=black, dark=black)], ids=["bars", "black"])
def test_all_strips_of_neighbouring_frames_differ_and_no_frame_comes_twice(
    pixel_format: PixelFormat, scene: Scene
) -> None:
    developed = prints(scene, pixel_format=pixel_format)

    assert {len(set(times)) for times in developed.strips} == {TIMES}
    assert len({developed.frame(number) for number in range(2000)}) == 2000
    assert developed.frame(FRAMES) == developed.frame(0)
    assert len(developed.strips) == STRIPS


def test_light_adds_up_and_a_dark_scene_stays_dark() -> None:
    dark, half, full = brightness(light=0.0), brightness(light=0.5), brightness(light=1.0)

    assert dark < 5
    assert half == pytest.approx(120 * 0.5**0.5, abs=3)
    assert full == pytest.approx(120, abs=3)


def test_exposure_and_brightness_change_the_picture() -> None:
    assert brightness(exposure=4.0) == pytest.approx(240, abs=4)
    assert brightness(exposure=0.25) == pytest.approx(60, abs=4)
    assert brightness(brightness=40) == pytest.approx(160, abs=4)
    assert brightness(brightness=-40) == pytest.approx(80, abs=4)


def test_more_gain_makes_more_noise() -> None:
    def noise(gain: float) -> float:
        frame = prints(GREY, development=Development(gain=gain), pixel_format=PixelFormat.YUYV).frame(1)
        return float(np.frombuffer(frame, np.uint8)[::2].std())

    assert noise(4.0) > 1.5 * noise(1.0)


def test_a_flicker_of_the_light_does_not_make_a_new_picture() -> None:
    def asked(light: float) -> object:
        return order(BARS, light, Development(), PixelFormat.MJPEG, QVGA)

    assert asked(1.0) == asked(0.999)
    assert asked(1.0) != asked(0.9)


def test_a_picture_is_not_written_to() -> None:
    picture: Rgb = bars(QVGA)
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0, 0] = 1
