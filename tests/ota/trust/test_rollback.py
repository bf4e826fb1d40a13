"""What is old, or of two states: rollback, freeze, mix and match. Also by way of the clock, and of stolen keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import MetaFile

from ota.errors import Untrusted
from ota.folder import Folder
from tests.ota.board import DAMAGES, Board, lost
from tests.ota.repository import EXPIRES, MODEL, NOW, SimulatedRepository

pytestmark = pytest.mark.real


@pytest.fixture(params=[None, *DAMAGES], ids=["whole", *DAMAGES])
def damage(request: pytest.FixtureRequest) -> Callable[[Board], None]:
    """To all the metadata that a board has, and to one copy of its floors."""

    def do(board: Board) -> None:
        if request.param is not None:
            for name, path in board.kept().items():
                if name != "floors.b":
                    DAMAGES[request.param](path)

    return do


def test_an_old_timestamp_is_refused(
    board: Board, repository: SimulatedRepository, damage: Callable[[Board], None]
) -> None:
    old = repository.copy("old")
    repository.publish_timestamp()
    assert board.counter(repository.folder) == 1
    damage(board)

    with pytest.raises(Untrusted, match="timestamp"):
        board.ask(old)
    assert board.counter(repository.folder) == 1


def test_what_was_refused_is_not_kept(board: Board, repository: SimulatedRepository) -> None:
    old = repository.copy("old")
    repository.publish_timestamp()
    assert board.counter(repository.folder) == 1
    lost(board.kept()["metadata/timestamp.json"])

    with pytest.raises(Untrusted, match="timestamp: version 2 is older than 3"):
        board.ask(old)
    assert "metadata/timestamp.json" not in board.kept()


def test_an_old_snapshot_is_refused_under_a_new_timestamp(
    board: Board, repository: SimulatedRepository, damage: Callable[[Board], None]
) -> None:
    repository.publish_online()
    assert board.counter(repository.folder) == 1
    damage(board)
    repository.timestamp.snapshot_meta = MetaFile(repository.snapshot.version - 1)
    repository.publish_timestamp()

    with pytest.raises(Untrusted, match="snapshot"):
        board.ask(repository.folder)


def test_an_old_channel_is_refused_under_a_new_snapshot(
    board: Board, repository: SimulatedRepository, damage: Callable[[Board], None]
) -> None:
    repository.offer(2)
    assert board.counter(repository.folder) == 2
    damage(board)
    repository.snapshot.meta["stable.json"] = MetaFile(repository.targets["stable"].version - 1)
    repository.publish_online()

    with pytest.raises(Untrusted, match="stable"):
        board.ask(repository.folder)


def test_an_old_release_is_refused_in_a_new_channel(
    board: Board, repository: SimulatedRepository, damage: Callable[[Board], None]
) -> None:
    repository.offer(2)
    assert board.counter(repository.folder) == 2
    damage(board)
    repository.offer(1)

    with pytest.raises(Untrusted, match="release counter 1 is older than 2"):
        board.ask(repository.folder)


def test_an_old_root_is_refused_by_a_board_that_lost_the_new_one(board: Board, repository: SimulatedRepository) -> None:
    old = repository.copy("old")
    repository.exchange_keys("timestamp")
    repository.publish("root")
    assert board.counter(repository.folder) == 1
    lost(board.kept()["metadata/root_history/2.root.json"])

    with pytest.raises(Untrusted, match="root: version 1 is older than 2"):
        board.ask(old)


def test_an_old_release_is_refused_from_another_channel(board: Board, repository: SimulatedRepository) -> None:
    repository.offer(3)
    assert board.counter(repository.folder) == 3
    repository.offer(2, channel="canary")

    with pytest.raises(Untrusted, match="release counter 2 is older than 3"):
        board.ask(repository.folder, channel="canary")


def test_a_frozen_repository_is_refused_once_its_timestamp_is_old(
    board: Board, repository: SimulatedRepository
) -> None:
    repository.timestamp.expires = NOW + timedelta(days=2)
    repository.publish_timestamp()

    assert board.counter(repository.folder, now=NOW + timedelta(days=1)) == 1
    with pytest.raises(Untrusted, match=r"timestamp expired on .* the repository is a stale copy"):
        board.ask(repository.folder, now=NOW + timedelta(days=3))


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets", "stable"])
@pytest.mark.parametrize("by_its_own_clock", [True, False], ids=["by ngclient's clock", "by the floor"])
def test_an_expired_role_is_refused(
    board: Board, repository: SimulatedRepository, role: str, by_its_own_clock: bool
) -> None:
    signed = {"root": repository.root, "timestamp": repository.timestamp, "snapshot": repository.snapshot}
    age = timedelta(days=-1 if by_its_own_clock else 1)
    (signed.get(role) or repository.targets[role]).expires = NOW + age
    repository.publish(*({role} - {"timestamp", "snapshot"}))

    with pytest.raises(Untrusted, match=rf"{role}.* expired.*: this board's clock says"):
        board.ask(repository.folder, now=NOW + age + timedelta(hours=1))


def test_parts_of_two_states_do_not_mix(board: Board, repository: SimulatedRepository) -> None:
    repository.offer(2)
    old, new = (repository.path("stable", repository.targets["stable"].version - back) for back in (1, 0))
    new.write_bytes(old.read_bytes())

    with pytest.raises(Untrusted, match="Expected stable v3, got v2"):
        board.ask(repository.folder)


def test_another_channel_that_expired_does_not_matter(board: Board, repository: SimulatedRepository) -> None:
    repository.targets["canary"].expires = NOW + timedelta(days=1)
    repository.offer(1, channel="canary")
    assert board.ask(repository.folder, channel="canary") is not None

    assert board.counter(repository.folder, now=NOW + timedelta(days=2)) == 1
    with pytest.raises(Untrusted, match="canary expired"):
        board.ask(repository.folder, channel="canary", now=NOW + timedelta(days=2))


def test_a_clock_set_back_makes_nothing_fresh_again(board: Board, repository: SimulatedRepository) -> None:
    repository.timestamp.expires = NOW + timedelta(days=2)
    repository.publish_timestamp()
    later = repository.copy("later")
    repository.timestamp.expires = NOW + timedelta(days=5)
    repository.publish_timestamp()
    assert board.counter(repository.folder, now=NOW + timedelta(days=3)) == 1
    for name in ("metadata/timestamp.json", "metadata/snapshot.json"):
        lost(board.kept()[name])

    with pytest.raises(Untrusted, match="older than"):
        board.ask(later, now=NOW - timedelta(days=9000))
    repository.timestamp.expires = NOW + timedelta(days=2)
    repository.publish_timestamp()
    with pytest.raises(Untrusted, match=r"timestamp expired .* and it cannot be before"):
        board.ask(repository.folder, now=NOW - timedelta(days=9000))


def test_a_clock_that_stopped_before_the_firmware_was_built_is_of_no_use(
    tmp_path: Path, repository: SimulatedRepository
) -> None:
    board = Board(tmp_path / "new", repository.first_root)
    board.built = EXPIRES + timedelta(days=1)

    with pytest.raises(Untrusted, match=r"root expired on .*, and it cannot be before"):
        board.ask(repository.folder, now=NOW - timedelta(days=9000))


def test_without_the_clock_floor_the_clock_is_believed(board: Board, repository: SimulatedRepository) -> None:
    repository.timestamp.expires = EXPIRES + timedelta(days=100)
    board.counter(repository.folder, now=NOW + timedelta(days=9))

    trust = board.trust(clock_floor=False)

    assert trust.release(Folder(repository.folder), "stable", MODEL, NOW - timedelta(days=9000)) is not None


def test_a_clock_set_forward_is_named_and_leaves_no_trace(board: Board, repository: SimulatedRepository) -> None:
    with pytest.raises(Untrusted, match=r"root expired on .*: this board's clock says .* Check the clock by `date`"):
        board.ask(repository.folder, now=NOW + timedelta(days=9000))

    assert board.counter(repository.folder) == 1


def test_versions_driven_up_by_stolen_online_keys_are_forgotten_with_the_keys(
    board: Board, repository: SimulatedRepository
) -> None:
    versions = repository.timestamp.version, repository.snapshot.version
    repository.timestamp.version = repository.snapshot.version = 1_000_000
    repository.publish_online()
    assert board.counter(repository.folder) == 1

    repository.timestamp.version, repository.snapshot.version = versions
    repository.publish_online()
    with pytest.raises(Untrusted, match="1000001"):
        board.ask(repository.folder)
    for role in ("timestamp", "snapshot"):
        repository.exchange_keys(role)
    repository.publish("root")
    assert board.counter(repository.folder) == 1


@pytest.mark.parametrize("damaged", [True, False], ids=["metadata lost", "metadata there"])
def test_a_channel_driven_up_by_stolen_keys_is_believed_again_with_new_keys(
    board: Board, repository: SimulatedRepository, damaged: bool
) -> None:
    version = repository.targets["stable"].version
    repository.targets["stable"].version = 1_000_000
    repository.offer(1_000_000)
    assert board.counter(repository.folder) == 1_000_000

    if damaged:
        for name in ("timestamp", "snapshot", "stable"):
            lost(board.kept()[f"metadata/{name}.json"])
    repository.targets["stable"].version = version
    repository.exchange_keys("stable", by="targets")
    repository.exchange_keys("snapshot")
    repository.exchange_keys("timestamp")
    repository.publish("root", "targets")
    repository.offer(2)

    assert board.counter(repository.folder) == 2


def test_a_channel_may_count_anew_once_the_keys_of_the_snapshot_were_exchanged(
    board: Board, repository: SimulatedRepository
) -> None:
    version = repository.targets["stable"].version
    repository.targets["stable"].version = 1_000_000
    repository.publish("stable")
    assert board.counter(repository.folder) == 1

    repository.targets["stable"].version = version
    repository.exchange_keys("snapshot")
    repository.publish("root", "stable")

    assert board.counter(repository.folder) == 1
    assert repository.targets["stable"].version == version + 1


def test_a_key_more_forgets_nothing(board: Board, repository: SimulatedRepository) -> None:
    old = repository.copy("old")
    repository.publish_timestamp()
    assert board.counter(repository.folder) == 1
    repository.root.add_key(repository.new_key().public_key, "timestamp")
    repository.publish("root")
    (old / "metadata" / "2.root.json").write_bytes(repository.path("root", 2).read_bytes())
    lost(board.kept()["metadata/timestamp.json"])

    with pytest.raises(Untrusted, match="timestamp: version"):
        board.ask(old)
