from __future__ import annotations

import pytest

from ota.pace import Bucket, Spent, Window, judged, left_of, paid, with_more


def test_a_bucket_lets_a_second_through_and_then_waits() -> None:
    bucket = Bucket(0.0, at_s=0.0)

    bucket, wait_s = paid(bucket, 1000, now_s=10.0, bytes_a_second=1000)
    assert wait_s == 0
    bucket, wait_s = paid(bucket, 500, now_s=10.0, bytes_a_second=1000)
    assert wait_s == pytest.approx(0.5)
    _, wait_s = paid(bucket, 0, now_s=10.5, bytes_a_second=1000)
    assert wait_s == 0


def test_a_bucket_never_holds_more_than_a_second() -> None:
    _, wait_s = paid(Bucket(0.0, at_s=0.0), 3000, now_s=1e9, bytes_a_second=1000)

    assert wait_s == pytest.approx(2.0)


def test_a_clock_that_goes_back_fills_nothing_and_takes_nothing() -> None:
    bucket, wait_s = paid(Bucket(100.0, at_s=50.0), 100, now_s=10.0, bytes_a_second=1000)

    assert bucket.level == 0
    assert wait_s == 0


@pytest.mark.parametrize(
    ("now_s", "count", "expected"),
    [
        (59.9, 0, Window(0.0, 0)),
        (60.0, 5999, None),
        (60.0, 6000, Window(60.0)),
        (600.0, 6000, None),
    ],
    ids=["not over", "slow", "just enough", "silent for long"],
)
def test_a_window_is_judged_when_it_is_over(now_s: float, count: int, expected: Window | None) -> None:
    assert judged(Window(0.0, count), now_s, length_s=60.0, least_bytes_a_second=100) == expected


def test_a_day_has_its_share_and_another_day_another() -> None:
    spent = with_more(with_more(Spent(7, 0), 300, today=7), 500, today=7)

    assert left_of(1000, spent, today=7) == 200
    assert left_of(700, spent, today=7) == 0
    assert left_of(1000, spent, today=8) == 1000
    assert left_of(1000, spent, today=6) == 1000
    assert with_more(spent, 5, today=8) == Spent(8, 5)
