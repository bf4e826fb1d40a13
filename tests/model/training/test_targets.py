from __future__ import annotations

import numpy as np
import pytest

from model.classifier import INPUT_SCALE, INPUT_ZERO_POINT
from model.tensors import quantise
from model.training.targets import CLEAN_G_M2, DIRTY_G_M2, UNSURE, as_input, is_obvious, target


def test_training_sees_what_the_board_feeds() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, axis=2)
    fed = (quantise(levels)[0].astype(np.float64) - INPUT_ZERO_POINT) * INPUT_SCALE

    assert as_input(levels) == pytest.approx(fed, abs=INPUT_SCALE / 1.9)  # white is clipped to 1
    assert as_input(levels).max() == 1.0


@pytest.mark.parametrize(
    ("coverage_g_m2", "dirty"),
    [(CLEAN_G_M2, UNSURE), ((CLEAN_G_M2 * DIRTY_G_M2) ** 0.5, 0.5), (DIRTY_G_M2, 1 - UNSURE)],
    ids=["clean", "half way", "dirty"],
)
def test_dirtiness_rises_with_the_logarithm_of_the_coverage(coverage_g_m2: float, dirty: float) -> None:
    assert target(np.array([coverage_g_m2], np.float32))[0] == pytest.approx(dirty, abs=1e-4)


def test_the_target_tells_all_degrees_apart_that_a_picture_shows() -> None:
    degrees = target(np.array([0.0, 0.05, 0.2, 0.6, 3.0, 8.0, 20.0], np.float32))

    assert degrees[0] == degrees[1]
    assert (np.diff(degrees[1:]) > 0.01).all()


def test_what_lies_between_the_limits_is_not_obvious() -> None:
    assert is_obvious(np.array([0.1, 0.6, 1.3, 3.0, 5.0], np.float32)).tolist() == [True, False, False, False, True]
