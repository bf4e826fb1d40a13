"""What a regression says of pictures that it has not learned from."""

from __future__ import annotations

import numpy as np

from model.training.data.logistic import fit, grouped_folds, out_of_fold, sigmoid


def test_classes_that_lie_apart_are_told_apart() -> None:
    random = np.random.default_rng(0)
    dirty = np.arange(200) % 2 == 0
    features = (random.normal(size=(200, 30)) + 2 * dirty[:, None]).astype(np.float32)

    probability = out_of_fold(features, dirty, np.arange(200))

    assert ((probability > 0.5) == dirty).mean() > 0.98


def test_nothing_to_learn_gives_no_opinion() -> None:
    dirty = np.arange(200) % 2 == 0
    features = np.ones((200, 30), np.float32)

    assert np.allclose(out_of_fold(features, dirty, np.arange(200)), 0.5, atol=0.05)


def test_the_fit_is_the_minimum_of_the_penalised_loss() -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(100, 5)).astype(np.float32)
    dirty = features[:, 0] + random.normal(size=100) > 0
    weights, bias = fit(features, dirty)

    slope = features.T @ (sigmoid(features @ weights + bias) - dirty) / 100

    assert np.abs(slope + 3e-4 * weights).max() < 1e-3


def test_a_group_is_never_parted_and_every_picture_is_held_out_once() -> None:
    random = np.random.default_rng(2)
    group, dirty = random.integers(0, 60, 300), random.random(300) < 0.3

    folds = list(grouped_folds(dirty, group, 5))

    assert (np.sum(folds, axis=0) == 1).all()
    assert all(len(set(held_out[group == one].tolist())) == 1 for held_out in folds for one in set(group.tolist()))


def test_folds_hold_as_much_of_a_rare_class_each() -> None:
    dirty = np.arange(400) < 20

    held = [int(dirty[held_out].sum()) for held_out in grouped_folds(dirty, np.arange(400), 5)]

    assert held == [4, 4, 4, 4, 4]
