"""The judge of what arrived: it finds what is missing, out of order and doubled."""

from __future__ import annotations

import json

import pytest

from hil.delivery import check_delivery, missing, numbered, repeated
from tests.mosquitto import Received


def message(seq: int, boot: str = "a", kind: str = "reading") -> Received:
    return Received(f"ductwatch/rig/{kind}/x", json.dumps({"boot_id": boot, "seq": seq, "type": kind}).encode(), False)


def messages(*seqs: int, boot: str = "a") -> list[Received]:
    return [message(seq, boot) for seq in seqs]


def test_what_is_complete_and_in_order_is_counted() -> None:
    assert check_delivery(messages(1, 2, 3)) == 3


def test_nothing_at_all_is_not_complete() -> None:
    with pytest.raises(AssertionError, match="nothing came"):
        check_delivery([Received("ductwatch/rig/availability", b"online", False)])


@pytest.mark.parametrize(
    ("came", "lost"), [(messages(1, 3), {"a": [2]}), (messages(3, 4), {"a": [1, 2]})], ids=["a hole", "the beginning"]
)
def test_what_never_came_is_named(came: list[Received], lost: dict[str, list[int]]) -> None:
    assert missing(numbered(came)) == lost
    with pytest.raises(AssertionError, match="never came"):
        check_delivery(came)


def test_the_last_of_a_start_that_ended_may_be_missing_if_its_power_was_cut() -> None:
    came = [*messages(1, 2, 5, boot="cut"), *messages(1, boot="new")]
    assert missing(numbered(came)) == {"cut": [3, 4]}
    assert missing(numbered(came), tail=3) == {}


def test_nothing_may_be_missing_of_the_start_that_lives() -> None:
    assert missing(numbered(messages(1, 2, 5)), tail=3) == {"a": [3, 4]}


def test_the_start_that_lives_is_the_one_that_spoke_last() -> None:
    """Its alarm may overtake what an earlier start left in the outbox."""
    came = [message(1, "new", "alarm"), *messages(1, 4, boot="cut"), message(2, "new")]
    assert missing(numbered(came), tail=3) == {}


def test_each_class_is_in_order_and_may_overtake_another() -> None:
    assert check_delivery([message(2, kind="alarm"), message(1)]) == 2
    with pytest.raises(AssertionError, match="out of order"):
        check_delivery(messages(2, 1))


def test_what_comes_again_is_counted_as_repeated_only() -> None:
    came = messages(1, 2, 2, 1)
    assert repeated(came) == 2
    assert check_delivery(came) == 2
