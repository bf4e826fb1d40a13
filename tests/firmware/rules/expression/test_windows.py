from __future__ import annotations

import math
import statistics
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drivers.types import Instant
from firmware.rules.expression.windows import BUCKETS, Function, History
from tests.firmware.rules.builders import at, ns

MINUTE_NS, HOUR_NS, DAY_NS = ns(60), ns(3_600), ns(86_400)
SPREAD = [function for function in Function if function is not Function.AGE]
steadily = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy


def naive(function: Function, samples: Sequence[tuple[float, float]]) -> float | None:
    """By the book, from samples of (second, value)."""
    values = [value for _, value in samples]
    if function is Function.COUNT:
        return len(values)
    if not values:
        return None
    match function:
        case Function.AVG:
            return statistics.fmean(values)
        case Function.MIN:
            return min(values)
        case Function.MAX:
            return max(values)
        case Function.STDDEV:
            return statistics.stdev(values) if len(values) > 1 else None
        case _:
            seconds = [(at(second) - at(samples[0][0])) / 1e9 for second, _ in samples]  # exact: 1e6 + 0.1 is not
            if len(set(seconds)) == 1:
                return None
            return statistics.linear_regression(seconds, values).slope * 3_600


def about(expected: float | None) -> object:
    return None if expected is None else pytest.approx(expected, rel=1e-6, abs=1e-3)


@dataclass
class Story:
    """A history of one window, and all that it was told, in seconds."""

    duration_s: float
    samples: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.history = History([ns(self.duration_s)])

    def feed(self, value: float | None, second: float) -> None:
        self.history.feed(value, at(second))
        if value is not None:
            self.samples.append((second, value))

    def ask(self, function: Function, second: float) -> float | None:
        return self.history.ask(function, ns(self.duration_s), at(second))

    def since(self, second: float) -> list[tuple[float, float]]:
        return [sample for sample in self.samples if at(sample[0]) > at(second)]


waits = st.integers(1, 400).map(lambda tenths: tenths / 10)
values = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, 21.5, 21.5]))
steps = st.lists(st.tuples(waits, values), min_size=1, max_size=80)


@steadily
@example(5, [(0.1, 0.0), (0.1, 144.0), (0.1, 0.0)])  # level, but not by seconds of which digits are lost
@given(st.sampled_from([5, 30, 50]), steps)
def test_a_window_answers_by_the_book(duration_s: int, steps: list[tuple[float, float | None]]) -> None:
    story, second = Story(duration_s), 1e6

    for wait, value in steps:  # at least a tenth of a second apart, a 512th of 50 s
        second = round(second + wait, 1)
        story.feed(value, second)
        there = story.since(second - duration_s)
        for function in SPREAD:
            assert story.ask(function, second) == about(naive(function, there))


@steadily
@given(st.lists(st.tuples(st.integers(0, 90), st.floats(-50, 50)), min_size=1, max_size=300))
def test_samples_that_come_thicker_count_at_most_a_512th_too_long(steps: list[tuple[int, float]]) -> None:
    story, second = Story(BUCKETS / 10), 0.0  # so that a bucket is a tenth of a second

    for hundredths, value in steps * 3:
        second = round(second + hundredths / 100, 2)
        story.feed(value, second)

    count = story.ask(Function.COUNT, second)
    assert count is not None
    there = story.samples[-int(count) :]
    assert len(story.since(second - story.duration_s)) <= count <= len(story.since(second - story.duration_s - 0.1))
    for function in SPREAD:
        assert story.ask(function, second) == about(naive(function, there))


def test_rounding_does_not_pile_up_in_a_million_samples() -> None:
    story, last = Story(3_600), list[float]()
    for second in range(1_000_000):
        value = 1e7 + math.sin(second) / 1_000
        story.history.feed(value, at(second))
        if second >= 1_000_000 - 3_700:
            last.append(value)

    count = story.ask(Function.COUNT, 999_999)
    assert count is not None
    assert 0 <= count - 3_600 <= 3_600 / BUCKETS
    there = last[-int(count) :]
    assert story.ask(Function.AVG, 999_999) == pytest.approx(statistics.fmean(there), rel=1e-15)
    assert story.ask(Function.STDDEV, 999_999) == pytest.approx(statistics.stdev(there), rel=1e-6)


