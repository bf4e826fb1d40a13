"""Which model a board begins with, on disks that are full, locked and as they should be."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.errors import ConfigError
from firmware.update.starting import loaded_at_start
from model.shipped import shipped_bundle
from ota.lock import locked
from ota.slot_states import SlotName, SlotState
from ota.storage import Disk
from ota.updater import Updater, Wanted
from tests.ota.board import QuickDisk
from tests.ota.builders import SHIPPED, release, tar_of
from tests.ota.repository import MODEL, NOW

pytestmark = pytest.mark.real


class FullDisk(QuickDisk):
    """It can be read, and takes nothing."""

    def replace(self, path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, f"No space left for {len(content)} bytes", str(path))


def updater(home: Path, disk: Disk | None = None) -> Updater:
    return Updater(
        home / "ota",
        disk or QuickDisk(),
        wanted=Wanted(channel="stable", model=MODEL, hardware=frozenset()),
        shipped=SHIPPED,
        shipped_bundle=shipped_bundle(),
        now=lambda: NOW,
    )


def installed(it: Updater, *numbers: int, last: SlotState = SlotState.GOOD) -> None:
    """These releases one after another; the last one as far as `last`."""
    for number in numbers:
        with it.slots() as slots:
            slots.stage(release(number), tar_of(number))
            if number == numbers[-1] and last is SlotState.STAGED:
                return
            slots.begin_trial("")
            slots.passed("")
            if number != numbers[-1] or last is SlotState.GOOD:
                slots.kept("")


def content(bundle: Path) -> bytes:
    return b"shipped" if bundle == shipped_bundle() else bundle.read_bytes()


def begins_with(it: Updater, *, counts: bool, load: Callable[[Path], bytes] = content) -> bytes:
    return loaded_at_start(it, load, counts=counts)[0]


@pytest.mark.parametrize("counts", [True, False], ids=["start", "reload"])
def test_it_begins_with_what_the_slots_say(tmp_path: Path, counts: bool) -> None:
    it = updater(tmp_path)
    assert begins_with(it, counts=counts) == b"shipped"

    installed(it, 2)

    assert begins_with(it, counts=counts) == tar_of(2)


def test_a_full_disk_costs_no_good_model(tmp_path: Path) -> None:
    installed(updater(tmp_path), 2, 3, last=SlotState.STAGED)

    assert begins_with(updater(tmp_path, FullDisk()), counts=True) == tar_of(2)


def test_a_start_that_cannot_be_counted_is_none_with_a_model_on_probation(tmp_path: Path) -> None:
    installed(updater(tmp_path), 2, 3, last=SlotState.PROBATION)

    assert begins_with(updater(tmp_path, FullDisk()), counts=True) == tar_of(2)
    assert begins_with(updater(tmp_path), counts=True) == tar_of(3)


def test_a_reload_waits_for_nobody(tmp_path: Path) -> None:
    it = updater(tmp_path)
    installed(it, 2)
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(tmp_path / "ota"):
            begun.set()
            over.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert begun.wait(30)
        found = begins_with(it, counts=False)
        assert holder.is_alive()
    finally:
        over.set()
        holder.join()

    assert found == tar_of(2)


def test_a_model_that_cannot_be_loaded_makes_room_for_the_one_before(tmp_path: Path) -> None:
    it = updater(tmp_path)
    installed(it, 2, 3)

    def load(bundle: Path) -> bytes:
        if content(bundle) == tar_of(3):
            raise ConfigError("it is no model")
        return content(bundle)

    assert begins_with(it, counts=True, load=load) == tar_of(2)
    with it.slots() as slots:
        assert slots.record[SlotName.B].state is SlotState.BAD
