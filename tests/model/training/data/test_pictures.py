"""Photos as cameras and people save them, and files that are none."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from model.errors import Unreadable
from model.training.data.contents import MOST_BYTES, read_content
from model.training.data.pictures import LONGEST_PX, is_turned, open_picture
from tests.model.training.data.photos import Rgb, photo

TURNED_LEFT = 6  # EXIF orientation: the camera was held on its side


def encoded(rgb: Rgb, kind: str = "JPEG", **options: object) -> bytes:
    content = io.BytesIO()
    Image.fromarray(rgb).save(content, kind, **options)
    return content.getvalue()


def png_header(width: int, height: int) -> bytes:
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF"])
def test_a_photo_is_shrunk_to_the_size_that_is_wanted(kind: str) -> None:
    picture = open_picture(encoded(photo(1), kind))

    assert (picture.width, picture.height) == (160, 120)
    assert picture.rgb(224).shape == (224, 224, 3)
    assert picture.grey(9, 8).shape == (8, 9)


def test_a_camera_held_on_its_side_gives_an_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = TURNED_LEFT
    lying = np.rot90(photo(1))

    picture = open_picture(encoded(lying, exif=exif))

    assert (picture.width, picture.height) == (160, 120)
    np.testing.assert_allclose(picture.grey(8, 8), open_picture(encoded(photo(1))).grey(8, 8), atol=4)


@pytest.mark.parametrize(
    ("orientation", "turned"), [(None, False), (0, False), (1, False), (3, True), (TURNED_LEFT, True), (9, False)]
)
def test_a_jpeg_says_whether_the_camera_was_held_otherwise(orientation: int | None, turned: bool) -> None:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation

    assert is_turned(encoded(photo(1), exif=exif)) is turned


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe1\0\x10Exif\0\0rubbish"], ids=["nothing", "damaged"])
def test_what_cannot_be_read_says_nothing_of_how_the_camera_was_held(content: bytes) -> None:
    assert not is_turned(content)


def test_a_sliver_is_shown_a_pixel_wide() -> None:
    sliver = open_picture(encoded(photo(1, 32, 30_000), "PNG"))

    assert Image.open(io.BytesIO(sliver.jpeg(320))).size == (1, 320)
    assert Image.open(io.BytesIO(sliver.jpeg(LONGEST_PX))).size == (32, 30_000)


def test_a_photo_of_many_megapixels_tells_its_own_size() -> None:
    picture = open_picture(encoded(photo(1).repeat(25, axis=0).repeat(25, axis=1)))

    assert (picture.width, picture.height) == (4000, 3000)


def test_a_thumbnail_is_small_and_tells_nothing_of_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"

    thumbnail = Image.open(io.BytesIO(open_picture(encoded(photo(1, 800, 400), exif=exif)).jpeg(320)))

    assert thumbnail.size == (320, 160)
    assert not thumbnail.getexif()


def test_transparent_palette_and_grey_pictures_are_pictures() -> None:
    for mode in ("RGBA", "P", "L", "LA", "1", "CMYK"):
        content = io.BytesIO()
        Image.fromarray(photo(1)).convert(mode).save(content, "TIFF")
        assert open_picture(content.getvalue()).rgb(32).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"a text", "is none of JPEG"),
        (encoded(photo(1))[:1500], "damaged or cut off"),
        (encoded(photo(1), "PNG")[:1500], "damaged or cut off"),
        (encoded(photo(1, 31, 100), "PNG"), "only 31 x 100"),
        (png_header(8_001, 8_000), "8001 x 8000 pixels, more than 64 million"),
        (encoded(np.zeros((32, 65_501, 3), np.uint8), "PNG"), "65501 x 32 pixels, more than 65,500 of a side"),
        (encoded(photo(1)[..., 0].astype(np.uint16), "PNG"), "more than 8 bits"),
    ],
    ids=["empty", "text", "cut JPEG", "cut PNG", "tiny", "bomb", "too long for a JPEG", "16 bits"],
)
def test_what_is_no_usable_photo_comes_with_its_reason(content: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        open_picture(content)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Pillow, on odd metadata
@settings(max_examples=150)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "BMP"]),
    places=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_damaged_file_ends_nothing(kind: str, places: list[tuple[float, int]]) -> None:
    content = bytearray(encoded(photo(1, 48, 40), kind))
    for place, value in places:
        content[int(place * len(content))] = value

    try:
        assert open_picture(bytes(content)).rgb(32).shape == (32, 32, 3)
    except Unreadable as error:
        assert error.problem  # noqa: PT017


def test_a_file_that_is_no_photo_by_its_size_is_not_read_whole(tmp_path: Path) -> None:
    large = tmp_path / "film.jpg"
    large.touch()
    os.truncate(large, MOST_BYTES + 1)

    with pytest.raises(Unreadable, match="larger than 64 MiB"):
        read_content(large)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")

    with pytest.raises(Unreadable, match="is not a file"):
        read_content(tmp_path / "pipe.jpg")


@pytest.mark.parametrize("name", ["gone.jpg", "no\0name.jpg"])
def test_a_file_that_is_not_there_is_no_damaged_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        read_content(tmp_path / name)
