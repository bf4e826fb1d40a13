"""The network and how it learns: MobileNetV2, narrow, from nothing. One of the two doors of TensorFlow.

It learns from each part of a picture how much dirt that part shows, which the renderer knows, and from the whole:
twenty-six answers a picture instead of one, which makes minutes enough. First on crops, which cost a third.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.render import CELL_PX, Pictures
from model.training.targets import as_input, target

WIDTH: Final = 0.35  # share of MobileNetV2's channels: 0.4 M parameters, 0.55 ms on a desktop core
CROP_CELLS: Final = 3
BATCH: Final = 64
RATE: Final = 3e-3  # peak, of AdamW; falls to nothing by a cosine
BN_MOMENTUM: Final = 0.9  # Keras' 0.999 lags thousands of steps behind, more than there are
SETTLE_BATCHES: Final = 60  # to recompute the batch statistics of the averaged weights
REPORT_STEPS: Final = 100

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]


def train(pictures: Pictures, *, crop_steps: int, whole_steps: int, seed: int, progress: Callable[[str], None]) -> Any:
    """Return a Keras model: (n, side, side, 3) of -1 to 1 in, (n, 2) of clean and dirty out, which add up to 1."""
    tf.keras.utils.set_random_seed(seed)
    side = pictures.rgb.shape[1]
    body = _body()
    head = tf.keras.layers.Dense(2)
    cells = tf.keras.Sequential([tf.keras.Input((None, None, 3)), body, tf.keras.layers.Dropout(0.1), head])
    steps = crop_steps + whole_steps
    rate = tf.keras.optimizers.schedules.CosineDecay(RATE / 20, steps, warmup_target=RATE, warmup_steps=steps // 20)
    optimiser = tf.keras.optimizers.AdamW(rate, weight_decay=1e-4, use_ema=True, ema_momentum=0.99)
    rng = np.random.default_rng(seed)
    batches = _batches(pictures, rng)
    _learn(cells, optimiser, _crops(batches, rng), crop_steps, progress)
    _learn(cells, optimiser, batches, whole_steps, progress)
    optimiser.finalize_variable_values(cells.trainable_variables)
    _settle(body, batches)
    image = tf.keras.Input((side, side, 3))
    pooled = tf.keras.layers.GlobalAveragePooling2D()(body(image))
    return tf.keras.Model(image, tf.keras.layers.Softmax()(head(pooled)))


def _body() -> Any:
    body = tf.keras.applications.MobileNetV2((None, None, 3), alpha=WIDTH, include_top=False, weights=None)
    for layer in _batch_norms(body):
        layer.momentum = BN_MOMENTUM
    return body


def _learn(cells: Any, optimiser: Any, batches: Iterator[Batch], steps: int, progress: Callable[[str], None]) -> None:
    def step(images: Any, dirty_cells: Any, dirty: Any) -> Any:
        with tf.GradientTape() as tape:
            scores = cells(images, training=True)
            # the head is linear, so that its mean over the cells is its answer for the pooled features
            loss = _loss(scores, dirty_cells) + _loss(tf.reduce_mean(scores, axis=(1, 2)), dirty)
        weights = cells.trainable_variables
        optimiser.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    compiled = tf.function(step, reduce_retracing=True)
    total = 0.0
    for number in range(1, steps + 1):
        total += float(compiled(*next(batches)))
        if number % REPORT_STEPS == 0:
            progress(f"step {number} of {steps}: loss {total / REPORT_STEPS:.4f}")
            total = 0.0


def _loss(scores: Any, dirty: Any) -> Any:
    return tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits(labels=tf.stack([1 - dirty, dirty], axis=-1), logits=scores)
    )


def _batches(pictures: Pictures, rng: np.random.Generator) -> Iterator[Batch]:
    """Shuffled, mirrored, brightened, for ever: images, how dirty each cell is, and how dirty the whole is."""
    dirty_cells, dirty = target(pictures.cells_g_m2), target(pictures.coverage_g_m2)
    while True:
        order = rng.permutation(len(dirty))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            rgb, cells = pictures.rgb[chosen], dirty_cells[chosen]
            mirrored = rng.random(BATCH) < 0.5
            rgb[mirrored], cells[mirrored] = rgb[mirrored, :, ::-1], cells[mirrored, :, ::-1]
            gain = rng.uniform(0.8, 1.2, (BATCH, 1, 1, 1)).astype(np.float32)
            yield np.clip((as_input(rgb) + 1) * gain - 1, -1, 1), cells, dirty[chosen]


def _crops(batches: Iterator[Batch], rng: np.random.Generator) -> Iterator[Batch]:
    """One window of whole cells, another for each batch. What it shows as a whole is the mean of its cells."""
    for images, cells, _ in batches:
        top, left = rng.integers(cells.shape[1] - CROP_CELLS + 1, size=2)
        window = cells[:, top : top + CROP_CELLS, left : left + CROP_CELLS]
        rows = slice(top * CELL_PX, (top + CROP_CELLS) * CELL_PX)
        columns = slice(left * CELL_PX, (left + CROP_CELLS) * CELL_PX)
        yield images[:, rows, columns], window, window.mean((1, 2))


def _settle(body: Any, batches: Iterator[Batch]) -> None:
    """Replace the running statistics, which lag, by the mean over many batches at the final weights."""
    for number in range(SETTLE_BATCHES):
        for layer in _batch_norms(body):
            layer.momentum = number / (number + 1)
        body(next(batches)[0], training=True)


def _batch_norms(body: Any) -> list[Any]:
    return [layer for layer in body.layers if isinstance(layer, tf.keras.layers.BatchNormalization)]
