"""Whatever a power cut, a worn card or a full disk leave of its memory, a board goes on, and believes nothing older."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ota.errors import NoRoom, OtaError, Untrusted
from ota.floors import Floors, read_floors, write_floors
from ota.storage import Disk
from tests.ota.board import DAMAGES, Board, QuickDisk, zeroed
from tests.ota.repository import NOW, SimulatedRepository

pytestmark = pytest.mark.real

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
    return made


@pytest.fixture
def board(tmp_path: Path, repository: SimulatedRepository) -> Board:
    made = Board(tmp_path / "board", repository.first_root)
    assert made.counter(repository.folder) == 1
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


class WornDisk(QuickDisk):
    """Some of its sectors cannot be read any more."""

    def __init__(self, *worn: str) -> None:
        self._worn = worn

    def read(self, path: Path, limit: int) -> bytes | None:
        if path.name in self._worn:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return super().read(path, limit)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_as_good_as_lost(
    board: Board, repository: SimulatedRepository, name: str
) -> None:
    assert board.counter(repository.folder, disk=WornDisk(Path(name).name)) == 1


class FullDisk(QuickDisk):
    """Takes `left` files more."""

    def __init__(self, left: int) -> None:
        self.left = left

    def write(self, path: Path, content: bytes) -> None:
        if self.left == 0:
            path.write_bytes(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        self.left -= 1
        super().write(path, content)


@pytest.mark.parametrize("left", range(9))
def test_a_full_disk_says_so_and_loses_nothing(board: Board, repository: SimulatedRepository, left: int) -> None:
    repository.publish("root")
    repository.offer(2)

    with pytest.raises(NoRoom, match="No space left on device"):
        board.ask(repository.folder, disk=FullDisk(left))

    assert not [name for name in board.kept() if name.endswith(".half")]
    assert board.counter(repository.folder) == 2


def test_a_scratch_folder_without_room_says_so(board: Board, repository: SimulatedRepository) -> None:
    board.scratch.rmdir()

    with pytest.raises(NoRoom, match="Make room"):
        board.ask(repository.folder)


class PowerCut(BaseException):
    pass


class CutDisk(Disk):
    """Loses power before operation number `left`: what was written and not synced is zeros then.

    With `names_lost` a folder that was not synced has its old names, else its new ones.
    """

    def __init__(self, left: int, *, names_lost: bool) -> None:
        self.left, self._names_lost = left, names_lost
        self._unsynced: dict[Path, int] = {}
        self._renamed: dict[Path, bytes | None] = {}

    def _spend(self) -> None:
        if self.left == 0:
            for path, length in self._unsynced.items():
                path.write_bytes(bytes(length))
            for path, content in self._renamed.items() if self._names_lost else ():
                path.write_bytes(content) if content is not None else path.unlink()
            raise PowerCut
        self.left -= 1

    def write(self, path: Path, content: bytes) -> None:
        self._spend()
        super().write(path, content)
        self._unsynced[path] = len(content)

    def sync(self, path: Path) -> None:
        self._spend()
        self._unsynced.pop(path, None)
        self._renamed = {name: content for name, content in self._renamed.items() if name.parent != path}

    def rename(self, path: Path, to: Path) -> None:
        self._spend()
        self._renamed[to] = to.read_bytes() if to.exists() else None
        super().rename(path, to)
        if path in self._unsynced:
            self._unsynced[to] = self._unsynced.pop(path)


@pytest.mark.parametrize("names_lost", [True, False], ids=["old names", "new names"])
def test_a_power_cut_at_any_operation_leaves_a_board_that_goes_on(
    tmp_path: Path, board: Board, repository: SimulatedRepository, names_lost: bool
) -> None:
    old = repository.copy("old")
    repository.publish("root")
    repository.offer(2)

    for cut in range(100):
        then = board.copy(tmp_path / f"cut {cut}")
        told = False
        with suppress(PowerCut):
            told = then.counter(repository.folder, disk=CutDisk(cut, names_lost=names_lost)) == 2
        if told:
            break
        assert then.counter(repository.folder) == 2
        with pytest.raises(Untrusted):
            then.ask(old)

    assert cut > 30  # two copies of the floors, twice, and five files of metadata
    for name in FILES[2:]:
        zeroed(then.folder / name)
    with pytest.raises(Untrusted, match="older than"):
        then.ask(old)


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


def test_floors_that_did_not_change_are_not_written(board: Board, repository: SimulatedRepository) -> None:
    assert board.counter(repository.folder, now=NOW + timedelta(minutes=50), disk=FullDisk(0)) == 1


def test_a_shipped_root_that_is_none_says_so(tmp_path: Path, repository: SimulatedRepository) -> None:
    with pytest.raises(OtaError, match="firmware"):
        Board(tmp_path / "other", b"{}").ask(repository.folder)
