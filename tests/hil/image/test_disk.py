"""The data's file system serves the smallest card and the largest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hil.image.disk import BLOCK_BYTES, DATA_BYTES, FIRMWARE, build_data
from hil.image.inputs import file_digest
from hil.image.shell import run

pytestmark = pytest.mark.real

EPOCH = 1_795_432_957
GB = 1_000_000_000


def facts(data: Path) -> dict[str, str]:
    """What its superblock says, in dumpe2fs's words."""
    lines = run("dumpe2fs", "-h", data).splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def test_it_is_made_for_pictures_and_stops_writing_when_it_is_broken(tmp_path: Path) -> None:
    found = facts(build_data(tmp_path, EPOCH))

    assert found["Block size"] == str(BLOCK_BYTES)
    assert found["Errors behavior"] == "Remount read-only"
    assert DATA_BYTES / int(found["Inode count"]) == 32 * 1024


@pytest.mark.parametrize("size", [64 * GB, 1000 * GB], ids=["64 GB", "1 TB"])
def test_it_grows_to_the_end_of_a_card_in_the_room_that_was_left_for_that(tmp_path: Path, size: int) -> None:
    data = build_data(tmp_path, EPOCH)
    reserved = int(facts(data)["Reserved GDT blocks"])
    with data.open("r+b") as file:
        file.truncate(size)  # takes no room on the disk

    run("e2fsck", "-f", "-p", data)
    run("resize2fs", data)

    run("e2fsck", "-f", "-n", data)
    grown = facts(data)
    assert int(grown["Block count"]) * BLOCK_BYTES > size - 2 * DATA_BYTES
    assert 0 < int(grown["Reserved GDT blocks"]) < reserved  # of which a mounted one takes what it grows by
    assert size / int(grown["Inode count"]) == pytest.approx(32 * 1024, rel=0.1)


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    first = file_digest(build_data(tmp_path, EPOCH))

    assert file_digest(build_data(tmp_path, EPOCH)) == first


def test_only_the_raspberry_pi_that_has_a_device_tree_here_has_its_loader() -> None:
    assert all(re.search(r"4\.(elf|dat)$", name) for name in FIRMWARE)
