"""The network is the one that its authors trained, and int8 takes little from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drivers.camera.jpeg import encode_jpeg
from model.tensors import Decoder, jpeg_frame
from model.training.backbone import backbone, imagenet_weights, look
from model.training.bundle import classifier_of
from model.training.calibrate import fit_line
from model.training.export import int8_of
from model.training.finetune import Labelled, Settings, finetune
from tests.model.training.test_outcome import recipe
from tests.training_with_tensorflow.photos import EACH, duct

pytestmark = pytest.mark.real

SIDE = 96  # sees a speck, and is quick
BY_TORCH = (0.0, 0.72448, 0.5348, 0.0, 0.80946, 0.0, 0.1317, 0.0, 0.0, 0.16046, 0.0, 0.01979, 0.0)
"""Means of features 0, 100 and so on for `STRIPES`: the same weights and torch 2.13's own layers."""
STRIPES = (np.add.outer(np.arange(64) * 7, np.arange(96) * 13)[..., None] + np.arange(3) * 29) % 256


def test_its_features_are_those_of_the_network_that_learned_imagenet() -> None:
    features = look(backbone(imagenet_weights()), STRIPES[np.newaxis].astype(np.uint8))

    assert features.shape == (1, 2, 3, 1280)
    assert features.mean(axis=(0, 1, 2))[::100].tolist() == pytest.approx(BY_TORCH, abs=1e-4)


def test_int8_says_what_the_floats_said() -> None:
    frames = [jpeg_frame(encode_jpeg(duct(n // 2, dirty=n % 2 == 1)), "duct") for n in range(2 * EACH)]
    decoder = Decoder(SIDE, SIDE)
    rgb = np.stack([decoder.decode(frame) for frame in frames])
    dirty = np.arange(2 * EACH) % 2 == 1
    learned, tuned = Labelled(rgb[:80], dirty[:80]), Labelled(rgb[80:], dirty[80:])

    network, curve = finetune(learned, imagenet_weights(), Settings(epochs=2), seed=1, progress=lambda _: None)
    logits = look(network, tuned.rgb)
    line = fit_line(logits, tuned.dirty)
    classifier = classifier_of(replace(recipe(), side=SIDE), int8_of(network, line, learned.rgb))

    assert len(curve.losses) == 20
    floats = 1 / (1 + np.exp(-(line.slope * logits + line.shift)))
    int8 = np.array([classifier.forced_score(frame) for frame in frames[80:]])
    assert np.abs(int8 - floats).mean() < 0.02
    assert floats.std() > 0.1
