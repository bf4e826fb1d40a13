"""What is published here is what a board believes: its own code reads it, with its memory of what it has seen."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from ota.errors import Untrusted
from ota.folder import Folder
from ota.storage import Disk
from ota.trust import Trust
from ota.types import Release
from tests.firmware.publisher.office import NOW, Publisher
from tests.ota.bundles import bundle

pytestmark = pytest.mark.real

DAY = timedelta(days=1)


@pytest.fixture
def board(publisher: Publisher, tmp_path: Path) -> Trust:
    (tmp_path / "scratch").mkdir()
    root = (publisher.own / "root.json").read_bytes()
    built = NOW - timedelta(days=1)
    return Trust(tmp_path / "ota", Disk(), root, built=built, scratch=tmp_path / "scratch")


def asks(
    board: Trust, publisher: Publisher, channel: str = "canary", *, at: Path | None = None, later: timedelta = DAY * 0
) -> Release | None:
    return board.release(Folder(at or publisher.updates), channel, "visual-clean", NOW + later)


def counter(board: Trust, publisher: Publisher, channel: str = "canary") -> int:
    release = asks(board, publisher, channel)
    assert release is not None
    return release.counter


def test_a_board_follows_from_the_first_release_to_the_way_back(publisher: Publisher, board: Trust) -> None:
    assert asks(board, publisher) is None

    publisher.does("publish", bundle(publisher.home, 1, hardware=["pi5"]), "--channel", "canary")
    release = asks(board, publisher)
    assert release is not None
    assert (release.version, release.counter, release.hardware) == ("0.1.0", 1, ("pi5",))

    publisher.does("publish", bundle(publisher.home, 2), "--channel", "canary")
    assert counter(board, publisher) == 2

    publisher.does("publish", bundle(publisher.home, 1), "--channel", "canary", "--again")
    assert counter(board, publisher) == 3

    publisher.does("promote", "visual-clean", "--from", "canary", "--to", "stable")
    assert counter(board, publisher, "stable") == 3


def test_a_board_follows_through_the_change_of_every_role_s_key(publisher: Publisher, board: Trust) -> None:
    publisher.does("publish", bundle(publisher.home), "--channel", "canary")
    assert counter(board, publisher) == 1

    for role in ("root", "targets", "canary", "snapshot", "timestamp"):
        publisher.does("key", publisher.home / f"{role}.pem")
        old = f"{role}-1" if role in ("root", "targets") else role
        assert publisher.does("rotate-key", role, old, publisher.home / f"{role}.pem") == 0
        assert counter(board, publisher) == 1

    publisher.does("publish", bundle(publisher.home, 2), "--channel", "canary")
    assert counter(board, publisher) == 2


def test_a_board_takes_deltas_as_they_are_offered(publisher: Publisher, board: Trust) -> None:
    publisher.does("publish", bundle(publisher.home, 1), "--channel", "canary")
    publisher.does("publish", bundle(publisher.home, 2), "--channel", "canary", make_delta=lambda *_: b"a delta")

    release = asks(board, publisher)

    assert release is not None
    (delta,) = release.deltas
    assert (delta.target.length, delta.target.path.endswith(".delta")) == (7, True)


def test_a_stick_may_be_good_for_two_weeks_while_the_server_is_not_frozen_for_as_long(
    publisher: Publisher, board: Trust
) -> None:
    publisher.does("publish", bundle(publisher.home, 1), "--channel", "canary")
    publisher.does("refresh", "--for", "14")
    stick = Path(shutil.copytree(publisher.updates, publisher.home / "stick"))
    publisher.does("refresh")

    with pytest.raises(Untrusted, match=r"timestamp expired on .* this board's clock says"):
        asks(board, publisher, at=stick, later=14 * DAY)
    assert asks(board, publisher, at=stick, later=13 * DAY) is not None
    with pytest.raises(Untrusted, match="timestamp expired"):
        asks(board, publisher, later=13 * DAY)


def test_a_board_that_has_seen_the_server_after_a_stick_was_made_takes_it_for_old(
    publisher: Publisher, board: Trust
) -> None:
    publisher.does("refresh", "--for", "14")
    stick = Path(shutil.copytree(publisher.updates, publisher.home / "stick"))
    publisher.does("refresh")
    asks(board, publisher)

    with pytest.raises(Untrusted, match="New timestamp version 2 must be >= 3"):
        asks(board, publisher, at=stick)


def test_a_board_moved_back_to_stable_takes_what_stable_publishes_again(publisher: Publisher, board: Trust) -> None:
    publisher.does("publish", bundle(publisher.home, 1), "--channel", "stable")
    publisher.does("publish", bundle(publisher.home, 2), "--channel", "canary")
    assert counter(board, publisher, "canary") == 2

    with pytest.raises(Untrusted, match="release counter 1 is older than 2, which this board has seen"):
        asks(board, publisher, "stable")
    publisher.does("publish", bundle(publisher.home, 1), "--channel", "stable", "--again")

    assert counter(board, publisher, "stable") == 3


def test_an_old_copy_of_a_lost_repository_is_believed_again_once_its_keys_are_changed(
    publisher: Publisher, board: Trust
) -> None:
    publisher.does("publish", bundle(publisher.home, 1), "--channel", "canary")
    shutil.copytree(publisher.updates, publisher.home / "copy")
    for later in (2, 3, 4):
        publisher.does("publish", bundle(publisher.home, later), "--channel", "canary")
    assert counter(board, publisher) == 4
    shutil.rmtree(publisher.updates)
    (publisher.home / "copy").rename(publisher.updates)

    publisher.does("publish", bundle(publisher.home, 5), "--channel", "canary")
    with pytest.raises(Untrusted):
        asks(board, publisher)
    for role in ("canary", "snapshot", "timestamp"):
        publisher.does("key", publisher.home / f"{role}.pem")
        assert publisher.does("rotate-key", role, role, publisher.home / f"{role}.pem") == 0

    assert counter(board, publisher) == 5
