from __future__ import annotations

import errno
import os
from pathlib import Path
from random import Random

import pytest

from ota.errors import BadBundle, Busy, NoRoom, Untrusted
from ota.slot_states import LIMIT_S, MAX_STARTS, SlotName, SlotState
from ota.slots import SPARE_BYTES, Slots
from ota.storage import HALF, Disk
from tests.fakes.cut_disk import ALL, CHANGES, CutDisk, Fault
from tests.ota.builders import NOW, SHIPPED, release, tar_of

ROOT = Path("/data")
FOLDER = ROOT / "ota"
RECORD = FOLDER / "slots.json"
A_TAR, B_TAR = FOLDER / "slots" / "a.tar", FOLDER / "slots" / "b.tar"


def slots_of(disk: Disk, folder: Path = FOLDER, *, now_s: int = NOW) -> Slots:
    return Slots.load(disk, folder, shipped=SHIPPED, now_s=lambda: now_s)


def updated(disk: Disk, *numbers: int, folder: Path = FOLDER) -> Slots:
    slots = slots_of(disk, folder)
    for number in numbers:
        slots.stage(release(number), tar_of(number))
        slots.begin_trial("answers as when it was trained")
        slots.passed("judged 20 pictures as the old one did")
        slots.kept("counted for 20 pictures")
    return slots


def disk_with(*numbers: int) -> CutDisk:
    disk = CutDisk(ROOT)
    updated(disk, *numbers)
    return disk


def tars(disk: CutDisk) -> dict[str, bytes]:
    return {path.name: content for path, content in disk.files().items() if path != RECORD}


def test_before_any_update_the_model_in_the_firmware_runs() -> None:
    assert slots_of(CutDisk(ROOT)).running is None


def test_a_model_that_passed_runs_at_the_next_start_from_its_slot() -> None:
    disk = disk_with(2, 3)

    assert slots_of(disk).running == B_TAR
    assert tars(disk) == {"a.tar": tar_of(2), "b.tar": tar_of(3)}


def test_until_it_passes_the_old_model_counts() -> None:
    slots = updated(CutDisk(ROOT), 2)
    slots.stage(release(3), tar_of(3))
    slots.begin_trial("")

    assert slots.running == A_TAR


def test_on_probation_a_model_counts_and_the_one_before_it_is_kept_at_hand() -> None:
    disk = disk_with(2)
    slots = slots_of(disk)
    slots.stage(release(3), tar_of(3))
    slots.begin_trial("")
    slots.passed("")
    assert slots_of(disk).running == B_TAR
    with pytest.raises(Busy, match=r"1\.3 is on probation\. Try again after"):
        slots.stage(release(4), tar_of(4))

    slots.failed("does not answer on every second picture")
    assert slots_of(disk).running == A_TAR


def test_a_download_is_staged_so_that_it_lasts_even_if_its_own_sync_failed() -> None:
    disk = disk_with(2).fork(Fault(2, errno.EIO))
    part = FOLDER / "part" / "3.part"
    disk.make_folder(part.parent)
    disk.write(part, tar_of(3))
    with pytest.raises(OSError, match="Input/output"):
        disk.sync(part)
    slots_of(disk).stage(release(3), part)

    assert {left.files()[B_TAR] for left in disk.after_cut(100, Random(0))} == {tar_of(3)}


def test_a_download_that_is_gone_is_not_the_release() -> None:
    with pytest.raises(BadBundle):
        updated(CutDisk(ROOT), 2).stage(release(3), FOLDER / "part" / "3.part")


def test_staging_again_what_waits_already_changes_nothing() -> None:
    slots = updated(CutDisk(ROOT), 2)
    slots.stage(release(3), tar_of(3))
    slots.begin_trial("")
    before = slots.record
    slots.stage(release(3), tar_of(3))

    assert slots.record == before


