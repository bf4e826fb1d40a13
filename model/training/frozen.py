"""A second opinion: what ImageNet's whole network tells without learning anything but the last line of it.

It sees things, where the network that was taught sees textures, and it cannot learn the photos by heart. One of the
doors of TensorFlow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.training.backbone import Weights, backbone
from model.training.calibrate import fit_line
from model.training.data import logistic
from model.training.data.samples import BadDataset
from model.training.export import Opinion
from model.training.finetune import Labelled, features, headed, set_head


def frozen(learned: Labelled, group: npt.NDArray[np.intp], weights: Weights) -> Opinion | None:
    """A Keras model as `finetune` makes one, and the line that calibrates its answers.

    `group` (n,) is equal for twins: the line is fitted to answers of regressions that saw no twin of the picture. None
    if these answers say nothing of the labels: then there is no second opinion.
    """
    network = headed(backbone(weights))
    seen, middle, width = features(network, learned.rgb)
    scaled = (seen - middle) / width
    try:
        line = fit_line(logistic.unseen_logits(scaled, learned.dirty, group), learned.dirty)
    except BadDataset:
        return None
    set_head(network, *logistic.fit(scaled, learned.dirty), middle, width)
    return Opinion(network, line)
