"""The slots under power cuts and errors: at each operation of each step, and in random order over a whole life."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from ota.slots import FOLDER, Slots
from ota.storage import Disk
from tests.fakes.cut_disk import CutDisk
from tests.fakes.faults import Scenario, cut_everywhere, refused_everywhere
from tests.ota import fault_schedules
from tests.ota.slot_life import (
    ROOT,
    Life,
    Step,
    begin,
    crash,
    expire,
    fail,
    give_pass,
    keep,
    roll_back,
    stage,
    stage_download,
    unusable,
)

Done = tuple[tuple[Step, int], ...]


def kept(*numbers: int) -> Done:
    return tuple((one, number) for number in numbers for one in (stage, begin, give_pass, keep))


ON_TRIAL: Done = (*kept(2), (stage, 3), (begin, 3))
ON_PROBATION: Done = (*ON_TRIAL, (give_pass, 3))
STEPS: dict[str, tuple[Done, Step, int]] = {
    "the first release comes": ((), stage, 2),
    "it comes as a download": ((), stage_download, 2),
    "it comes with two models there": (kept(2, 3), stage, 4),
    "it comes as a download with two models there": (kept(2, 3), stage_download, 4),
    "it comes while another is on trial": (ON_TRIAL, stage, 4),
    "its trial begins": (((stage, 2),), begin, 2),
    "it passes": (ON_TRIAL, give_pass, 3),
    "it is kept": (ON_PROBATION, keep, 3),
    "it fails on trial": (ON_TRIAL, fail, 3),
    "it fails on probation": (ON_PROBATION, fail, 3),
    "it ends the firmware again and again": (ON_PROBATION, crash, 3),
    "it comes to no verdict": (ON_PROBATION, expire, 3),
    "somebody rolls back": (kept(2, 3), roll_back, 3),
    "it cannot be loaded": (kept(2), unusable, 2),
}


@pytest.fixture(params=STEPS.values(), ids=list(STEPS))
def step(request: pytest.FixtureRequest) -> tuple[Scenario, CutDisk]:
    before, last, number = request.param
    life, disk = Life(), CutDisk(ROOT)
    for one, of in before:
        one(life, of).act(disk)
    return last(life, number), disk


def test_a_power_cut_at_any_operation_leaves_a_proved_model_and_the_step_can_be_done_again(
    step: tuple[Scenario, CutDisk],
) -> None:
    assert cut_everywhere(*step, most=25, random=Random(0)) > 25


def test_an_error_at_any_operation_leaves_a_proved_model_and_the_step_can_be_done_again(
    step: tuple[Scenario, CutDisk],
) -> None:
    assert refused_everywhere(*step, most=5, random=Random(0)) > 100


def test_no_fault_in_a_random_life_leaves_an_unproved_model_or_loses_a_verdict() -> None:
    assert sum(map(fault_schedules.one, range(100))) > 800


def test_a_seed_is_the_same_life_each_time() -> None:
    assert [fault_schedules.one(7) for _ in range(2)] == [fault_schedules.one(7)] * 2


def _in_place(disk: Disk, path: Path, content: bytes) -> None:
    disk.write(path, content)
    disk.sync(path)


def _of_files(disk: CutDisk, path: Path, sync: Callable[[CutDisk, Path], None] = CutDisk.sync) -> None:
    if path in disk.files():
        sync(disk, path)


def _of_folders(disk: CutDisk, path: Path, sync: Callable[[CutDisk, Path], None] = CutDisk.sync) -> None:
    if path not in disk.files():
        sync(disk, path)


def _make_folder(slots: Slots) -> None:
    slots._disk.make_folder(slots._folder / FOLDER)


CARELESS: dict[str, tuple[type, str, Callable[..., None]]] = {
    "files are not synced": (CutDisk, "sync", _of_folders),
    "folders are not synced": (CutDisk, "sync", _of_files),
    "the record is written in place": (Disk, "replace", _in_place),
    "nothing is swept": (Slots, "_sweep", lambda *_: None),
    "what a killed process left is not made to last": (Slots, "_make_last", _make_folder),
}


@pytest.mark.parametrize(("owner", "name", "careless"), CARELESS.values(), ids=CARELESS)
def test_carelessness_would_be_found_out(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, careless: Callable[..., None]
) -> None:
    monkeypatch.setattr(owner, name, careless)

    with pytest.raises(AssertionError):
        sum(map(fault_schedules.one, range(100)))