def test_a_newer_release_takes_the_place_of_one_that_waits() -> None:
    disk = disk_with(2)
    slots = slots_of(disk)
    slots.stage(release(3), tar_of(3))
    slots.stage(release(4), tar_of(4))

    assert tars(disk) == {"a.tar": tar_of(2), "b.tar": tar_of(4)}
    assert slots.record.bad == ()


def test_bytes_that_are_not_the_releases_are_refused_and_nothing_is_lost() -> None:
    disk = disk_with(2, 3)
    before = disk.files()
    with pytest.raises(BadBundle, match=r"visual-clean 1.4: the bytes on the disk are not those"):
        slots_of(disk).stage(release(4), tar_of(5))

    assert disk.files() == before


def test_an_older_release_is_refused_with_what_to_do() -> None:
    with pytest.raises(Untrusted, match=r"release counter 2, and this board has 3 already.*publish a new release"):
        updated(CutDisk(ROOT), 3).stage(release(2), tar_of(2))


def test_an_older_release_is_taken_if_asked_for() -> None:
    disk = disk_with(3)
    slots_of(disk).stage(release(2), tar_of(2), older=True)

    assert tars(disk)["b.tar"] == tar_of(2)


def test_what_failed_takes_no_room_and_is_never_staged_again() -> None:
    disk = disk_with(2)
    slots = slots_of(disk)
    slots.stage(release(3), tar_of(3))
    slots.failed("4 of 20 golden pictures are judged otherwise")

    assert tars(disk) == {"a.tar": tar_of(2)}
    with pytest.raises(Untrusted, match=r"1\.3 failed on this board before"):
        slots_of(disk).stage(release(3), tar_of(3), older=True)
    assert slots_of(disk).record.history[-1].why == "4 of 20 golden pictures are judged otherwise"


def test_a_rollback_goes_to_the_previous_model_and_then_to_the_firmwares() -> None:
    disk = disk_with(2, 3)
    slots_of(disk).roll_back("asked for by hand")
    assert slots_of(disk).running == A_TAR

    slots_of(disk).unusable("needs LiteRT 3")
    assert slots_of(disk).running is None
    assert tars(disk) == {}


def test_starts_are_counted_across_restarts() -> None:
    disk = disk_with(2)
    slots_of(disk).stage(release(3), tar_of(3))
    for _ in range(MAX_STARTS):
        slots_of(disk).started()

    assert slots_of(disk).record.b.state is SlotState.BAD


def test_starts_after_a_steady_run_are_not_the_models_doing() -> None:
    disk = disk_with(2)
    slots_of(disk).stage(release(3), tar_of(3))
    for _ in range(10 * MAX_STARTS):
        slots_of(disk).started()
        slots_of(disk).steady()

    assert slots_of(disk).record.b.state is SlotState.STAGED


def test_a_start_without_a_trial_writes_nothing() -> None:
    disk = disk_with(2)
    slots = slots_of(disk)
    before = len(disk.operations)
    slots.started()

    assert {one.kind for one in disk.operations[before:]} <= {"names", "remove"}


def test_what_waits_for_too_long_is_given_up_at_the_next_load() -> None:
    disk = disk_with(2)
    slots_of(disk).stage(release(3), tar_of(3))
    slots_of(disk, now_s=NOW + LIMIT_S[SlotState.STAGED])

    assert tars(disk) == {"a.tar": tar_of(2)}


