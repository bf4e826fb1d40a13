"""Pictures as a worse moment would have shown them: noisy, foggy, flat, blurred. One of the doors of TensorFlow.

Each draw is a function of a seed alone. Most pictures are changed little; the ends of the scales are those of
ImageNet-C (`model.training.evaluation.corrupt`), once a camera's picture has been shrunk to the network's size.
"""

from __future__ import annotations

from typing import Any, Final

import tensorflow as tf

from model.training.augment import Draw

NOISE: Final = 0.3  # standard deviation, of -1 to 1: strength 5 of ImageNet-C is 0.76 in a picture four times as wide
VEIL: Final = 0.6  # share of the light that fog throws back
CLOUDS: Final = 4  # by so many across a picture fog is thicker or thinner
SEEN_THROUGH, HIDDEN = 0.2, 0.6  # of a veil: up to the one nothing is hidden by it, from the other on all
BLURRED: Final = 0.3  # share of the batches: half of them as by motion, along one side only
LIGHT: Final = 0.25  # standard deviations of logarithms
CONTRAST: Final = 0.2
COLOUR: Final = 0.04


def spoilt(images: Any, seed: Any) -> tuple[Any, Any]:
    """(n, s, s, 3) of -1 to 1 to the same, and how doubtful it is what each shows, (n,), 0 to 1.

    `seed`: two integers, a tensor.
    """
    draw = Draw(seed)
    each, side = [tf.shape(images)[0], 1, 1, 1], images.shape[1]
    times = 2 if side > 128 else 1.5
    blur = draw.uniform([])
    images = tf.case(
        [
            (blur < BLURRED / 4, lambda: _blurred(images, side, 1, 2 * times)),
            (blur < BLURRED / 2, lambda: _blurred(images, side, 2 * times, 1)),
            (blur < BLURRED, lambda: _blurred(images, side, times, times)),
        ],
        lambda: images,
    )
    middle = tf.reduce_mean(images, (1, 2, 3), keepdims=True)
    images = (images - middle) * tf.exp(draw.normal(each) * CONTRAST) + middle
    light = tf.exp(draw.normal(each) * LIGHT + draw.normal([tf.shape(images)[0], 1, 1, 3]) * COLOUR)
    images = (images + 1) * light - 1
    veil = tf.maximum(draw.uniform(each) - 0.6, 0.0) / 0.4 * VEIL  # on two in five
    clouds = tf.image.resize(draw.uniform([tf.shape(images)[0], CLOUDS, CLOUDS, 1]), tf.shape(images)[1:3], "bicubic")
    veil = tf.clip_by_value(veil * (1 + draw.uniform(each) * (2 * clouds - 1)), 0.0, 0.9)
    doubt = tf.clip_by_value((tf.reduce_mean(veil, (1, 2, 3)) - SEEN_THROUGH) / (HIDDEN - SEEN_THROUGH), 0.0, 1.0)
    images = images * (1 - veil) + (draw.uniform(each) * 1.2 - 0.4) * veil
    images += draw.normal(tf.shape(images)) * (draw.uniform(each) ** 4 * NOISE)
    return tf.clip_by_value(images, -1, 1), doubt


def _blurred(images: Any, side: int, down: float, across: float) -> Any:
    small = [round(side / down), round(side / across)]
    return tf.image.resize(tf.image.resize(images, small, "area"), [side, side])
