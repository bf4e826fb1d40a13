"""On a real ext4 with no room left, where one may be mounted: as root, with a loop device."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ota.errors import NoRoom
from ota.slot_states import SlotState
from ota.slots import Slots
from ota.storage import Disk
from tests.ota.builders import NOW, SHIPPED, release, tar_of
from tests.ota.slot_life import state_of

pytestmark = pytest.mark.real

IMAGE_BYTES = 8 * 1024 * 1024
BLOCK_BYTES = 1024  # of an ext4 as small as this


class FilledMeanwhile(Disk):
    """Had room when it was asked."""

    def free(self, _folder: Path) -> int:
        return 1 << 40


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    image, folder = tmp_path / "image", tmp_path / "mounted"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-b", str(BLOCK_BYTES), image], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", image, folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no ext4 can be mounted here: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def slots_on(folder: Path) -> Slots:
    return Slots.load(FilledMeanwhile(), folder / "ota", shipped=SHIPPED, now_s=lambda: NOW)


def update(folder: Path, number: int) -> None:
    """From where it stands."""
    slots = slots_on(folder)
    state = state_of(slots.record, number)
    if state is None:
        slots.stage(release(number), tar_of(number))
    if state in {None, SlotState.STAGED}:
        slots.begin_trial("")
    if state in {None, SlotState.STAGED, SlotState.TRIAL}:
        slots.passed("")
    if state is not SlotState.GOOD:
        slots.kept("")


def fill(folder: Path, *, left_bytes: int) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(BLOCK_BYTES))
        except OSError:
            file.truncate(file.tell() - left_bytes)
        os.fsync(file.fileno())
    return filler


def test_with_any_room_left_the_model_stays_or_the_update_is_whole(small: Path) -> None:
    update(small, 2)
    refused = 0
    for number, blocks in enumerate(range(10), 3):
        filler = fill(small, left_bytes=blocks * BLOCK_BYTES)
        try:
            update(small, number)
        except NoRoom:
            refused += 1
            assert running(small) in {tar_of(number - 1), tar_of(number)}
        assert not list(small.rglob("*.half"))
        filler.unlink()
        update(small, number)
        assert running(small) == tar_of(number)
    assert 0 < refused < 10


def running(folder: Path) -> bytes:
    tar = slots_on(folder).running
    assert tar is not None
    return tar.read_bytes()