DAMAGE = {
    "nothing in it": b"",
    "zeros": bytes(900),
    "no JSON": b"{",
    "no UTF-8": b'{"version":1,"record":{"bad":["\xff"]}}',
    "nested without end": b"[" * 200_000,
    "too large": b" " * 300_000,
    "another version": b'{"version":2,"record":{}}',
    "a state that is none": b'{"version":1,"record":{"a":{"state":"perfect"}}}',
    "nothing active is not good": b'{"version":1,"record":{"active":"a"}}',
    "a hash that leads elsewhere": b'{"version":1,"record":{"bad":["../../etc/passwd"]}}',
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_with_a_damaged_record_no_tar_is_trusted(damage: bytes) -> None:
    disk = disk_with(2, 3)
    disk.write(RECORD, damage)
    slots = slots_of(disk)

    assert slots.running is None
    assert "slots.json is damaged" in slots.trouble
    assert tars(disk) == {}
    assert not slots_of(disk).trouble


@pytest.mark.parametrize("content", [None, b"", tar_of(3)[:-1], bytes(len(tar_of(3))), tar_of(2), tar_of(3) + b"\0"])
def test_a_tar_that_cannot_be_proved_never_runs_and_the_previous_one_does(content: bytes | None) -> None:
    disk = disk_with(2, 3)
    disk.remove(B_TAR) if content is None else disk.write(B_TAR, content)
    slots = slots_of(disk)

    assert slots.running == A_TAR
    assert tars(disk) == {"a.tar": tar_of(2)}
    assert not slots.record.bad
    slots.stage(release(3), tar_of(3))


def test_without_any_tar_that_can_be_proved_the_model_in_the_firmware_runs() -> None:
    disk = disk_with(2, 3)
    for tar in (A_TAR, B_TAR):
        disk.write(tar, b"worn")

    assert slots_of(disk).running is None


def test_a_tar_that_cannot_be_read_is_as_lost() -> None:
    disk = disk_with(2, 3)
    whole = disk.fork()
    slots_of(whole)
    reading = [n for n, one in enumerate(whole.operations) if one == ("pieces", B_TAR)]

    assert slots_of(disk.fork(Fault(reading[0], errno.EIO))).running == A_TAR


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.ENOMEM])
def test_a_process_that_may_not_read_takes_nothing_for_lost(number: int) -> None:
    disk = disk_with(2, 3)
    before = disk.files()
    with pytest.raises(NoRoom, match=os.strerror(number)):
        slots_of(disk.fork(Fault(0, number, ALL)))

    assert disk.files() == before


def test_what_no_record_names_is_swept() -> None:
    disk = disk_with(2)
    for path in (B_TAR, FOLDER / "slots" / "old.tar", A_TAR.with_name("a.tar" + HALF), FOLDER / ("slots.json" + HALF)):
        disk.write(path, b"orphan")
    slots_of(disk)

    assert disk.files().keys() == {A_TAR, RECORD}


def test_a_full_disk_is_told_before_anything_is_written() -> None:
    disk = disk_with(2, 3)
    disk.room_bytes = SPARE_BYTES
    before, operations = disk.files(), len(disk.operations)
    with pytest.raises(NoRoom, match=r"bytes are free, and visual-clean 1\.4 takes 9 besides .* Free space"):
        slots_of(disk).stage(release(4), tar_of(4))

    assert disk.files() == before
    assert "write" not in {one.kind for one in disk.operations[operations:]}


def test_a_disk_that_fills_while_it_writes_keeps_both_models_and_no_half() -> None:
    disk = disk_with(2, 3)
    before = disk.files()
    loading = disk.fork()
    slots_of(loading)
    slots = slots_of(full := disk.fork(Fault(len(loading.operations), errno.ENOSPC)))
    with pytest.raises(NoRoom, match="No space left"):
        slots.stage(release(4), tar_of(4))

    assert full.files() == before
    assert (slots.running, slots.record.previous) == (B_TAR, SlotName.A)


def test_a_disk_that_takes_nothing_still_says_what_runs() -> None:
    disk = disk_with(2, 3)
    disk.write(B_TAR, b"worn")
    slots = slots_of(disk.fork(Fault(-1, errno.EROFS, CHANGES)))

    assert slots.running == A_TAR
    assert "Read-only" in slots.trouble


@pytest.mark.real
def test_on_a_real_disk_it_is_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "ota"
    updated(Disk(), 2, 3, folder=folder)
    slots_of(Disk(), folder).roll_back("by hand")
    slots = slots_of(Disk(), folder)

    assert slots.running is not None
    assert slots.running.read_bytes() == tar_of(2)
    assert sorted(path.name for path in folder.rglob("*")) == ["a.tar", "slots", "slots.json"]
    assert not slots.trouble
