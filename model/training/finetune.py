"""Teaches ImageNet's network what clean and dirty is, from some hundred photos. One of the doors of TensorFlow.

Not the whole network: up to block 11, where a cell is 16 pixels wide. On the hardest fifth of 940 photos of smooth
metal that told more, in less time, than the whole (AUC .961 and .930 after 30 epochs), and so did time: .921, .961 and
.978 after 12, 30 and 50. One run each, and runs of the same settings differ: .92 and .95 with another seed.

Pictures are shown coarse at first: a quarter less time, and not worse (AUC .923, and .915 without: half of 940 photos
learned from, 30 epochs). Taught at a quarter of the size besides, it knew places by heart: .785. All this by hand, in
floats; what the command makes of all five fifths is less, and in docs/photos.md.

All its chance comes from the seed and the number of the step, so that a training that was killed goes on from its last
checkpoint, and no picture is seen more often than another. When it ends early depends on no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.augment import Augmentation, augmented
from model.training.backbone import Weights, backbone_until, look
from model.training.checkpoint import Checkpoint
from model.training.curve import Curve, is_learned, least_loss
from model.training.data import logistic

LARGEST_GRADIENT: Final = 5.0  # norm over all weights: beyond it a step is a leap
BLOCK: Final = 11  # up to whose widening ImageNet's network is kept: it sees four times as many places as the whole
HAZE, SPOT = "haze", "spot"  # the two heads' layers
SPREAD_FLOOR: Final = 0.1  # of a feature, 0 to 6: one that hardly changes says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How it learns. One set for all data: what has to be tuned to each is not worth shipping."""

    epochs: float = 50
    most_steps: int = 6000  # of more than 960 pictures each is seen less often than that,
    least_epochs: float = 8  # but not less often than this
    coarse: float = 0.7  # of the side: pictures are shown smaller at first, which takes half of the time
    coarse_for: float = 0.6  # of the steps
    batch: int = 8  # larger ones are slower on a processor, as they leave its caches
    head_rate: float = 3e-4  # peak, of AdamW; both fall to nothing by a cosine
    body_rate: float = 3e-4
    decay: float = 1e-2
    smoothing: float = 0.05  # of labels: some are wrong
    dropout: float = 0.2
    average: float = 0.995  # of the weights that are kept, over steps
    warm_up: float = 0.1  # share of the steps
    augmentation: Augmentation = field(default_factory=Augmentation)


class Labelled(NamedTuple):
    """`rgb` (n, side, side, 3) as the board decodes them, `dirty` (n,) with both classes."""

    rgb: npt.NDArray[np.uint8]
    dirty: npt.NDArray[np.bool_]


def finetune(
    learned: Labelled,
    weights: Weights,
    settings: Settings,
    *,
    seed: int,
    progress: Callable[[int], None],
    checkpoint: Checkpoint | None = None,
) -> tuple[Any, Curve]:
    """Return a Keras model, and how it came about: (n, side, side, 3) of -1 to 1 in, (n,) out, above 0 for dirty.

    `progress` gets how many steps have been made, at the start and after each.
    """
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    count = len(learned.rgb)
    learning = _Learning(learned.rgb.shape[1], weights, settings, steps=steps_for(count, settings), seed=seed)
    learning.balance(float(np.mean(learned.dirty)))
    first = checkpoint.restore(learning.state) if checkpoint else 0
    if first == 0:
        _start_head(learning.network, learned.rgb, learned.dirty)
        learning.start_averages()
    labels = learned.dirty.astype(np.float32)
    epoch, least = max(1, round(count / settings.batch)), least_loss(settings.smoothing)
    progress(first)
    for number in range(first, learning.steps):
        if is_learned(learning.curve.losses, epoch, least):
            break
        chosen = _chosen(number, count, settings.batch, seed)
        learning.make_step(number, learned.rgb[chosen], labels[chosen])
        progress(number + 1)
        if checkpoint and number + 1 < learning.steps:
            checkpoint.keep_now_and_then(number + 1, learning.state)
    learning.take_averages()
    tf.keras.utils.clear_session()  # what is built from here on is numbered as if the training had not been stopped
    return learning.network, learning.curve


