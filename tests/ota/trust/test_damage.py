"""Whatever a power cut, a worn card or a full disk leave of its memory, a board goes on, and believes nothing older."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from ota.errors import NoRoom, OtaError, Untrusted
from ota.floors import Floors, read_floors, write_floors
from tests.fakes.cut_disk import CHANGES, CutDisk, Fault, Operation, PowerCut
from tests.ota.board import DAMAGES, Board, QuickDisk, zeroed
from tests.ota.repository import NOW, SimulatedRepository

pytestmark = pytest.mark.real

MOST_STATES = 2  # of a disk after a cut: the two extremes
FILES = [
    "floors.a",
    "floors.b",
    "metadata/root.json",
    "metadata/root_history/1.root.json",
    "metadata/root_history/2.root.json",
    "metadata/root_history/3.root.json",
    "metadata/timestamp.json",
    "metadata/snapshot.json",
    "metadata/targets.json",
    "metadata/stable.json",
]


@pytest.fixture
def repository(tmp_path: Path) -> SimulatedRepository:
    made = SimulatedRepository(tmp_path / "repository")
    made.publish("root")
    made.publish("root")
    made.offer(1)
    made.copy("old")
    made.publish_timestamp()
    return made


def test_these_are_all_the_files_that_last(board: Board) -> None:
    assert sorted(board.kept()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_made_anew(
    board: Board, repository: SimulatedRepository, name: str, damage: Callable[[Path], None]
) -> None:
    path = board.folder / name
    before = path.read_bytes()
    damage(path)

    assert board.counter(repository.folder) == 1

    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_with_all_files_damaged_a_board_is_as_it_was_shipped(
    board: Board, repository: SimulatedRepository, damage: Callable[[Path], None]
) -> None:
    for path in board.kept().values():
        damage(path)

    assert board.counter(repository.folder) == 1
    assert sorted(board.kept()) == sorted(FILES)


def test_a_file_that_grew_without_end_is_as_good_as_lost(board: Board, repository: SimulatedRepository) -> None:
    for path in board.kept().values():
        os.truncate(path, 1 << 40)  # sparse

    assert board.counter(repository.folder) == 1


@pytest.fixture
def disk(board: Board, repository: SimulatedRepository) -> CutDisk:
    """In memory, of a board that has seen a release; a root and a release more are published since."""
    disk = CutDisk(board.folder.parent)
    assert board.counter(repository.folder, disk=disk) == 1
    repository.publish("root")
    repository.offer(2)
    return disk


def operations(board: Board, repository: SimulatedRepository, disk: CutDisk) -> list[Operation]:
    """What an update takes on `disk`."""
    whole = disk.fork()
    assert board.counter(repository.folder, disk=whole) == 2
    return whole.operations


def test_a_power_cut_at_any_operation_leaves_a_board_that_goes_on(
    board: Board, repository: SimulatedRepository, disk: CutDisk
) -> None:
    old = repository.folder.with_name("old")
    for at, operation in enumerate(operations(board, repository, disk)):
        cut = disk.fork(Fault(at))
        if operation.kind in CHANGES:
            with pytest.raises(PowerCut):
                board.ask(repository.folder, disk=cut)
            for left in cut.after_cut(MOST_STATES, Random(at)):
                with pytest.raises(Untrusted):
                    board.ask(old, disk=left)
                assert board.counter(repository.folder, disk=left) == 2


def test_what_somebody_was_told_holds_after_a_power_cut_though_the_metadata_is_lost(
    board: Board, repository: SimulatedRepository, disk: CutDisk
) -> None:
    assert board.counter(repository.folder, disk=disk) == 2

    for left in disk.after_cut(MOST_STATES, Random(0)):
        for path in [path for path in left.files() if "metadata" in path.parts]:
            left.remove(path)
        with pytest.raises(Untrusted, match="older than"):
            board.ask(repository.folder.with_name("old"), disk=left)


def test_an_error_of_the_disk_at_any_operation_ends_in_words_and_loses_nothing(
    board: Board, repository: SimulatedRepository, disk: CutDisk
) -> None:
    for at, operation in enumerate(operations(board, repository, disk)):
        if operation.kind in CHANGES:
            worn = disk.fork(Fault(at, errno.ENOSPC))
            with pytest.raises(NoRoom, match="No space left on device"):
                board.ask(repository.folder, disk=worn)
        else:
            worn = disk.fork(Fault(at, errno.EIO))
        assert board.counter(repository.folder, disk=worn) == 2


def test_a_scratch_folder_without_room_says_so(board: Board, repository: SimulatedRepository) -> None:
    board.scratch.rmdir()

    with pytest.raises(NoRoom, match="Make room"):
        board.ask(repository.folder)


def test_either_copy_of_the_floors_will_do(tmp_path: Path) -> None:
    disk = QuickDisk()
    write_floors(disk, tmp_path, Floors(time=NOW))
    zeroed(tmp_path / "floors.a")
    assert read_floors(disk, tmp_path).time == NOW

    write_floors(disk, tmp_path, Floors(time=NOW + timedelta(days=1)))
    zeroed(tmp_path / "floors.b")
    assert read_floors(disk, tmp_path).time == NOW + timedelta(days=1)


def test_of_two_whole_copies_the_newer_counts(tmp_path: Path) -> None:
    disk = QuickDisk()
    write_floors(disk, tmp_path, Floors(time=NOW))
    older = (tmp_path / "floors.b").read_bytes()
    write_floors(disk, tmp_path, Floors(time=NOW + timedelta(days=1)))
    (tmp_path / "floors.b").write_bytes(older)

    assert read_floors(disk, tmp_path).time == NOW + timedelta(days=1)


def test_a_copy_in_which_a_digit_changed_does_not_count(board: Board, repository: SimulatedRepository) -> None:
    whole = (board.folder / "floors.a").read_bytes()
    (board.folder / "floors.a").write_bytes(whole.replace(b'"least":2', b'"least":1'))

    assert board.counter(repository.folder) == 1
    assert (board.folder / "floors.a").read_bytes() == whole


def test_a_poll_that_brings_nothing_new_writes_nothing(board: Board, repository: SimulatedRepository) -> None:
    disk = CutDisk(board.folder.parent)
    board.counter(repository.folder, disk=disk)
    later = disk.fork()

    board.counter(repository.folder, now=NOW + timedelta(minutes=50), disk=later)

    assert not [operation for operation in later.operations if operation.kind in CHANGES - {"make_folder", "sync"}]


def test_a_shipped_root_that_is_none_says_so(tmp_path: Path, repository: SimulatedRepository) -> None:
    with pytest.raises(OtaError, match="firmware"):
        Board(tmp_path / "other", b"{}").ask(repository.folder)
