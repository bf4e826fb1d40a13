from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.training.render import FRAMES_PER_SCENE, MAP, Camera, Drawings, draw, means

pytestmark = pytest.mark.real


def drawn(folder: Path) -> Drawings:
    return draw([3], folder=folder)


def test_the_same_scene_gives_the_same_pictures_whoever_draws_them_and_when(tmp_path: Path) -> None:
    one, two = drawn(tmp_path / "one"), drawn(tmp_path / "two")
    again = drawn(tmp_path / "one")

    pictures = [each.decoded(160, 10) for each in (one, two, again)]
    assert pictures[0].rgb.shape == (FRAMES_PER_SCENE, 160, 160, 3)
    assert len({each.sha256() for each in pictures}) == 1


def test_what_was_drawn_is_not_drawn_again(tmp_path: Path) -> None:
    drawn(tmp_path)
    kept = tmp_path / "3.npz"
    before = kept.stat()

    drawn(tmp_path)

    assert (kept.stat().st_mtime_ns, kept.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_what_another_renderer_drew_is_drawn_anew(tmp_path: Path) -> None:
    np.savez(tmp_path / "3.npz", renderer="older", jpegs=np.zeros(0, np.uint8))

    assert len(drawn(tmp_path).jpegs) == FRAMES_PER_SCENE


def test_each_part_of_a_picture_knows_what_it_shows() -> None:
    camera = Camera(3, (640, 480))

    clean, dirty = camera.map_g_m2(0.0), camera.map_g_m2(4.0)

    assert clean.shape == (MAP, MAP)
    assert clean.max() == 0.0
    assert 1.0 < dirty.mean() < 12.0
    assert np.isfinite(dirty).all()


def test_parts_need_not_divide_the_picture() -> None:
    values = np.arange(7 * 9, dtype=np.float32).reshape(7, 9)

    assert means(values, 1)[0, 0] == values.mean()
    assert means(values, 7).shape == (7, 7)
    assert means(np.full((80, 80), 2.5, np.float32), 7) == pytest.approx(np.full((7, 7), 2.5))
