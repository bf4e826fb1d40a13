"""What `make fuzz` starts from holds for each of its targets, without it: that they still fit what they try."""

from __future__ import annotations

import importlib

import pytest

from tests.fuzz.__main__ import TARGETS

pytestmark = pytest.mark.real


@pytest.mark.parametrize("name", TARGETS)
def test_the_first_inputs_of_a_target_find_nothing(name: str) -> None:
    target = importlib.import_module(f"tests.fuzz.{name}")
    seeds = list(target.seeds())

    assert seeds
    assert max(map(len, seeds)) <= target.MAX_BYTES
    for seed in seeds:
        target.check(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_that_are_cut_short_or_garbled_find_nothing(name: str) -> None:
    target = importlib.import_module(f"tests.fuzz.{name}")

    for number, seed in enumerate(target.seeds()):
        place = 1 + number * 37 % max(1, len(seed) - 1)
        target.check(seed[:place])
        target.check(seed[:place] + bytes([number % 256]) + seed[place:-1])
