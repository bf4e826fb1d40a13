"""The network is the one that its authors trained, and int8 takes little from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drivers.camera.jpeg import encode_jpeg
from drivers.types import Frame
from model.interpreter import outputs
from model.tensors import Decoder, jpeg_frame, quantise
from model.training.backbone import LITE0, LITE1, backbone, cut_backbone, imagenet_weights, look
from model.training.bundle import classifier_of
from model.training.calibrate import Line, fit_line
from model.training.export import Opinion, int8_of, opinions_of, with_two_answers
from model.training.finetune import Labelled, Settings, finetune, headed, set_head, steps_for
from model.training.frozen import frozen
from tests.model.training.test_outcome import recipe
from tests.training_with_tensorflow.photos import EACH, duct

pytestmark = pytest.mark.real

SIDE = 96  # sees a speck, and is quick
BY_TORCH = {
    LITE0: (0.0, 0.72448, 0.5348, 0.0, 0.80946, 0.0, 0.1317, 0.0, 0.0, 0.16046, 0.0, 0.01979, 0.0),
    LITE1: (0.0, 1.26359, 0.0, 0.0, 0.0, 0.0, 0.10254, 0.0, 0.0, 0.0, 0.0, 5.11991, 5.54285),
}
"""Means of features 0, 100 and so on for `STRIPES`: the same weights and torch 2.13's own layers."""
STRIPES = (np.add.outer(np.arange(64) * 7, np.arange(96) * 13)[..., None] + np.arange(3) * 29) % 256


@pytest.mark.parametrize("package", [LITE0, LITE1])
def test_its_features_are_those_of_the_network_that_learned_imagenet(package: str) -> None:
    features = look(backbone(imagenet_weights(package)), STRIPES[np.newaxis].astype(np.uint8))

    assert features.shape == (1, 2, 3, 1280)
    assert features.mean(axis=(0, 1, 2))[::100].tolist() == pytest.approx(BY_TORCH[package], abs=1e-4)


@pytest.mark.parametrize("package", [LITE0, LITE1])
def test_cut_off_it_sees_four_times_as_many_places(package: str) -> None:
    assert look(cut_backbone(imagenet_weights(package)), STRIPES[np.newaxis].astype(np.uint8)).shape == (1, 4, 6, 672)


def decoded() -> tuple[list[Frame], Labelled]:
    """Ducts as the board decodes them, clean and dirty by turns."""
    frames = [jpeg_frame(encode_jpeg(duct(n // 2, dirty=n % 2 == 1)), "duct") for n in range(2 * EACH)]
    decoder = Decoder(SIDE, SIDE)
    return frames, Labelled(np.stack([decoder.decode(frame) for frame in frames]), np.arange(2 * EACH) % 2 == 1)


def test_int8_says_what_the_floats_said() -> None:
    frames, all_of_them = decoded()
    learned, tuned = (Labelled(all_of_them.rgb[part], all_of_them.dirty[part]) for part in (slice(80), slice(80, None)))
    aside = [np.arange(80) < 10, np.arange(80) >= 70]
    weights = [imagenet_weights(one) for one in (LITE0, LITE1)]

    networks, curve = finetune(learned, aside, weights, Settings(epochs=2), seed=1, progress=lambda _: None)
    each = [look(network, tuned.rgb) for network in networks]
    logits = np.mean(each, axis=0)
    line = fit_line(logits, tuned.dirty)
    opinions = opinions_of(networks, line, None)
    classifier = classifier_of(replace(recipe(), side=SIDE), int8_of(opinions, learned.rgb))

    assert len(curve.losses) == 20
    floats = 1 / (1 + np.exp(-(line.slope * logits + line.shift)))
    int8 = np.array([classifier.forced_score(frame) for frame in frames[80:]])
    assert np.abs(int8 - floats).mean() < 0.02
    assert floats.std() > 0.1
    assert np.abs(each[0] - each[1]).mean() > 0.1  # each has learned in its own way


@pytest.mark.parametrize(("pictures", "steps"), [(1, 2), (2000, 2700), (4000, 2700), (8000, 4000)])
def test_many_pictures_are_seen_less_often(pictures: int, steps: int) -> None:
    assert steps_for(pictures, Settings()) == steps


def test_the_mean_of_those_taught_decides_and_the_second_opinion_counts_half_as_much() -> None:
    """In floats, as int8 and the logistic would hide how much an opinion counts."""
    body = cut_backbone(imagenet_weights())
    one, other, second = networks = [headed(body) for _ in range(3)]
    for place, network in enumerate(networks):
        weights = np.random.default_rng(place).normal(size=2 * 672).astype(np.float32)
        set_head(network, weights, 0.5, np.zeros(2 * 672), np.ones(2 * 672))
    line, line_of_second = Line(0.3, -0.2), Line(0.1, 0.4)

    both = with_two_answers(opinions_of([one, other], line, Opinion(second, line_of_second)), SIDE)

    rgb = duct(0, dirty=True)[np.newaxis, :SIDE, :SIDE]
    taught = np.mean([look(one, rgb), look(other, rgb)], axis=0) * line.slope + line.shift
    beside = look(second, rgb) * line_of_second.slope + line_of_second.shift
    clean, dirty = look(both, rgb).T
    assert dirty - clean == pytest.approx(taught + beside / 2, rel=1e-4)


def test_a_second_opinion_is_added() -> None:
    frames, ducts = decoded()
    taught, second = (
        frozen(ducts, group, imagenet_weights(LITE1)) or pytest.fail("it knows nothing of them")
        for group in (np.arange(2 * EACH), np.arange(2 * EACH) // 2)
    )

    classifier = classifier_of(replace(recipe(), side=SIDE), int8_of([taught, second], ducts.rgb))

    each = [look(one.network, ducts.rgb) * one.line.slope + one.line.shift for one in (taught, second)]
    assert np.abs(each[0]).mean() > 0.5
    assert ((each[0] > 0) == ducts.dirty).mean() > 0.9
    floats = 1 / (1 + np.exp(-(each[0] + each[1])))
    int8 = np.array([classifier.forced_score(frame) for frame in frames])
    assert np.abs(int8 - floats).mean() < 0.03


def test_int8_adds_nothing_to_all_answers_alike() -> None:
    """In logits, of other pictures than those that it was taken off by. It would be 0.18."""
    _, ducts = decoded()
    opinion = frozen(Labelled(ducts.rgb[:80], ducts.dirty[:80]), np.arange(80), imagenet_weights(LITE1))
    assert opinion is not None

    int8 = outputs(int8_of([opinion], ducts.rgb[:80]), map(quantise, ducts.rgb[80:]))

    floats = look(opinion.network, ducts.rgb[80:]) * opinion.line.slope + opinion.line.shift
    added = (int8[:, 1] - int8[:, 0]) - floats
    assert abs(added.mean()) < 0.1 < floats.std()


def test_where_imagenet_knows_nothing_of_the_labels_there_is_no_second_opinion() -> None:
    grey = Labelled(np.full((40, SIDE, SIDE, 3), 128, np.uint8), np.arange(40) % 2 == 1)

    assert frozen(grey, np.arange(40), imagenet_weights()) is None