def steps_for(pictures: int, settings: Settings) -> int:
    longest, shortest = (
        round(epochs * pictures / settings.batch) for epochs in (settings.epochs, settings.least_epochs)
    )
    return max(1, min(longest, max(settings.most_steps, shortest)))


def effort(done: int, steps: int, settings: Settings) -> float:
    """What so many of all steps take, in steps on pictures as they are."""
    return done - min(done, coarse_steps(steps, settings)) * (1 - settings.coarse**2)


def coarse_steps(steps: int, settings: Settings) -> int:
    """How many of all steps, the first, are on coarse pictures."""
    return round(settings.coarse_for * steps)


class _Learning:
    """The network, its optimisers, one step of them, and the losses so far."""

    def __init__(self, side: int, weights: Weights, settings: Settings, *, steps: int, seed: int) -> None:
        self.steps = steps
        body = backbone_until(weights, BLOCK)
        self.network = headed(body, dropout=settings.dropout)
        of_body = {id(one) for one in body.trainable_variables}
        head = [one for one in self.network.trainable_variables if id(one) not in of_body]
        self._learned = [*head, *body.trainable_variables]
        self._averages = [tf.Variable(one, trainable=False) for one in self._learned]
        self._losses = tf.Variable(np.full(steps, np.nan, np.float32), trainable=False)  # of steps to come: NaN
        self._class_weights = tf.Variable([1.0, 1.0], trainable=False)
        self._optimisers = [
            (_optimiser(settings.head_rate, steps, settings), slice(0, len(head))),
            (_optimiser(settings.body_rate, steps, settings), slice(len(head), None)),
        ]
        for optimiser, part in self._optimisers:
            optimiser.build(self._learned[part])
        self._settings = settings
        self._side = side
        self._seed = seed
        self._step = tf.function(self._stepped)

    @property
    def state(self) -> list[Any]:
        """All variables that a step changes: dropout counts its steps, too."""
        of_optimisers = [one for optimiser, _ in self._optimisers for one in optimiser.variables]
        return [*self.network.variables, *self._averages, *of_optimisers, self._losses]

    @property
    def curve(self) -> Curve:
        losses = self._losses.numpy()
        return Curve(losses=tuple(losses[~np.isnan(losses)].tolist()), planned=self.steps)

    def balance(self, share: float) -> None:
        """Let the rarer class weigh as much as the other. `share` of the pictures is dirty, 0 to 1 exclusive."""
        self._class_weights.assign([0.5 / (1 - share), 0.5 / share])

    def start_averages(self) -> None:
        self._copy(self._learned, self._averages)

    def make_step(self, number: int, rgb: npt.NDArray[np.uint8], labels: npt.NDArray[np.float32]) -> None:
        is_coarse = number < coarse_steps(self.steps, self._settings)
        side = round(self._settings.coarse * self._side) if is_coarse else self._side
        loss = self._step(tf.constant(rgb), tf.constant(labels), tf.constant(number), side)
        self._losses[number].assign(loss)

    def take_averages(self) -> None:
        self._copy(self._averages, self._learned)

    def _stepped(self, images: Any, labels: Any, number: Any, side: int) -> Any:
        settings = self._settings
        images, labels = augmented(images, labels, tf.stack([self._seed, number]), settings.augmentation, side)
        weight = labels * self._class_weights[1] + (1 - labels) * self._class_weights[0]
        soft = labels * (1 - 2 * settings.smoothing) + settings.smoothing
        with tf.GradientTape() as tape:
            answers = self.network(images, training=True)
            loss = tf.reduce_mean(weight * tf.nn.sigmoid_cross_entropy_with_logits(soft, answers))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, self._learned), LARGEST_GRADIENT)
        for optimiser, part in self._optimisers:
            optimiser.apply_gradients(zip(gradients[part], self._learned[part], strict=True))
        so_far = tf.cast(number, tf.float32)
        kept = tf.minimum(settings.average, (so_far + 1) / (so_far + 10))
        for average, one in zip(self._averages, self._learned, strict=True):
            average.assign(average * kept + one * (1 - kept))
        return loss

    @staticmethod
    def _copy(source: list[Any], target: list[Any]) -> None:
        for one, other in zip(source, target, strict=True):
            other.assign(one)


