"""Pictures as other cameras, other mountings and other light would have taken them. One of the doors of TensorFlow.

Each draw is a function of a seed alone, so that a training that was stopped goes on as if it had not been.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from model.training.backbone import as_input


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How far pictures are changed. Spreads are standard deviations of a logarithm."""

    least_zoom: float = 0.75  # the smallest window, as a share of the side
    aspect: float = 0.15  # the window's, longest
    brightness: float = 0.15
    contrast: float = 0.15
    colour: float = 0.05  # of each channel
    noise: float = 0.03  # of full scale from -1 to 1: the spread of the noise's own level


def augmented(rgb: Any, seed: Any, how: Augmentation) -> Any:
    """(n, side, side, 3) u8 to the same in f32 of -1 to 1. `seed`: a tensor of two integers.

    Each is mirrored both ways by lot, and all are laid on their side or none: what is dirt does not depend on it.
    """
    draw = Draw(seed)
    count, size = tf.shape(rgb)[0], list(rgb.shape[1:3])
    images = tf.image.crop_and_resize(as_input(rgb), _windows(draw, count, how), tf.range(count), size)
    images = tf.cond(draw.uniform([]) < 0.5, lambda: tf.transpose(images, [0, 2, 1, 3]), lambda: images)
    images = _lit_otherwise(draw, images, count, how)
    images += draw.normal(tf.shape(images)) * tf.abs(draw.normal([count, 1, 1, 1])) * how.noise
    return tf.clip_by_value(images, -1, 1)


class Draw:
    """Random numbers, another at each call, by a seed of two integers."""

    def __init__(self, seed: Any) -> None:
        self._seed = seed
        self._calls = 0

    def uniform(self, shape: Any) -> Any:
        return tf.random.stateless_uniform(shape, self._next())

    def normal(self, shape: Any) -> Any:
        return tf.random.stateless_normal(shape, self._next())

    def _next(self) -> Any:
        self._calls += 1
        return tf.random.fold_in(self._seed, self._calls)


def _windows(draw: Draw, count: Any, how: Augmentation) -> Any:
    """(n, 4): top, left, bottom, right of what is shown, 0..1; bottom before top mirrors."""
    area = how.least_zoom**2 + draw.uniform([count]) * (1 - how.least_zoom**2)
    stretch = tf.exp((draw.uniform([count]) * 2 - 1) * how.aspect)
    height, width = tf.minimum(tf.sqrt(area) * stretch, 1.0), tf.minimum(tf.sqrt(area) / stretch, 1.0)
    top, left = draw.uniform([count]) * (1 - height), draw.uniform([count]) * (1 - width)
    rows, columns = (top, top + height), (left, left + width)
    rows = _swapped(draw.uniform([count]) < 0.5, *rows)
    columns = _swapped(draw.uniform([count]) < 0.5, *columns)
    return tf.stack([rows[0], columns[0], rows[1], columns[1]], axis=1)


def _swapped(where: Any, low: Any, high: Any) -> tuple[Any, Any]:
    return tf.where(where, high, low), tf.where(where, low, high)


def _lit_otherwise(draw: Draw, images: Any, count: Any, how: Augmentation) -> Any:
    gain = tf.exp(draw.normal([count, 1, 1, 1]) * how.brightness + draw.normal([count, 1, 1, 3]) * how.colour)
    contrast = tf.exp(draw.normal([count, 1, 1, 1]) * how.contrast)
    middle = tf.reduce_mean(images, (1, 2, 3), keepdims=True)
    return ((images - middle) * contrast + middle + 1) * gain - 1
