"""From Keras to int8: full integer, in and out. The other door of TensorFlow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.targets import as_input

REPRESENTATIVE = 200  # pictures to take the ranges of the layers from


def representative(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """`REPRESENTATIVE` of the pictures (n, side, side, 3), evenly spread; all, if there are no more."""
    return rgb[np.unique(np.linspace(0, len(rgb) - 1, REPRESENTATIVE).astype(np.intp))]


def quantise_model(model: Any, rgb: npt.NDArray[np.uint8]) -> bytes:
    """Return the flatbuffer. The ranges of its layers are those that `rgb` (n, side, side, 3) takes them to, and all
    black and all white, so that the input is 2/255, -1 exactly."""
    side = rgb.shape[1]

    def samples() -> Iterator[list[npt.NDArray[np.float32]]]:
        yield [np.full((1, side, side, 3), -1, np.float32)]
        yield [np.full((1, side, side, 3), 1, np.float32)]
        for picture in rgb:
            yield [as_input(picture[np.newaxis])]

    with tempfile.TemporaryDirectory(prefix="ductwatch-") as folder:
        # Keras' own way out: from_keras_model needs parts of Keras 2 once there is a layer of one's own, and
        # from_concrete_functions leaves variables in
        model.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        flatbuffer: bytes = converter.convert()
    return flatbuffer
