"""What is learned from and what is measured on."""

from __future__ import annotations

import numpy as np

from model.training.data.splits import split

FIFTHS = [0.2] * 5


def test_a_group_is_never_parted() -> None:
    random = np.random.default_rng(2)
    groups, dirty = random.integers(0, 60, 300), random.random(300) < 0.3

    parts = split(dirty, groups, FIFTHS, seed=0)

    assert set(parts.tolist()) == {0, 1, 2, 3, 4}
    assert all(len(set(parts[groups == one].tolist())) == 1 for one in set(groups.tolist()))


def test_each_part_has_its_share_of_a_rare_class() -> None:
    dirty = np.arange(400) < 20

    parts = split(dirty, np.arange(400), FIFTHS, seed=0)

    assert np.bincount(parts[dirty]).tolist() == [4, 4, 4, 4, 4]
    assert np.bincount(parts).tolist() == [80] * 5


def test_parts_may_be_of_different_sizes() -> None:
    parts = split(np.arange(1000) % 4 == 0, np.arange(1000), [0.8, 0.2], seed=0)

    assert np.bincount(parts).tolist() == [800, 200]


def test_one_group_that_is_half_of_all_does_not_empty_the_other_parts() -> None:
    groups = np.where(np.arange(200) < 100, 0, np.arange(200))

    parts = split(np.arange(200) % 2 == 0, groups, FIFTHS, seed=0)

    assert np.bincount(parts).min() >= 24


def test_a_seed_gives_one_split_and_another_seed_another() -> None:
    dirty, groups = np.arange(100) % 2 == 0, np.arange(100)

    one, same, other = (split(dirty, groups, [0.8, 0.2], seed=seed) for seed in (1, 1, 2))

    assert (one == same).all()
    assert (one != other).any()
