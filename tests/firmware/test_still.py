"""Pictures as a report shows them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from drivers.camera.jpeg import encode_jpeg
from drivers.camera.yuyv import to_yuyv
from drivers.types import Frame, PixelFormat
from firmware.still import HUFFMAN_TABLE, MAX_BYTES, still
from model.tensors import jpeg_frame, jpeg_size

PICTURE = np.full((48, 64, 3), (200, 100, 50), np.uint8)


def mjpeg(content: bytes) -> Frame:
    return jpeg_frame(content, "upstream")


def test_a_jpeg_stays_as_the_camera_delivered_it() -> None:
    content = encode_jpeg(PICTURE)

    assert still(mjpeg(content)) == content


def test_a_raw_picture_becomes_a_jpeg_of_its_size() -> None:
    raw = replace(mjpeg(encode_jpeg(PICTURE)), payload=memoryview(to_yuyv(PICTURE)), pixel_format=PixelFormat.YUYV)

    assert jpeg_size(still(raw)) == (64, 48)


def test_motion_jpeg_without_its_tables_gets_them() -> None:
    content = encode_jpeg(PICTURE)
    while (start := content.find(HUFFMAN_TABLE)) >= 0:
        length = int.from_bytes(content[start + 2 : start + 4], "big")
        content = content[:start] + content[start + 2 + length :]

    assert HUFFMAN_TABLE in still(mjpeg(content))


def test_a_huge_picture_is_drawn_anew_in_its_proportions() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1200, 1600, 3), np.uint8)
    content = encode_jpeg(noise)
    assert len(content) > MAX_BYTES

    made = still(mjpeg(content))

    assert jpeg_size(made) == (1024, 768)
    assert len(made) < MAX_BYTES


def test_what_does_not_decode_is_no_picture() -> None:
    content = encode_jpeg(PICTURE)
    frame = mjpeg(content)

    assert still(replace(frame, payload=memoryview(content[: len(content) // 2]))) == b""
