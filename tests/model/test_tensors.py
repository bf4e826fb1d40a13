from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.types import Frame, PixelFormat
from model.errors import Unreadable
from model.tensors import Decoder, jpeg_size, quantise
from tests.model.pictures import Rgb, flat, frame_of, mjpeg, ripples, yuyv

SIZES = [(1280, 720), (640, 480), (1920, 1080), (2592, 1944), (641, 361), (320, 240), (160, 120), (100, 90), (64, 640)]


@pytest.mark.parametrize("size", SIZES, ids=[f"{w}x{h}" for w, h in SIZES])
def test_mjpeg_and_yuyv_of_one_scene_give_nearly_the_same_picture(size: tuple[int, int]) -> None:
    scene = ripples(*size)

    from_mjpeg = Decoder(160, 160).decode(mjpeg(scene)).astype(int)
    from_yuyv = Decoder(160, 160).decode(yuyv(scene)).astype(int)

    assert from_mjpeg.shape == from_yuyv.shape == (160, 160, 3)
    assert np.abs(from_mjpeg - from_yuyv).mean() < 4  # of which JPEG itself costs 3 where nothing is shrunk
    assert np.abs((from_mjpeg - from_yuyv).mean(axis=(0, 1))).max() < 1.5


@pytest.mark.parametrize("side", [(96, 96), (160, 160), (224, 224), (192, 320)])
@pytest.mark.parametrize("encode", [mjpeg, yuyv])
def test_what_is_on_the_left_stays_on_the_left_at_any_input_size(side: tuple[int, int], encode: type) -> None:
    scene = flat(640, 480, (200, 200, 200))
    scene[:, 320:] = 40
    scene[360:] = 100

    picture = Decoder(*side).decode(encode(scene))

    height, width = side
    assert picture[height // 3, [width // 4, width * 3 // 4], 1] == pytest.approx([200, 40], abs=3)
    assert picture[height * 7 // 8, :, 1] == pytest.approx(100, abs=3)
    assert picture[height // 3, [width // 2 - 3, width // 2 + 2], 1] == pytest.approx([200, 40], abs=25)


COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "rust": (150, 80, 40),
    "zinc": (150, 155, 165),
    "LED": (20, 60, 200),
}


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS)
@pytest.mark.parametrize("encode", [mjpeg, yuyv])
def test_colours_come_through(colour: tuple[int, int, int], encode: type) -> None:
    picture = Decoder(160, 160).decode(encode(flat(1280, 720, colour)))

    assert np.abs(picture.astype(int) - colour).max() <= 3


def without_huffman_tables(jpeg: bytes) -> bytes:
    """What many USB cameras send: the tables of JPEG's Annex K are understood."""
    kept, at = jpeg[:2], 2
    while jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        kept += b"" if jpeg[at + 1] == 0xC4 else jpeg[at:end]
        at = end
    return kept + jpeg[at:]


def test_mjpeg_without_huffman_tables_is_read_as_with_them() -> None:
    whole = mjpeg(ripples(640, 480))
    bare = replace(whole, payload=memoryview(without_huffman_tables(bytes(whole.payload))))

    assert len(bare.payload) < len(whole.payload)
    assert np.array_equal(Decoder(160, 160).decode(bare), Decoder(160, 160).decode(whole))


JPEG = bytes(mjpeg(ripples(640, 480)).payload)
BROKEN = {
    "nothing": (b"", PixelFormat.MJPEG),
    "not a picture": (b"GIF89a" * 100, PixelFormat.MJPEG),
    "header only": (JPEG[:300], PixelFormat.MJPEG),
    "half": (JPEG[: len(JPEG) // 2], PixelFormat.MJPEG),
    "end marker lost": (JPEG[:-2], PixelFormat.MJPEG),
    "overwritten": (JPEG[:9000] + b"\xff\xd0" * 500 + JPEG[10000:], PixelFormat.MJPEG),
    "zeros after a USB stall": (JPEG[:9000] + bytes(len(JPEG) - 9000), PixelFormat.MJPEG),
    "another size": (bytes(mjpeg(ripples(320, 240)).payload), PixelFormat.MJPEG),
    "YUYV cut short": (bytes(640 * 480 * 2 - 2), PixelFormat.YUYV),
    "YUYV too long": (bytes(640 * 480 * 2 + 2), PixelFormat.YUYV),
}


@pytest.mark.parametrize(("payload", "pixel_format"), BROKEN.values(), ids=BROKEN)
def test_a_broken_frame_is_refused_with_advice(payload: bytes, pixel_format: PixelFormat) -> None:
    with pytest.raises(Unreadable, match=r"\. Check the camera's cable"):
        Decoder(160, 160).decode(frame_of(payload, pixel_format, 640, 480))


SMALL_JPEG = bytes(mjpeg(ripples(320, 240)).payload)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(SMALL_JPEG) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_whatever_the_cable_does_to_a_jpeg_it_is_a_picture_or_refused(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(SMALL_JPEG)
    for at, byte in changes:
        damaged[at] = byte

    try:
        picture = Decoder(160, 160).decode(frame_of(bytes(damaged), PixelFormat.MJPEG, 320, 240))
    except Unreadable:
        return
    assert picture.shape == (160, 160, 3)


@pytest.mark.parametrize(("width", "height"), [(8001, 8000), (1 << 30, 1), (0, 480), (-640, -480)])
def test_a_picture_of_absurd_size_is_refused_before_it_is_read(width: int, height: int) -> None:
    with pytest.raises(Unreadable, match="megapixels"):
        Decoder(160, 160).decode(frame_of(JPEG, PixelFormat.MJPEG, width, height))


def odd_width(scene: Rgb) -> Frame:
    even = yuyv(scene)
    rows = np.frombuffer(even.payload, np.uint8).reshape(even.height, even.width * 2)
    return frame_of(np.pad(rows, ((0, 0), (0, 2))).tobytes(), PixelFormat.YUYV, even.width + 1, even.height)


def test_the_half_pair_at_the_end_of_an_odd_yuyv_row_is_left_out() -> None:
    scene = ripples(640, 480)

    assert np.array_equal(Decoder(160, 160).decode(odd_width(scene)), Decoder(160, 160).decode(yuyv(scene)))


def test_a_picture_is_not_overwritten_by_the_next_one() -> None:
    decoder = Decoder(160, 160)
    first = decoder.decode(yuyv(flat(640, 480, (10, 10, 10))))
    decoder.decode(yuyv(flat(640, 480, (200, 200, 200))))

    assert first.max() < 20


def test_cameras_of_many_sizes_share_a_decoder() -> None:
    decoder = Decoder(160, 160)

    for width in range(320, 420, 10):
        assert decoder.decode(mjpeg(flat(width, 240, (90, 90, 90)))).shape == (160, 160, 3)


def test_quantising_puts_black_at_minus_one_and_white_at_one() -> None:
    picture = np.array([[[0, 127, 255]]], np.uint8)

    tensor = quantise(picture)

    assert tensor.dtype == np.int8
    assert tensor.tolist() == [[[[-128, -1, 127]]]]


def test_the_size_of_a_photo_is_read_from_its_header() -> None:
    assert jpeg_size(JPEG) == (640, 480)
    with pytest.raises(Unreadable, match="not a JPEG"):
        jpeg_size(b"")
