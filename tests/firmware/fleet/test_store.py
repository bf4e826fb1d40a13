"""The fleet's file: bounds, strangers' files, two programs at once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from firmware.fleet import store as module
from firmware.fleet.store import Full, Store, StoreFailed
from firmware.fleet.types import Board, Moment
from ota.rollout import Phase, Step
from tests.firmware.fleet.builders import rollout

pytestmark = pytest.mark.real


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "fleet.sqlite"


def test_boards_and_rollouts_are_as_they_were_after_a_restart(path: Path) -> None:
    with Store(path) as store:
        store.meet(Board(name="duct-1", availability="online"))
        store.meet(Board(name="duct-1", availability="offline"))
        store.add(rollout())

    with Store(path) as again:
        assert again.boards() == [Board(name="duct-1", availability="offline")]
        assert again.rollouts() == [rollout()]


def test_a_rollouts_name_is_used_once(path: Path) -> None:
    with Store(path) as store:
        store.add(rollout())
        with pytest.raises(StoreFailed, match="there was a rollout 'r1' before"):
            store.add(rollout())


def test_bounds_refuse_what_is_new_and_keep_what_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BOARDS", 1)
    monkeypatch.setattr(module, "MAX_ROLLOUTS", 1)
    with Store(path) as store:
        store.meet(Board(name="duct-1", availability="online"))
        store.add(rollout("r1"))

        with pytest.raises(Full):
            store.meet(Board(name="duct-2", availability="online"))
        with pytest.raises(Full):
            store.add(rollout("r2"))
        store.meet(Board(name="duct-1", availability="stopped"))

        assert (len(store.boards()), len(store.rollouts())) == (1, 1)
        store.forget("r1")
        store.add(rollout("r2"))


def test_a_move_that_the_phase_does_not_allow_changes_nothing(path: Path) -> None:
    with Store(path) as store:
        store.add(rollout())
        assert store.move("r1", Step.ABORT, "no", Moment(1, 0)).phase is Phase.ABORTED
        for name, event in (("r1", Step.RESUME), ("r1", Step.PAUSE), ("r9", Step.PAUSE)):
            with pytest.raises(KeyError):
                store.move(name, event, "", Moment(2, 0))

        (kept,) = store.rollouts()
        assert (kept.phase, kept.why, kept.moved_at) == (Phase.ABORTED, "no", 1)


def test_two_programs_share_the_file(path: Path) -> None:
    with Store(path) as server, Store(path) as command:
        command.add(rollout())

        assert [one.id for one in server.rollouts()] == ["r1"]


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\0" * 5000], ids=["text", "torn"])
def test_another_file_is_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(StoreFailed, match="cannot be used"):
        Store(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (a)")
    db.close()

    before = path.read_bytes()

    with pytest.raises(StoreFailed, match="has layout 0"):
        Store(path)
    assert path.read_bytes() == before


def test_a_row_that_somebody_changed_is_said_and_not_believed(path: Path) -> None:
    with Store(path) as store:
        store.add(rollout())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE rollout SET plan = '{}'")
    db.close()

    with Store(path) as store, pytest.raises(StoreFailed, match="none of ours"):
        store.rollouts()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreFailed, match="cannot be used"):
        Store(tmp_path / "file" / "fleet.sqlite")
