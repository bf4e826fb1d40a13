from __future__ import annotations

import numpy as np
import pytest

from drivers.camera.jpeg import encode_jpeg
from drivers.camera.markers import Picture, next_picture
from drivers.camera.negotiate import Size

RNG = np.random.default_rng(7)
WIDE = encode_jpeg(RNG.integers(0, 256, (48, 64, 3), dtype=np.uint8))  # noise: many stuffed 0xFF
SMALL = encode_jpeg(np.zeros((16, 16, 3), dtype=np.uint8))


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content


def with_thumbnail(picture: bytes, thumbnail: bytes) -> bytes:
    return picture[:2] + segment(0xE1, b"Exif\0\0" + thumbnail) + picture[2:]


@pytest.mark.parametrize(
    ("data", "start", "length", "size"),
    [
        pytest.param(WIDE, 0, len(WIDE), Size(64, 48), id="one picture"),
        pytest.param(b"00dc\x10\0\0\0" + WIDE + SMALL, 8, len(WIDE), Size(64, 48), id="after the chunk head of an AVI"),
        pytest.param(with_thumbnail(WIDE, SMALL), 0, len(with_thumbnail(WIDE, SMALL)), Size(64, 48), id="thumbnail"),
        pytest.param(WIDE[:2] + b"\xff\xff" + WIDE[2:], 0, len(WIDE) + 2, Size(64, 48), id="fill bytes"),
        pytest.param(
            WIDE[: len(WIDE) // 2] + SMALL, len(WIDE) // 2, len(SMALL), Size(16, 16), id="after half a picture"
        ),
        pytest.param(b"\xff\xd8\xff\xd9" + SMALL, 4, len(SMALL), Size(16, 16), id="after a picture without a header"),
        pytest.param(b"\xff\xd8\xff\xe0\0\1" + SMALL, 6, len(SMALL), Size(16, 16), id="after an impossible length"),
    ],
)
def test_a_picture_is_found_whole(data: bytes, start: int, length: int, size: Size) -> None:
    assert next_picture(data) == Picture(start, start + length, size)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x89PNG" + bytes(500), id="another kind of picture"),
        pytest.param(WIDE[:-2], id="end missing"),
        pytest.param(WIDE[:300], id="cut off in the header"),
        pytest.param(with_thumbnail(WIDE, SMALL)[:-2], id="cut off: its thumbnail is not the picture"),
    ],
)
def test_what_is_not_whole_is_not_found(data: bytes) -> None:
    assert next_picture(data) is None


@pytest.mark.parametrize("seed", range(20))
def test_rubbish_before_a_picture_never_hides_it_for_ever(seed: int) -> None:
    rubbish = np.random.default_rng(seed).integers(0, 256, 4000, dtype=np.uint8).tobytes().replace(b"\xff\xd8\xff", b"")

    found = next_picture(rubbish + WIDE + SMALL)

    assert found is not None
    assert found.end == len(rubbish) + len(WIDE)
