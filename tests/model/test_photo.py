from __future__ import annotations

import os
from pathlib import Path

import pytest

from drivers.camera.jpeg import encode_jpeg
from drivers.types import SourceId
from model.errors import Unreadable
from model.photo import MAX_BYTES, read_photo
from tests.model.pictures import ripples

pytestmark = pytest.mark.real


def test_a_photo_is_a_frame_of_the_camera_that_it_is_given(tmp_path: Path) -> None:
    photo = tmp_path / "duct.jpg"
    photo.write_bytes(encode_jpeg(ripples(320, 240)))

    frame = read_photo(photo, "file-7")

    assert (frame.source, frame.width, frame.height) == (SourceId("file-7"), 320, 240)
    assert bytes(frame.payload) == photo.read_bytes()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"II*\0", "this is a TIFF, not a JPEG"),
        (b"duct", "this is no image, not a JPEG"),
        (b"\xff\xd8\xff\xe0 rubbish", "not a JPEG picture"),
    ],
    ids=["missing", "empty", "a TIFF", "text", "rubbish"],
)
def test_what_is_no_photo_is_unreadable(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "duct.jpg"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(Unreadable, match=problem):
        read_photo(path, "file")


def test_a_pipe_a_folder_and_an_impossible_name_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")

    for path, problem in ((tmp_path / "pipe.jpg", "no file"), (tmp_path, "no file"), (Path("a\0b"), "null byte")):
        with pytest.raises(Unreadable, match=problem):
            read_photo(path, "file")


def test_a_huge_file_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES * 100)

    with pytest.raises(Unreadable, match="larger than 64 MiB"):
        read_photo(huge, "file")
