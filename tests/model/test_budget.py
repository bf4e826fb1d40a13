from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.budget import MAX_NS, LatencyBudget

MS = 1_000_000


def test_a_verdict_after_the_limit_is_an_overrun() -> None:
    budget = LatencyBudget(limit_ms=150)

    assert [budget.record(ms * MS) for ms in (3, 150, 151)] == [False, False, True]
    assert (budget.count, budget.overruns) == (3, 1)


def test_the_missed_share_forgets_what_is_long_past() -> None:
    budget = LatencyBudget(limit_ms=150)
    for _ in range(50):
        budget.record(200 * MS)
    assert budget.missed_share == 1.0

    for _ in range(75):
        budget.record(3 * MS)

    assert budget.missed_share == 0.25
    assert budget.overruns == 50


@given(st.lists(st.integers(0, MAX_NS - 1), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 0.999]))
def test_percentiles_are_right_to_two_percent(latencies_ns: list[int], share: float) -> None:
    budget = LatencyBudget(limit_ms=1)
    for latency_ns in latencies_ns:
        budget.record(latency_ns)

    (found,) = budget.percentiles_ns([share])

    within = sorted(latencies_ns)[max(1, -int(-share * len(latencies_ns) // 1)) - 1]
    assert within <= found <= within * (1 + 1 / 64)


def test_the_maximum_is_exact_however_long_it_took() -> None:
    budget = LatencyBudget(limit_ms=150)
    budget.record(2 * MS)
    budget.record(5 * MAX_NS + 1)

    assert budget.percentiles_ns([1.0]) == [5 * MAX_NS + 1]


def test_before_the_first_verdict_all_is_nought() -> None:
    budget = LatencyBudget(limit_ms=150)

    assert budget.percentiles_ns([0.5, 1.0]) == [0, 0]
    assert budget.missed_share == 0.0


@pytest.mark.parametrize("limit_ms", [0, -1, float("nan")])
def test_a_budget_of_nothing_is_refused(limit_ms: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        LatencyBudget(limit_ms=limit_ms)
