from __future__ import annotations

import numpy as np
import pytest

from model.training.render import FRAMES_PER_SCENE, Camera, Pictures, draw

pytestmark = pytest.mark.real


def drawn(processes: int) -> Pictures:
    return draw([3], 160, processes=processes, progress=lambda _: None)


def test_the_same_scene_gives_the_same_pictures_whoever_draws_them() -> None:
    one, two = drawn(1), drawn(2)

    assert one.rgb.shape == (FRAMES_PER_SCENE, 160, 160, 3)
    assert one.sha256() == two.sha256()


def test_each_part_of_a_picture_knows_what_it_shows() -> None:
    camera = Camera(3, (640, 480))

    clean, dirty = camera.cells_g_m2(0.0, 5), camera.cells_g_m2(4.0, 5)

    assert clean.shape == (5, 5)
    assert clean.max() == 0.0
    assert 1.0 < dirty.mean() < 12.0
    assert np.isfinite(dirty).all()
