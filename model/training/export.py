"""From a network that was taught to the int8 file that a board runs: two answers that add up to 1, as calibrated."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.calibrate import Line
from model.training.finetune import HEAD
from model.training.quantize import quantise_model


def with_two_answers(network: Any, line: Line) -> Any:
    """A Keras model: (n, side, side, 3) of -1 to 1 in, (n, 2) of clean and dirty out.

    The softmax of -z/2 and z/2 is the logistic of z, the calibrated logit.
    """
    head = network.get_layer(HEAD)
    kernel, bias = head.get_weights()
    kernel, bias = kernel * line.slope, bias * line.slope + line.shift
    answers = tf.keras.layers.Dense(2)
    both = tf.keras.layers.Softmax()(answers(head.input))
    answers.set_weights([np.hstack([-kernel, kernel]) / 2, np.hstack([-bias, bias]) / 2])
    return tf.keras.Model(network.input, both)


def int8_of(network: Any, line: Line, rgb: npt.NDArray[np.uint8]) -> bytes:
    """The flatbuffer. `rgb` (n, side, side, 3): pictures to take the ranges of the layers from."""
    return quantise_model(with_two_answers(network, line), rgb)
