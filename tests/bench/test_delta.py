from __future__ import annotations

from pathlib import Path

import pytest

from bench.delta import measure
from bench.delta_pairs import BASE, PAIRS
from bench.delta_rivals import OURS, contestants
from bench.results import NothingToMeasure, Setup
from tests.ota.networks import bundle, layers, taught

SETUP = Setup(quick=True, model=None, progress=lambda _: None)


@pytest.mark.parametrize("name", contestants())
def test_each_brings_back_what_it_was_given(name: str) -> None:
    before = layers(0)
    base, target = bundle(before), bundle(taught(before, 1, step=0.001))
    contestant = contestants()[name]

    assert contestant.apply(base, contestant.make(base, target)) == target


@pytest.mark.real
def test_a_hasty_run_has_a_figure_for_each(tmp_path: Path) -> None:
    before = layers(0)
    for number, name in enumerate((BASE, *PAIRS)):
        (tmp_path / f"{name}.tar").write_bytes(bundle(taught(before, number, step=0.001 * number)))

    result = measure(SETUP, folder=tmp_path)

    assert len(result.rows) == len(PAIRS) * len(contestants())
    assert result.rows[0].label == f"head: {OURS}"
    assert all(value is not None and value >= 0 for row in result.rows for value in row.values)
    assert all(goal.met for goal in result.goals)


def test_without_bundles_it_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(
        NothingToMeasure, match=r"base\.tar is missing\. Make the bundles by `python -m bench\.delta_pairs`"
    ):
        measure(SETUP, folder=tmp_path)
