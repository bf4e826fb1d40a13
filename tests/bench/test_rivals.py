from __future__ import annotations

import numpy as np
import pytest

from bench.frames import frame_of
from bench.rivals import UsersScript
from drivers.camera.jpeg import encode_jpeg
from drivers.camera.yuyv import to_yuyv
from drivers.types import PixelFormat
from model.interpreter import Interpreter
from model.manifest import parse_manifest
from model.shipped import shipped_bundle
from model.tensors import quantise
from ota.bundle import open_bundle

pytestmark = pytest.mark.real

GREY = np.full((720, 1280, 3), 120, np.uint8)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param((encode_jpeg(GREY), PixelFormat.MJPEG), id="mjpeg"),
        pytest.param((to_yuyv(GREY), PixelFormat.YUYV), id="yuyv"),
    ],
)
def test_the_script_feeds_the_network_what_we_do(payload: tuple[bytes, PixelFormat]) -> None:
    bundle = open_bundle(shipped_bundle())
    manifest = parse_manifest(bundle.manifest)
    model = bundle.files["model.tflite"]
    small = np.full((manifest.input.height, manifest.input.width, 3), 120, np.uint8)

    score = UsersScript(model).judge(frame_of(*payload, 0))

    ours = Interpreter(model, manifest).run(quantise(small))
    assert score == pytest.approx((int(ours[1]) - manifest.output.zero_point) * manifest.output.scale, abs=0.1)
