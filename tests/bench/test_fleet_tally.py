from __future__ import annotations

import msgspec

from bench.fleet_tally import Tally, peak, together
from bench.fleet_wire import Carried


def test_what_boards_do_afterwards_is_added_and_they_are_still_as_many() -> None:
    first, later = Tally(boards=5, repeats=1), Tally(boards=5, repeats=2)
    first.message(7.2, b"abc")
    later.message(7.9, b"de")
    later.settled(9.5, "SUCCEEDED")

    whole = first.then(later)

    assert (whole.boards, whole.repeats, whole.messages, whole.message_bytes) == (5, 3, {7: 2}, 5)
    assert (whole.ended, whole.last_s) == ({"SUCCEEDED": 1}, 9.5)


def test_parts_of_a_fleet_are_added_second_by_second() -> None:
    one, other = Tally(boards=2, body_carried=Carried(100, 2)), Tally(boards=3, body_carried=Carried(10, 1))
    for at_s in (1.0, 1.1, 2.0):
        one.request(at_s, b"x")
    for at_s in (2.2, 2.3):
        other.request(at_s, b"x")

    whole = together([one, other])

    assert (whole.boards, peak(whole.requests), whole.body_carried) == (5, 3, Carried(110, 3))


def test_nothing_has_no_peak() -> None:
    assert peak(together([]).messages) == 0


def test_it_comes_from_another_process_as_it_was() -> None:
    tally = Tally(boards=3, body_carried=Carried(100, 2), ended={"FAILED": 1})
    tally.message(1_234.5, b"x")

    assert msgspec.json.decode(msgspec.json.encode(tally), type=Tally) == tally
