"""From a network that was taught to the int8 file that a board runs: two answers, as calibrated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.interpreter import outputs
from model.tensors import quantise
from model.training.backbone import look
from model.training.calibrate import Line
from model.training.finetune import HAZE, SPOT
from model.training.quantize import quantise_model, representative

SECOND: Final = 1 / 2  # how much the second opinion counts beside what was taught
OF_DIRTY: Final = np.array([-1, 1], np.float32)  # what makes the logit of the two answers


class Opinion(NamedTuple):
    """A network with a head, or two that are added, and the line that makes its answers a part of the logit."""

    network: Any
    line: Line


def opinions_of(networks: Sequence[Any], line: Line, second: Opinion | None) -> list[Opinion]:
    """What is added up: the mean of what `networks` answer, which `line` calibrates, and `second` times `SECOND`."""
    mean = [Opinion(one, line.times(1 / len(networks))) for one in networks]
    return mean if second is None else [*mean, Opinion(second.network, second.line.times(SECOND))]


def with_two_answers(opinions: Sequence[Opinion], side: int) -> Any:
    """A Keras model: (n, side, side, 3) of -1 to 1 in, (n, 2) of clean and dirty out: -z/2 and z/2.

    z is the calibrated logit, the sum of all opinions; its logistic is taken on the board, as int8 has 256 steps, and
    these shall tell degrees apart, not shades of nearly sure.
    """
    image = tf.keras.Input((side, side, 3))
    answers = [one for opinion in opinions for one in _answers(opinion, image)]
    both = tf.keras.layers.Add()(answers) if len(answers) > 1 else answers[0]
    # with a name, as Keras would number it by all that was built before, and the bytes would tell who was interrupted
    return tf.keras.Model(image, both, name="answers")


def _answers(opinion: Opinion, image: Any) -> Iterator[Any]:
    """Two of each head for the one of a linear layer. The shift goes where the layer has one of its own."""
    heads = [layer for layer in opinion.network.layers if layer.name in (HAZE, SPOT)]
    seen = tf.keras.Model(opinion.network.input, [head.input for head in heads])(image)
    for head, x in zip(heads, seen, strict=True):
        kernel, *bias = head.get_weights()
        layer = tf.keras.layers.Dense(2, use_bias=bool(bias))
        yield layer(x)
        line = opinion.line
        shifted = (_both_ways(one * line.slope + line.shift) for one in bias)
        layer.set_weights([_both_ways(kernel * line.slope), *shifted])


def _both_ways(of_dirty: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    answers: npt.NDArray[np.float32] = np.hstack([-of_dirty, of_dirty]) * np.float32(0.5)
    return answers


def int8_of(opinions: Sequence[Opinion], rgb: npt.NDArray[np.uint8]) -> bytes:
    """The flatbuffer. `rgb` (n, side, side, 3): pictures to take the ranges of the layers from.

    Rounding adds about the same to all answers: in a training on smooth metal 0.21 to their logits, to sure and unsure
    ones alike, so that of 289 other photos 250 were right, and 256 in floats. What it adds to these pictures in the
    mean is taken off (bias correction: Nagel et al. 2019, arXiv:1906.04721, 4.2).
    """
    some, side = representative(rgb), rgb.shape[1]
    exact = with_two_answers(opinions, side)
    rounded = outputs(quantise_model(exact, some), map(quantise, some))
    added = float(np.mean((rounded - look(exact, some)) @ OF_DIRTY))
    first, *others = opinions
    without = first._replace(line=first.line._replace(shift=first.line.shift - added))
    return quantise_model(with_two_answers([without, *others], side), some)
