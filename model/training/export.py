"""From a network that was taught to the int8 file that a board runs: two answers that add up to 1, as calibrated."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.calibrate import Line
from model.training.finetune import HAZE, SPOT
from model.training.quantize import quantise_model


def with_two_answers(network: Any, line: Line) -> Any:
    """A Keras model: (n, side, side, 3) of -1 to 1 in, (n, 2) of clean and dirty out.

    The softmax of -z/2 and z/2 is the logistic of z, the calibrated logit.
    """
    haze, spot = network.get_layer(HAZE), network.get_layer(SPOT)
    of_haze, of_spot = tf.keras.layers.Dense(2), tf.keras.layers.Dense(2, use_bias=False)
    answers = tf.keras.layers.Add()([of_haze(haze.input), of_spot(spot.input)])
    (kernel, bias), (spot_kernel,) = haze.get_weights(), spot.get_weights()
    of_haze.set_weights([_both_ways(kernel * line.slope), _both_ways(bias * line.slope + line.shift)])
    of_spot.set_weights([_both_ways(spot_kernel * line.slope)])
    return tf.keras.Model(network.input, tf.keras.layers.Softmax()(answers))


def _both_ways(of_dirty: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    answers: npt.NDArray[np.float32] = np.hstack([-of_dirty, of_dirty]) * np.float32(0.5)
    return answers


def int8_of(network: Any, line: Line, rgb: npt.NDArray[np.uint8]) -> bytes:
    """The flatbuffer. `rgb` (n, side, side, 3): pictures to take the ranges of the layers from."""
    return quantise_model(with_two_answers(network, line), rgb)
