from __future__ import annotations

from contextlib import aclosing
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.camera.controls import Wish
from drivers.camera.v4l2 import V4l2Camera, V4l2Settings, open_capture
from drivers.clock import MonotonicClock
from drivers.errors import Absent
from drivers.settings import from_table
from drivers.types import PixelFormat

LINK = "/dev/v4l/by-id/usb-HD_Camera_A1-video-index0"


def settings(**keys: Any) -> V4l2Settings:
    return from_table({"name": "duct-left", "driver": "v4l2", "path": LINK} | keys, V4l2Settings)


def test_a_link_is_enough() -> None:
    plain = settings()

    assert (plain.width, plain.height, plain.formats) == (1280, 720, (PixelFormat.MJPEG, PixelFormat.YUYV))
    assert plain.controls == Wish()


def test_every_key_is_understood() -> None:
    full = settings(
        formats=["YUYV"], width=640, height=480, rate=7.5, exposure="8ms", gain=12, white_balance=4600,
        warm_up_frames=3, warm_up_limit="2s", frame_timeout="500ms",
    )  # fmt: skip

    assert full.formats == (PixelFormat.YUYV,)
    assert Fraction(full.rate) == Fraction(15, 2)
    assert full.controls == Wish(exposure_s=0.008, gain=12, white_balance_kelvin=4600)
    assert (full.warm_up_limit, full.frame_timeout) == (2.0, 0.5)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"path": "/dev/video0"}, "may be another camera after the next start.*ls -l /dev/v4l/by-id"),
        ({"path": None}, "one of `path`, `serial`, `bus`"),
        ({"serial": "A1"}, "one of `path`, `serial`, `bus`"),
        ({"width": 1281}, "width 1281 must be an even number from 16 to 4096"),
        ({"height": 8192}, "height 8192 must be"),
        ({"formats": []}, "formats must name at least one"),
        ({"formats": ["H264"]}, "Invalid enum value 'H264'"),
        ({"rate": 0}, "rate 0.0 must be from 0.1 to 240"),
        ({"exposure": "long"}, "'long' is not a duration"),
        ({"warm_up_frames": -1}, "warm_up_frames -1 must be"),
        ({"frame_timeout": "5min"}, "frame_timeout from 100ms to 60s"),
        ({"colour": "grey"}, "unknown field `colour`"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        settings(**keys)


def test_no_second_device_may_claim_the_same_camera() -> None:
    assert settings().claims() == (f"camera {LINK}",)
    assert settings(path=None, serial="A1").claims() == ("camera serial A1",)


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/dev/v4l/by-id/usb-nothing-video-index0", "no camera with /dev/v4l/by-id/usb-nothing.*ls -l /dev/v4l/by-id"),
        ("/dev/null", "/dev/null does not capture pictures. See what there is: ductwatch check"),
    ],
)
async def test_what_is_no_camera_is_absent(path: str, said: str) -> None:
    camera = V4l2Camera(settings(path=path), MonotonicClock())

    with pytest.raises(Absent, match=f"duct-left: {said}"):
        async with camera, aclosing(camera.frames()) as frames:
            await anext(frames)


@pytest.mark.real
def test_a_device_that_is_no_camera_is_closed_again() -> None:
    before = set(Path("/proc/self/fd").iterdir())

    with pytest.raises(OSError, match="Inappropriate ioctl"):
        open_capture(settings(path="/dev/null"))

    assert set(Path("/proc/self/fd").iterdir()) == before
