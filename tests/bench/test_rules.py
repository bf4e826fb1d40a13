from __future__ import annotations

import pytest

from bench.results import Setup
from bench.rules import FALSE, NAMES, OURS, TRUE, Values, contestants, measure


@pytest.mark.parametrize(("values", "expected"), [(FALSE, False), (TRUE, True), ((0.0, 0.9, 0.0), True)])
def test_all_are_asked_the_same(values: Values, expected: bool) -> None:
    by_name = dict(zip(NAMES, values, strict=True))

    for name, answer in contestants().items():
        assert answer(values if name == OURS else by_name) is expected  # type: ignore[arg-type]


@pytest.mark.real
def test_a_hasty_run_has_a_figure_for_each() -> None:
    result = measure(Setup(quick=True, model=None, progress=lambda _: None), recorded_s=60)

    assert [row.label for row in result.rows] == [
        "ductwatch",
        "common-expression-language",
        "rule-engine",
        "simpleeval",
        "window of 1 min",
        "window of 1 h",
        "window of 1 d",
        "a second of 1000 rules",
        "a second of a replay",
    ]
    assert all(value is None or value > 0 for row in result.rows for value in row.values)
    assert all(row.values[0] is not None for row in result.rows)
