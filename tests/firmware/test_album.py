from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from drivers.types import Frame
from firmware.album import Album
from model.types import Label
from tests.builders import frame, verdict

pytestmark = pytest.mark.real


def picture(size_bytes: int) -> Frame:
    return replace(frame(), payload=memoryview(b"x" * size_bytes))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_picture_is_named_by_time_camera_and_verdict(tmp_path: Path) -> None:
    album = Album(tmp_path / "pictures", max_pictures=3, max_bytes=1000)

    kept = album.keep(picture(5), verdict(Label.DIRTY), "20261123T101500.250Z")

    assert kept.path == "pictures/20261123T101500.250Z-upstream-dirty.jpg"
    assert (tmp_path / kept.path).read_bytes() == b"xxxxx"


def test_the_oldest_goes_when_there_are_too_many(tmp_path: Path) -> None:
    album = Album(tmp_path, max_pictures=2, max_bytes=1000)
    for time in ("1", "2", "3"):
        album.keep(picture(5), verdict(), time)

    assert names(tmp_path) == ["2-upstream-clean.jpg", "3-upstream-clean.jpg"]


def test_the_oldest_go_when_they_take_too_much_room(tmp_path: Path) -> None:
    album = Album(tmp_path, max_pictures=100, max_bytes=1000)
    for time, size_bytes in (("1", 400), ("2", 400), ("3", 900)):
        album.keep(picture(size_bytes), verdict(), time)

    assert names(tmp_path) == ["3-upstream-clean.jpg"]


def test_pictures_from_before_a_restart_count_too(tmp_path: Path) -> None:
    Album(tmp_path, max_pictures=2, max_bytes=1000).keep(picture(5), verdict(), "1")

    album = Album(tmp_path, max_pictures=2, max_bytes=1000)
    album.keep(picture(5), verdict(), "2")
    album.keep(picture(5), verdict(), "3")

    assert names(tmp_path) == ["2-upstream-clean.jpg", "3-upstream-clean.jpg"]


def test_half_a_picture_of_a_process_that_was_killed_is_removed(tmp_path: Path) -> None:
    (tmp_path / "1-upstream-clean.jpg.part").write_bytes(b"xx")

    Album(tmp_path, max_pictures=2, max_bytes=1000)

    assert names(tmp_path) == []


def test_a_picture_that_cannot_be_written_leaves_no_half_file(tmp_path: Path) -> None:
    album = Album(tmp_path, max_pictures=2, max_bytes=1000)
    (tmp_path / "1-upstream-clean.jpg").mkdir()  # in the way of the file

    with pytest.raises(OSError, match="Is a directory"):
        album.keep(picture(5), verdict(), "1")

    assert names(tmp_path) == ["1-upstream-clean.jpg"]
