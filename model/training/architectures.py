"""The networks that the shipped model could be: chosen by accuracy per millisecond, as docs/model.md shows.

One of the doors of TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import tensorflow as tf

from model.training.backbone import backbone, cut_backbone, imagenet_weights

BN_MOMENTUM: Final = 0.9  # Keras' 0.999 lags thousands of steps behind, more than there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`crop_steps` batches of crops, then `whole_steps` of whole pictures; `rate` is the peak, of AdamW."""

    rate: float
    batch: int
    crop_steps: int
    whole_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """`body`: a Keras model, (n, h, w, 3) of -1 to 1 in, (n, h / stride, w / stride, features) out.

    `teacher`: the name of one with the same side, whose answers it learns beside what each part shows (distillation:
    Hinton, Vinyals and Dean 2015, arXiv:1503.02531). That takes whole pictures.
    """

    title: str
    side: int
    stride: int
    body: Callable[[], Any]
    plan: Plan
    teacher: str | None = None

    @property
    def cells(self) -> int:
        return self.side // self.stride


def _lite0() -> Any:
    return backbone(imagenet_weights())


def _lite0_cut() -> Any:
    return cut_backbone(imagenet_weights())


def _mobilenet(width: float) -> Any:
    body = tf.keras.applications.MobileNetV2((None, None, 3), alpha=width, include_top=False, weights=None)
    for layer in batch_norms(body):
        layer.momentum = BN_MOMENTUM
    return body


def _small() -> Any:
    """Six depthwise separable layers, of our own: about as little as can see a texture."""
    image = x = tf.keras.Input((None, None, 3))
    for number, (width, stride) in enumerate(((16, 2), (32, 2), (64, 2), (96, 1), (128, 2), (160, 1), (192, 1))):
        if number == 0:
            x = tf.keras.layers.Conv2D(width, 3, stride, "same", use_bias=False)(x)
        else:
            x = tf.keras.layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(x)
            x = _normed(x)
            x = tf.keras.layers.Conv2D(width, 1, use_bias=False)(x)
        x = _normed(x)
    return tf.keras.Model(image, x)


def _normed(x: Any) -> Any:
    return tf.keras.layers.ReLU(6.0)(tf.keras.layers.BatchNormalization(momentum=BN_MOMENTUM)(x))


def batch_norms(body: Any) -> list[Any]:
    """Those that learn their statistics: none in what comes from ImageNet."""
    return [layer for layer in body.layers if type(layer) is tf.keras.layers.BatchNormalization]


_FROM_IMAGENET: Final = Plan(rate=1e-3, batch=32, crop_steps=1500, whole_steps=1100)
_AT_LENGTH: Final = Plan(rate=1e-3, batch=32, crop_steps=1000, whole_steps=4500)
_FROM_NOTHING: Final = Plan(rate=3e-3, batch=64, crop_steps=2000, whole_steps=600)
_OF_A_TEACHER: Final = Plan(rate=3e-3, batch=64, crop_steps=0, whole_steps=1320)  # as many pixels

_CUT: Final = Architecture(
    title="EfficientNet-Lite0 up to block 11, from ImageNet",
    side=160,
    stride=16,
    body=_lite0_cut,
    plan=_FROM_IMAGENET,
)

ARCHITECTURES: Final[dict[str, Architecture]] = {
    "lite0-224": Architecture(
        title="EfficientNet-Lite0, from ImageNet", side=224, stride=32, body=_lite0, plan=_FROM_IMAGENET
    ),
    "cut-224": replace(_CUT, side=224),
    "cut-160": _CUT,
    "cut-160-long": replace(_CUT, title=f"{_CUT.title}, taught at length", plan=_AT_LENGTH),
    "mobilenet-160": Architecture(
        title="MobileNetV2 0.35, from nothing", side=160, stride=32, body=lambda: _mobilenet(0.35), plan=_FROM_NOTHING
    ),
    "mobilenet-wide-160": Architecture(
        title="MobileNetV2 1.0, from nothing", side=160, stride=32, body=lambda: _mobilenet(1.0), plan=_FROM_NOTHING
    ),
    "small-160": Architecture(
        title="seven layers of our own, from nothing", side=160, stride=16, body=_small, plan=_FROM_NOTHING
    ),
    "student-160": Architecture(
        title="seven layers of our own, distilled from EfficientNet-Lite0 up to block 11",
        side=160,
        stride=16,
        body=_small,
        plan=_OF_A_TEACHER,
        teacher="cut-160",
    ),
}
