"""Metadata that was not signed by whom it should be; the names of attacks are TUF's and Uptane's."""

from __future__ import annotations

import pytest

from ota.errors import Unreachable, Untrusted
from tests.ota.board import Board
from tests.ota.repository import MODEL, SimulatedRepository

pytestmark = pytest.mark.real


def test_arbitrary_software_is_refused(board: Board, repository: SimulatedRepository) -> None:
    repository.signers["stable"] = [repository.new_key()]
    repository.offer(2)

    with pytest.raises(Untrusted, match="stable was signed by 0/1 keys"):
        board.ask(repository.folder)


def test_a_key_below_the_threshold_signs_nothing(board: Board, repository: SimulatedRepository) -> None:
    del repository.signers["targets"][1:]
    repository.put("targets", f"stable/{MODEL}.tar", b"evil")
    repository.publish("targets")

    with pytest.raises(Untrusted, match="targets was signed by 1/2 keys"):
        board.ask(repository.folder)


def test_one_stolen_key_of_root_makes_no_root(board: Board, repository: SimulatedRepository) -> None:
    del repository.signers["root"][1:]
    repository.publish("root")

    with pytest.raises(Untrusted, match="root was signed by 1/2 keys"):
        board.ask(repository.folder)


def test_a_revoked_key_signs_nothing(board: Board, repository: SimulatedRepository) -> None:
    stolen = repository.signers["timestamp"]
    repository.exchange_keys("timestamp")
    repository.publish("root")
    repository.signers["timestamp"] = stolen
    repository.publish_timestamp()

    with pytest.raises(Untrusted, match="timestamp was signed by 0/1 keys"):
        board.ask(repository.folder)


def test_a_revoked_key_of_a_channel_signs_nothing(board: Board, repository: SimulatedRepository) -> None:
    stolen = repository.signers["stable"]
    repository.exchange_keys("stable", by="targets")
    repository.publish("targets")
    repository.signers["stable"] = stolen
    repository.offer(2)

    with pytest.raises(Untrusted, match="stable was signed by 0/1 keys"):
        board.ask(repository.folder)


def test_a_revocation_is_kept_though_all_after_it_is_withheld(board: Board, repository: SimulatedRepository) -> None:
    before = repository.copy("before")
    repository.exchange_keys("timestamp")
    repository.publish("root")
    repository.path("timestamp", 0).unlink()
    with pytest.raises(Unreachable, match=r"timestamp\.json is not there"):
        board.ask(repository.folder)

    with pytest.raises(Untrusted, match="timestamp was signed by 0/1 keys"):
        board.ask(before)


def test_signed_metadata_that_is_none_ends_in_words(board: Board, repository: SimulatedRepository) -> None:
    delegations = repository.targets["targets"].delegations
    assert delegations is not None
    assert delegations.roles is not None
    delegations.roles["stable"].name = 7  # type: ignore[assignment]  # that is the point
    repository.publish("targets")

    with pytest.raises(Untrusted, match="not to be trusted"):
        board.ask(repository.folder)


def test_a_role_vouches_for_nothing_outside_of_its_paths(board: Board, repository: SimulatedRepository) -> None:
    repository.put("stable", f"canary/{MODEL}.tar", b"evil")
    repository.publish("stable")

    assert board.ask(repository.folder, channel="canary") is None


@pytest.mark.parametrize(("depth", "found"), [(7, True), (8, False)])
def test_a_target_beyond_too_many_delegations_is_not_found(
    board: Board, repository: SimulatedRepository, depth: int, found: bool
) -> None:
    above = "targets"
    roles = [f"deep{number}" for number in range(depth + 1)]
    for role in roles:
        repository.delegate(role, ["deep/*"], by=above)
        above = role
    repository.publish("targets", *roles)
    repository.offer(2, channel="deep", role=above)

    assert (board.ask(repository.folder, channel="deep") is not None) is found
