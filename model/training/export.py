"""From a network that was taught to the int8 file that a board runs: two answers, as calibrated."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.calibrate import Line
from model.training.finetune import HAZE, SPOT
from model.training.quantize import quantise_model


def with_two_answers(network: Any, line: Line) -> Any:
    """A Keras model: (n, side, side, 3) of -1 to 1 in, (n, 2) of clean and dirty out: -z/2 and z/2.

    z is the calibrated logit; its logistic is taken on the board, as int8 has 256 steps, and these shall tell degrees
    apart, not shades of nearly sure. `network` has a head, or two that are added.
    """
    answers = [_answers(head, line) for head in network.layers if head.name in (HAZE, SPOT)]
    both = tf.keras.layers.Add()(answers) if len(answers) > 1 else answers[0]
    # with a name, as Keras would number it by all that was built before, and the bytes would tell who was interrupted
    return tf.keras.Model(network.input, both, name="answers")


def _answers(head: Any, line: Line) -> Any:
    """Two for the one of a linear layer. The shift goes where the layer has one of its own."""
    kernel, *bias = head.get_weights()
    layer = tf.keras.layers.Dense(2, use_bias=bool(bias))
    answers = layer(head.input)
    layer.set_weights([_both_ways(kernel * line.slope), *(_both_ways(one * line.slope + line.shift) for one in bias)])
    return answers


def _both_ways(of_dirty: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    answers: npt.NDArray[np.float32] = np.hstack([-of_dirty, of_dirty]) * np.float32(0.5)
    return answers


def int8_of(network: Any, line: Line, rgb: npt.NDArray[np.uint8]) -> bytes:
    """The flatbuffer. `rgb` (n, side, side, 3): pictures to take the ranges of the layers from."""
    return quantise_model(with_two_answers(network, line), rgb)