def headed(body: Any, *, seen_at: int | None = None, dropout: float = 0.0) -> Any:
    """A body with a head: a small spot counts by the maximum over the picture, a haze by the mean.

    Two heads whose answers are added, not one on both: int8 would give them one scale, and the mean is the smaller.
    The body sees pictures as they are, or shrunk to `seen_at` pixels.
    """
    image = tf.keras.Input((None, None, 3))
    seen = body(image if seen_at is None else tf.keras.layers.Resizing(seen_at, seen_at)(image))
    mean = tf.keras.layers.Dropout(dropout)(tf.keras.layers.GlobalAveragePooling2D()(seen))
    most = tf.keras.layers.Dropout(dropout)(tf.keras.layers.GlobalMaxPooling2D()(seen))
    haze = tf.keras.layers.Dense(1, name=HAZE)(mean)
    spot = tf.keras.layers.Dense(1, use_bias=False, name=SPOT)(most)
    return tf.keras.Model(image, tf.keras.layers.Reshape(())(tf.keras.layers.Add()([haze, spot])))


def features(network: Any, rgb: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
    """What the head of a network sees (n, d), and the middle and width (d,) that make a logistic regression of it fair:
    all features count alike, but one that hardly changes says nothing."""
    haze, spot = network.get_layer(HAZE), network.get_layer(SPOT)
    both = tf.keras.layers.Concatenate()([haze.input, spot.input])
    seen = look(tf.keras.Model(network.input, both), rgb)
    return seen, seen.mean(axis=0), (seen.std(axis=0) + SPREAD_FLOOR) * np.float32(np.sqrt(seen.shape[1]))


def set_head(network: Any, weights: npt.NDArray[np.float32], bias: float, middle: Any, width: Any) -> None:
    """Let the head answer as the regression with these `weights` (d,) of (feature - middle) / width."""
    kernel = (weights / width)[:, np.newaxis]
    of_haze, of_spot = np.split(kernel, 2)
    network.get_layer(HAZE).set_weights([of_haze, bias - middle @ kernel])
    network.get_layer(SPOT).set_weights([of_spot])


def _start_head(network: Any, rgb: npt.NDArray[np.uint8], dirty: npt.NDArray[np.bool_]) -> None:
    """Give the head what it can know of ImageNet's features, so that the body does not first learn from its noise."""
    seen, middle, width = features(network, rgb)
    set_head(network, *logistic.fit((seen - middle) / width, dirty), middle, width)


def _optimiser(rate: float, steps: int, settings: Settings) -> Any:
    warm_up = max(1, round(steps * settings.warm_up))
    falling = tf.keras.optimizers.schedules.CosineDecay(
        rate / 20, max(1, steps - warm_up), warmup_target=rate, warmup_steps=warm_up
    )
    return tf.keras.optimizers.AdamW(falling, weight_decay=settings.decay)


def _chosen(number: int, count: int, batch: int, seed: int) -> npt.NDArray[np.intp]:
    """The pictures of step `number`: each once in an epoch, in another order each time."""
    places = np.arange(number * batch, (number + 1) * batch)
    orders = {epoch: np.random.default_rng([seed, int(epoch)]).permutation(count) for epoch in set(places // count)}
    return np.array([orders[place // count][place % count] for place in places])