@pytest.mark.parametrize("function", [Function.AVG, Function.MIN, Function.MAX, Function.RATE, Function.STDDEV])
def test_without_a_known_sample_all_is_unknown_but_the_count(function: Function) -> None:
    story = Story(60)
    assert story.ask(function, 0) is None
    assert story.ask(Function.COUNT, 0) == 0

    story.feed(None, 0)
    story.feed(math.nan, 1)
    story.feed(math.inf, 2)

    assert story.ask(function, 2) is None
    assert story.ask(Function.COUNT, 2) == 0


def test_the_window_goes_on_without_samples() -> None:
    story = Story(60)
    story.feed(1.0, 0)
    story.feed(3.0, 30)

    assert [story.ask(Function.AVG, second) for second in (30, 59.999, 60, 89.999, 90)] == [2.0, 2.0, 3.0, 3.0, None]

    story.feed(5.0, 200)
    assert [story.ask(Function.MAX, second) for second in (200, 259, 260)] == [5.0, 5.0, None]


def test_a_window_that_has_just_begun_answers_from_what_there_is() -> None:
    story = Story(3_600)
    story.feed(20.0, 0)

    assert story.ask(Function.AVG, 1) == 20.0
    assert story.ask(Function.COUNT, 1) == 1.0


def test_one_sample_alone_has_no_rate_and_no_deviation() -> None:
    story = Story(60)
    story.feed(20.0, 5)
    story.feed(25.0, 5)

    assert story.ask(Function.RATE, 5) is None
    assert story.ask(Function.STDDEV, 5) == pytest.approx(math.sqrt(12.5))

    story.feed(20.0, 70)
    assert story.ask(Function.STDDEV, 70) is None


def test_the_rate_is_per_hour() -> None:
    story = Story(600)
    for minute in range(10):
        story.feed(20.0 + 0.1 * minute, 60 * minute)

    assert story.ask(Function.RATE, 540) == pytest.approx(6.0)


def test_a_sample_out_of_order_is_passed_over() -> None:
    story = Story(60)
    story.feed(1.0, 10)
    story.history.feed(99.0, at(9))

    assert story.ask(Function.MAX, 10) == 1.0


def test_the_age_is_that_of_the_last_known_sample() -> None:
    history = History([])
    assert history.ask(Function.AGE, 0, at(5)) is None

    history.feed(1.0, at(10))
    history.feed(None, at(20))

    assert history.ask(Function.AGE, 0, at(40)) == 30.0
    assert history.ask(Function.AGE, 0, at(9)) == 0.0


def test_asking_for_an_earlier_moment_changes_nothing_that_follows() -> None:
    story = Story(60)
    story.feed(1.0, 0)
    story.feed(3.0, 50)
    assert story.ask(Function.AVG, 65) == 3.0

    assert story.ask(Function.AVG, 55) == 3.0
    story.feed(5.0, 60)

    assert story.ask(Function.AVG, 65) == 4.0


def test_what_is_too_large_for_a_number_is_unknown_and_forgotten() -> None:
    story = Story(60)
    story.feed(1e308, 0)
    story.feed(-1e308, 10)

    assert story.ask(Function.STDDEV, 10) is None

    story.feed(1.0, 65)
    story.feed(2.0, 75)
    assert story.ask(Function.AVG, 75) == 1.5


def test_functions_over_one_duration_share_one_window() -> None:
    history = History([MINUTE_NS, MINUTE_NS, HOUR_NS])
    for second in range(120):
        history.feed(float(second), at(second))

    assert history.ask(Function.MIN, MINUTE_NS, at(119)) == 60.0
    assert history.ask(Function.MAX, MINUTE_NS, at(119)) == 119.0
    assert history.ask(Function.MIN, HOUR_NS, at(119)) == 0.0


@pytest.mark.parametrize("duration_ns", [MINUTE_NS, HOUR_NS, 31 * DAY_NS])
def test_a_window_keeps_to_its_memory_however_many_samples_come(duration_ns: int) -> None:
    step_ns = duration_ns // BUCKETS // 8
    history = History([duration_ns])
    tracemalloc.start()
    try:
        for number in range(8 * BUCKETS * 3):
            history.feed(number / 7, Instant(number * step_ns))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 85_000
    assert history.ask(Function.COUNT, duration_ns, Instant(number * step_ns)) == pytest.approx(8 * BUCKETS, abs=8)
