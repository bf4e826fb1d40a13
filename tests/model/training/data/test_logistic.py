"""What a regression says of pictures that it has not learned from."""

from __future__ import annotations

import numpy as np

from model.training.data.logistic import fit, out_of_fold, sigmoid, unseen_logits


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


def test_what_only_a_twin_gives_away_is_not_known() -> None:
    random = np.random.default_rng(2)
    features = np.repeat(random.normal(size=(100, 300)) / np.sqrt(300), 2, axis=0).astype(np.float32)
    dirty = np.repeat(random.random(100) < 0.5, 2)

    by_twins, alone = (unseen_logits(features, dirty, group) > 0 for group in (np.arange(200), np.arange(200) // 2))

    assert (by_twins == dirty).mean() > 0.8
    assert (alone == dirty).mean() < 0.7


def test_the_fit_is_the_minimum_of_the_penalised_loss() -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(100, 5)).astype(np.float32)
    dirty = features[:, 0] + random.normal(size=100) > 0
    weights, bias = fit(features, dirty)

    slope = features.T @ (sigmoid(features @ weights + bias) - dirty) / 100

    assert np.abs(slope + 3e-4 * weights).max() < 1e-3
