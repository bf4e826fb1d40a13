from __future__ import annotations

import pytest

from bench.cpu import Second, split

MS = 1_000_000


def minute(*, idle_ms: int, snapshot_ms: int, verdict_s: float) -> list[Second]:
    """A second each, with a snapshot's work in the one that ends after the verdict."""
    return [
        Second(at, (idle_ms + (snapshot_ms if at - 1 < verdict_s <= at else 0)) * MS) for at in map(float, range(1, 61))
    ]


def test_a_snapshot_is_told_from_what_goes_on_anyway() -> None:
    cost = split(minute(idle_ms=2, snapshot_ms=12, verdict_s=30.5), [30.5, 30.6])  # a verdict of each camera

    assert cost.idle_share == pytest.approx(0.002)
    assert cost.snapshot_ns == pytest.approx(12 * MS)


def test_the_parts_add_up_for_any_period() -> None:
    cost = split(minute(idle_ms=2, snapshot_ms=12, verdict_s=30.5), [30.5, 30.6])

    assert cost.share(60) == pytest.approx(0.0022)
    assert cost.share(1) == pytest.approx(0.014)
