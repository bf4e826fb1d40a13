from __future__ import annotations

import gc

import pytest

from bench.timing import NS_PER_MS, Call, Times, in_turn, percentile


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.5, 5), (0.9, 9), (0.91, 10), (0.999, 10), (1.0, 10), (0.0, 1)],
    ids=["half", "nine in ten", "just above", "all but one in a thousand", "largest", "smallest"],
)
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile([10, 1, 9, 2, 8, 3, 7, 4, 6, 5], share) == value


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_contestants_take_turns_and_nobody_always_follows_the_same() -> None:
    calls: list[str] = []

    def contestant(name: str) -> Call:
        return lambda _: calls.append(name)

    in_turn({name: contestant(name) for name in "abc"}, rounds=2, calls=2, progress=lambda _: None)

    assert "".join(calls) == "aabbcc" + "bbccaa" + "ccaabb"


def test_the_first_round_warms_up_and_is_not_counted() -> None:
    numbers: list[int] = []

    times = in_turn({"judge": numbers.append}, rounds=2, calls=3, progress=lambda _: None)

    assert numbers == list(range(9))
    assert len(times["judge"].cpu_ns) == len(times["judge"].wall_ns) == 6


def test_no_garbage_is_collected_meanwhile_and_again_afterwards() -> None:
    collecting: list[bool] = []

    in_turn({"judge": lambda _: collecting.append(gc.isenabled())}, rounds=1, calls=1, progress=lambda _: None)

    assert collecting == [False, False]
    assert gc.isenabled()


def test_times_are_told_in_milliseconds() -> None:
    times = Times(cpu_ns=[3 * NS_PER_MS, NS_PER_MS, 2 * NS_PER_MS], wall_ns=[8 * NS_PER_MS])

    assert (times.median_ms, times.least_ms, times.wall_median_ms) == (2.0, 1.0, 8.0)
