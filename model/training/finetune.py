"""Teaches ImageNet's network what clean and dirty is, from some hundred photos. One of the doors of TensorFlow.

Some networks, side by side, each of which learns from other photos, and whose answers are averaged: what one of them
has learned by heart, the other has not. They are ImageNet's up to where a cell is 16 pixels wide.

On 940 photos of smooth metal, by cross-validation, AUC of two networks, both of Lite0, was .910, and of one that was
taught for longer (50 epochs, up to 320 pixels) and never saw what was kept aside .881; with the same second opinion
(docs/photos.md).

All its chance comes from the seed and the number of the step, so that a training that was killed goes on from its last
checkpoint, and no picture is seen more often than another. When it ends early depends on no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.augment import Augmentation, augmented
from model.training.backbone import Weights, cut_backbone, look
from model.training.checkpoint import Checkpoint
from model.training.curve import Curve, is_learned, least_loss
from model.training.data import logistic

LARGEST_GRADIENT: Final = 5.0  # norm over all weights: beyond it a step is a leap
HAZE, SPOT = "haze", "spot"  # the two heads' layers
SPREAD_FLOOR: Final = 0.1  # of a feature, 0 to 6: one that hardly changes says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How it learns. One set for all data: what has to be tuned to each is not worth shipping."""

    epochs: float = 16  # over all photos: a network that leaves out an eighth sees the others 18 times
    most_steps: int = 2700  # of more than 1,350 pictures each is seen less often than that,
    least_epochs: float = 4  # but not less often than this
    batch: int = 8  # larger ones are slower on a processor, as they leave its caches
    rate: float = 3e-4  # peak, of AdamW; it falls to nothing by a cosine
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
    aside: Sequence[npt.NDArray[np.bool_]],
    weights: Sequence[Weights],
    settings: Settings,
    *,
    seed: int,
    progress: Callable[[int], None],
    checkpoint: Checkpoint | None = None,
) -> tuple[tuple[Any, ...], Curve]:
    """Return Keras models, and how they came about: (n, side, side, 3) of -1 to 1 in, (n,) out, above 0 for dirty.

    As many as there are masks (n,) in `aside`, each of what one of them does not see, and `weights` to start from, one
    for each. `progress` gets how many steps have been made, at the start and after each.
    """
    tf.keras.utils.set_random_seed(seed)
    if not tf.config.list_physical_devices("GPU"):  # where some gradients have no kernel that repeats itself
        tf.config.experimental.enable_op_determinism()
    learning = _Learning(learned, aside, weights, settings, seed=seed)
    first = checkpoint.restore(learning.state) if checkpoint else 0
    if first == 0:
        learning.start()
    epoch, least = max(1, round(len(learned.rgb) / settings.batch)), least_loss(settings.smoothing)
    progress(first)
    for number in range(first, learning.steps):
        if is_learned(learning.curve.losses, epoch, least):
            break
        learning.make_step(number)
        progress(number + 1)
        if checkpoint and number + 1 < learning.steps:
            checkpoint.keep_now_and_then(number + 1, learning.state)
    networks = tuple(one.averaged() for one in learning.networks)
    tf.keras.utils.clear_session()  # what is built from here on is numbered as if the training had not been stopped
    return networks, learning.curve


def steps_for(pictures: int, settings: Settings) -> int:
    longest, shortest = (
        round(epochs * pictures / settings.batch) for epochs in (settings.epochs, settings.least_epochs)
    )
    return max(1, min(longest, max(settings.most_steps, shortest)))


