from __future__ import annotations

import pytest

from bench.install import BUNDLE, COPIED, INSTALLED, LOADED, measure, ratio
from bench.results import Setup
from bench.timing import Times


def test_the_ratio_is_that_of_the_usual_round() -> None:
    ours, theirs = Times(wall_ns=[30, 20, 900]), Times(wall_ns=[20, 20, 100])

    assert ratio(ours, theirs) == 1.5


@pytest.mark.real
def test_a_hasty_run_has_a_figure_for_each() -> None:
    result = measure(Setup(quick=True, model=None, progress=lambda _: None), bundle_bytes=300_000)

    labels = [row.label for row in result.rows]
    assert labels[:3] == [INSTALLED, COPIED, LOADED]
    assert f"installing: {BUNDLE}" in labels
    assert all(value is None or value > 0 for row in result.rows for value in row.values)
