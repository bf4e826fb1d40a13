"""How the shipped model's network learns from rendered ducts. One of the doors of TensorFlow.

It learns from each part of a picture how much dirt that part shows, which the renderer knows, and from the whole: many
answers a picture instead of one, which makes minutes enough. First on crops, which cost a third.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.architectures import Architecture, batch_norms
from model.training.finetune import HAZE
from model.training.render import Pictures
from model.training.spoil import spoilt
from model.training.targets import as_input, target

CROP_PX: Final = 96
STRANGE: Final = 0.08  # share of a batch that is no duct, and neither clean nor dirty
DECAY: Final = 1e-4
SUREST: Final = 8.0  # logit that a teacher is heard with: in float32, the logistic of some 17 is 1, whose logit is none
DEGREE: Final = 0.3  # what the degree counts beside the class
AVERAGE: Final = 0.99  # of the weights that are kept, over steps
SETTLE_BATCHES: Final = 60  # to recompute the batch statistics of the averaged weights
REPORT_STEPS: Final = 100

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]


def train(
    pictures: Pictures,
    strange: npt.NDArray[np.uint8],
    architecture: Architecture,
    *,
    seed: int,
    progress: Callable[[str], None],
    teacher: Any | None = None,
) -> Any:
    """Return a Keras model: (n, side, side, 3) of -1 to 1 in, (n,) out, above 0 for dirty (a logit).

    `strange` (m, side, side, 3) are pictures of no duct. `teacher`: a model like the one that comes back, which says of
    the whole picture, as it is spoilt, what is to be answered.
    """
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    body = architecture.body()
    head = tf.keras.layers.Dense(1)
    cells = tf.keras.Sequential([tf.keras.Input((None, None, 3)), body, tf.keras.layers.Dropout(0.1), head])
    plan = architecture.plan
    steps = plan.crop_steps + plan.whole_steps
    rate = tf.keras.optimizers.schedules.CosineDecay(
        plan.rate / 20, steps, warmup_target=plan.rate, warmup_steps=steps // 20
    )
    optimiser = tf.keras.optimizers.AdamW(rate, weight_decay=DECAY, use_ema=True, ema_momentum=AVERAGE)
    rng = np.random.default_rng(seed)
    batches = _batches(pictures, strange, plan.batch, rng)
    learning = _Learning(cells, optimiser, seed, steps, progress, teacher)
    learning.learn(_crops(batches, architecture.stride, rng), plan.crop_steps)
    learning.learn(batches, plan.whole_steps)
    optimiser.finalize_variable_values(cells.trainable_variables)
    _settle(body, batches)
    image = tf.keras.Input((architecture.side, architecture.side, 3))
    pooled = tf.keras.layers.GlobalAveragePooling2D()(body(image))
    last = tf.keras.layers.Dense(1, name=HAZE)
    network = tf.keras.Model(image, tf.keras.layers.Reshape(())(last(pooled)))
    last.set_weights(head.get_weights())
    return network


class _Learning:
    """Steps of one network, in phases of other batches."""

    def __init__(
        self, cells: Any, optimiser: Any, seed: int, steps: int, progress: Callable[[str], None], teacher: Any | None
    ) -> None:
        self._cells = cells
        self._teacher = teacher
        self._optimiser = optimiser
        self._seed = seed
        self._steps = steps
        self._progress = progress
        self._done = 0

    def learn(self, batches: Iterator[Batch], steps: int) -> None:
        compiled = tf.function(self._step)
        total = 0.0
        for _ in range(steps):
            total += float(compiled(*next(batches), tf.constant(self._done)))
            self._done += 1
            if self._done % REPORT_STEPS == 0:
                self._progress(f"step {self._done} of {self._steps}: loss {total / REPORT_STEPS:.4f}")
                total = 0.0

    def _step(self, images: Any, dirty_cells: Any, dirty: Any, number: Any) -> Any:
        images, doubt = spoilt(images, tf.stack([self._seed, number]))
        dirty, dirty_cells = doubtful(dirty, doubt), doubtful(dirty_cells, doubt[:, None, None])
        if self._teacher is not None:
            dirty = tf.sigmoid(tf.clip_by_value(self._teacher(images, training=False), -SUREST, SUREST))
        with tf.GradientTape() as tape:
            answers = self._cells(images, training=True)[..., 0]
            # the head is linear, so that its mean over the cells is its answer for the pooled features
            loss = degree_loss(answers, dirty_cells) + degree_loss(tf.reduce_mean(answers, axis=(1, 2)), dirty)
        weights = self._cells.trainable_variables
        self._optimiser.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss


def doubtful(dirty: Any, doubt: Any) -> Any:
    """What is to be answered of a picture that hides what it shows: neither clean nor dirty, at a `doubt` of 1."""
    return tf.sigmoid((1 - doubt) * tf.math.log(dirty / (1 - dirty)))


def degree_loss(answers: Any, dirty: Any) -> Any:
    """Of the class, and of the degree by its logit: among very clean (very dirty) ducts the class hardly changes."""
    of_class = tf.nn.sigmoid_cross_entropy_with_logits(labels=dirty, logits=answers)
    off = tf.abs(answers - tf.math.log(dirty / (1 - dirty)))
    of_degree = tf.where(off < 1, off**2 / 2, off - 0.5)  # Huber 1964: a part that cannot be seen does not drag
    return tf.reduce_mean(of_class + DEGREE * of_degree)


def _batches(
    pictures: Pictures, strange: npt.NDArray[np.uint8], batch: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Shuffled and mirrored, for ever: images, how dirty each cell is, and how dirty the whole is."""
    dirty_cells, dirty = target(pictures.cells_g_m2), target(pictures.coverage_g_m2)
    no_ducts = round(batch * STRANGE)
    ducts = batch - no_ducts
    unsure = np.full((no_ducts, *dirty_cells.shape[1:]), 0.5, np.float32)
    while True:
        order = rng.permutation(len(dirty))
        for start in range(0, len(order) - ducts + 1, ducts):
            chosen = order[start : start + ducts]
            rgb = np.concatenate([pictures.rgb[chosen], strange[rng.integers(len(strange), size=no_ducts)]])
            cells = np.concatenate([dirty_cells[chosen], unsure])
            mirrored = rng.random(batch) < 0.5
            rgb[mirrored], cells[mirrored] = rgb[mirrored, :, ::-1], cells[mirrored, :, ::-1]
            yield as_input(rgb), cells, np.concatenate([dirty[chosen], unsure[:, 0, 0]])


def _crops(batches: Iterator[Batch], stride: int, rng: np.random.Generator) -> Iterator[Batch]:
    """One window of whole cells, another for each batch. What it shows as a whole is the mean of its cells."""
    size = CROP_PX // stride
    for images, cells, _ in batches:
        top, left = rng.integers(cells.shape[1] - size + 1, size=2)
        window = cells[:, top : top + size, left : left + size]
        rows = slice(top * stride, top * stride + CROP_PX)
        columns = slice(left * stride, left * stride + CROP_PX)
        yield images[:, rows, columns], window, window.mean((1, 2))


def _settle(body: Any, batches: Iterator[Batch]) -> None:
    """Replace the running statistics, which lag, by the mean over many batches at the final weights."""
    learned = batch_norms(body)
    for number in range(SETTLE_BATCHES if learned else 0):
        for layer in learned:
            layer.momentum = number / (number + 1)
        body(next(batches)[0], training=True)