class _Learning:
    """All networks, what each sees, and the losses so far: of a step, their mean."""

    def __init__(
        self,
        learned: Labelled,
        aside: Sequence[npt.NDArray[np.bool_]],
        weights: Sequence[Weights],
        settings: Settings,
        *,
        seed: int,
    ) -> None:
        self.steps = steps_for(len(learned.rgb), settings)
        self.networks = [
            _Network(one, settings, self.steps, learned.dirty[~mask]) for one, mask in zip(weights, aside, strict=True)
        ]
        self._seen = [np.flatnonzero(~mask) for mask in aside]
        self._learned = learned
        self._losses = tf.Variable(np.full(self.steps, np.nan, np.float32), trainable=False)  # of steps to come: NaN
        self._batch = settings.batch
        self._seed = seed

    @property
    def state(self) -> list[Any]:
        """All variables that a step changes."""
        return [*(variable for one in self.networks for variable in one.state), self._losses]

    @property
    def curve(self) -> Curve:
        losses = self._losses.numpy()
        return Curve(losses=tuple(losses[~np.isnan(losses)].tolist()), planned=self.steps)

    def start(self) -> None:
        """Give the heads what they can know of ImageNet's features, so that the body does not first learn from their
        noise."""
        for one, seen in zip(self.networks, self._seen, strict=True):
            values, middle, width = features(one.model, self._learned.rgb)
            scaled = (values - middle) / width
            set_head(one.model, *logistic.fit(scaled[seen], self._learned.dirty[seen]), middle, width)
            one.start_averages()

    def make_step(self, number: int) -> None:
        losses = []
        for place, (network, seen) in enumerate(zip(self.networks, self._seen, strict=True)):
            chosen = seen[_chosen(number, len(seen), self._batch, [self._seed, place])]
            rgb, labels = self._learned.rgb[chosen], self._learned.dirty[chosen].astype(np.float32)
            draw = tf.constant([self._seed, number * len(self.networks) + place])
            losses.append(network.step(tf.constant(rgb), tf.constant(labels), draw, tf.constant(number)))
        self._losses[number].assign(tf.reduce_mean(losses))


class _Network:
    """One network, its optimiser, and the mean of its last weights."""

    def __init__(self, weights: Weights, settings: Settings, steps: int, dirty: npt.NDArray[np.bool_]) -> None:
        self.model = headed(cut_backbone(weights), dropout=settings.dropout)
        self._learned = self.model.trainable_variables
        self._averages = [tf.Variable(one, trainable=False) for one in self._learned]
        self._optimiser = _optimiser(steps, settings)
        self._optimiser.build(self._learned)
        share = float(np.mean(dirty))
        self._class_weights = (0.5 / (1 - share), 0.5 / share)  # the rarer class weighs as much as the other
        self._settings = settings
        self.step = tf.function(self._stepped)

    @property
    def state(self) -> list[Any]:
        """All variables that a step changes: dropout counts its steps, too."""
        return [*self.model.variables, *self._averages, *self._optimiser.variables]

    def start_averages(self) -> None:
        self._copy(self._learned, self._averages)

    def averaged(self) -> Any:
        """The model, with the means of its weights from here on."""
        self._copy(self._averages, self._learned)
        return self.model

    def _stepped(self, rgb: Any, labels: Any, draw: Any, number: Any) -> Any:
        settings = self._settings
        images = augmented(rgb, draw, settings.augmentation)
        weight = labels * self._class_weights[1] + (1 - labels) * self._class_weights[0]
        soft = labels * (1 - 2 * settings.smoothing) + settings.smoothing
        with tf.GradientTape() as tape:
            answers = self.model(images, training=True)
            loss = tf.reduce_mean(weight * tf.nn.sigmoid_cross_entropy_with_logits(soft, answers))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, self._learned), LARGEST_GRADIENT)
        self._optimiser.apply_gradients(zip(gradients, self._learned, strict=True))
        so_far = tf.cast(number, tf.float32)
        kept = tf.minimum(settings.average, (so_far + 1) / (so_far + 10))
        for average, one in zip(self._averages, self._learned, strict=True):
            average.assign(average * kept + one * (1 - kept))
        return loss

    @staticmethod
    def _copy(source: list[Any], target: list[Any]) -> None:
        for one, other in zip(source, target, strict=True):
            other.assign(one)


def headed(body: Any, *, dropout: float = 0.0) -> Any:
    """A body with a head: a small spot counts by the maximum over the picture, a haze by the mean.

    Two heads whose answers are added, not one on both: int8 would give them one scale, and the mean is the smaller.
    """
    image = tf.keras.Input((None, None, 3))
    seen = body(image)
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


def _optimiser(steps: int, settings: Settings) -> Any:
    warm_up = max(1, round(steps * settings.warm_up))
    falling = tf.keras.optimizers.schedules.CosineDecay(
        settings.rate / 20, max(1, steps - warm_up), warmup_target=settings.rate, warmup_steps=warm_up
    )
    return tf.keras.optimizers.AdamW(falling, weight_decay=settings.decay)


def _chosen(number: int, count: int, batch: int, seed: list[int]) -> npt.NDArray[np.intp]:
    """The pictures of step `number`: each once in an epoch, in another order each time."""
    places = np.arange(number * batch, (number + 1) * batch)
    orders = {epoch: np.random.default_rng([*seed, int(epoch)]).permutation(count) for epoch in set(places // count)}
    return np.array([orders[place // count][place % count] for place in places])
