from __future__ import annotations

import pytest

from ota.publish.roles import ALL, LIFETIMES, QUORUMS, max_bytes
from ota.publish.signing import MOST_CHANNELS
from ota.trust import Limits


@pytest.mark.parametrize("role", ALL)
def test_what_is_published_is_never_longer_than_boards_read(role: str) -> None:
    assert max_bytes(role) == Limits().of(f"{role}.json")
    assert Limits().delegations >= MOST_CHANNELS


@pytest.mark.parametrize("role", ALL)
def test_every_role_has_signers_and_an_end(role: str) -> None:
    assert 1 <= QUORUMS[role].threshold <= QUORUMS[role].keys
    assert LIFETIMES[role].days >= 2
