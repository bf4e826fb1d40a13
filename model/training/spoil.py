"""Pictures as a worse moment would have shown them: noisy, foggy, flat, blurred. One of the doors of TensorFlow.

Each draw is a function of a seed alone. Most pictures are changed little; the ends of the scales are about those of
ImageNet-C (`model.training.evaluation.corrupt`), once a camera's picture has been shrunk to the network's size.
"""

from __future__ import annotations

from typing import Any, Final

import tensorflow as tf

from model.training.augment import Draw

NOISE: Final = 0.3  # standard deviation, of -1 to 1: strength 5 of ImageNet-C is 0.76 in a picture four times as wide
VEIL: Final = 0.7  # share of the light that fog throws back
CLOUDS: Final = (4, 12, 36)  # by so many across a picture fog is thicker or thinner
ROUGHEST: Final = 0.7  # of each of them, beside the one before
SEEN_THROUGH, HIDDEN = 0.2, 0.6  # of a veil: up to the one nothing is hidden by it, from the other on all
BLURRED: Final = 0.3  # share of the batches: half of them as by motion, along one side only
LONGEST: Final = 8  # of what motion smears, in pixels of what the network sees
DIM: Final = 0.1  # share of the pictures with little light: down to `LEAST_LIGHT`
LEAST_LIGHT: Final = 0.15
LIGHT: Final = 0.25  # standard deviations of logarithms
CONTRAST: Final = 0.2
COLOUR: Final = 0.04


def spoilt(images: Any, seed: Any) -> tuple[Any, Any]:
    """(n, s, s, 3) of -1 to 1 to the same, and how doubtful it is what each shows, (n,), 0 to 1.

    `seed`: two integers, a tensor.
    """
    draw = Draw(seed)
    each, side = [tf.shape(images)[0], 1, 1, 1], images.shape[1]
    times = 2.0 if side > 128 else 1.5
    blur, smeared = draw.uniform([]), LONGEST ** draw.uniform([])
    images = tf.case(
        [
            (blur < BLURRED / 4, lambda: _blurred(images, side, 1.0, smeared)),
            (blur < BLURRED / 2, lambda: _blurred(images, side, smeared, 1.0)),
            (blur < BLURRED, lambda: _blurred(images, side, times, times)),
        ],
        lambda: images,
    )
    middle = tf.reduce_mean(images, (1, 2, 3), keepdims=True)
    images = (images - middle) * tf.exp(draw.normal(each) * CONTRAST) + middle
    light = tf.exp(draw.normal(each) * LIGHT + draw.normal([tf.shape(images)[0], 1, 1, 3]) * COLOUR)
    light *= tf.where(draw.uniform(each) < DIM, LEAST_LIGHT ** draw.uniform(each), 1.0)
    images, doubt = _veiled((images + 1) * light - 1, draw)
    images += draw.normal(tf.shape(images)) * (draw.uniform(each) ** 4 * NOISE)
    return tf.clip_by_value(images, -1, 1), doubt


def _veiled(images: Any, draw: Draw) -> tuple[Any, Any]:
    """Two in five of them behind fog, and how much of each it hides.

    What a veil takes of the light it throws back in clouds; it takes it there, or as much everywhere, or in between.
    """
    count = tf.shape(images)[0]
    each = [count, 1, 1, 1]
    thrown_back = tf.maximum(draw.uniform(each) - 0.6, 0.0) / 0.4 * VEIL
    thrown_back *= 1 + draw.uniform(each) * _clouds(draw, count, tf.shape(images)[1:3])
    thrown_back = tf.clip_by_value(thrown_back, 0.0, 0.9)
    taken = tf.reduce_mean(thrown_back, (1, 2, 3), keepdims=True)
    doubt = tf.clip_by_value((taken[:, 0, 0, 0] - SEEN_THROUGH) / (HIDDEN - SEEN_THROUGH), 0.0, 1.0)
    taken = thrown_back + (taken - thrown_back) * draw.uniform(each)
    white = draw.uniform(each) * 0.6 + 0.3
    return (images + 1) * (1 - taken) + 2 * white * thrown_back - 1, doubt


def _clouds(draw: Draw, count: Any, size: Any) -> Any:
    """(count, height, width, 1), mostly -1 to 1: some are smooth, some are rough."""
    rough = draw.uniform([count, 1, 1, 1]) * ROUGHEST
    clouds, share, total = 0.0, 1.0, 0.0
    for across in CLOUDS:
        nodes = draw.uniform([count, across, across, 1]) * 2 - 1
        clouds += share * tf.image.resize(nodes, size, "bicubic")
        total += share**2
        share *= rough
    return clouds / total**0.5


def _blurred(images: Any, side: int, down: Any, across: Any) -> Any:
    small = [tf.cast(tf.round(side / one), tf.int32) for one in (down, across)]
    return tf.image.resize(tf.image.resize(images, small, "area"), [side, side])
