"""How the shipped model's network learns: from the degree of each part, from spoilt pictures, to one answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from drivers.camera.jpeg import encode_jpeg
from model.training.architectures import ARCHITECTURES, Architecture, Plan
from model.training.backbone import look
from model.training.network import degree_loss, doubtful, train
from model.training.render import MAP, Drawings, Pictures
from model.training.spoil import spoilt
from model.training.targets import target
from model.training.train import teach
from tests.model.pictures import flat

pytestmark = pytest.mark.real

SIDE, STRIDE = 160, 16
CELLS = SIDE // STRIDE
G_M2 = np.geomspace(0.06, 20, 96).astype(np.float32)
SOON = Plan(rate=3e-3, batch=24, crop_steps=60, whole_steps=60)


def learned(plan: Plan = SOON) -> Architecture:
    own = ARCHITECTURES["small-160"]
    return Architecture(title=own.title, side=SIDE, stride=STRIDE, body=own.body, plan=plan)


def pictures() -> Pictures:
    """Grey walls that darken with the dust on them; half of each is twice as dusty as the whole, the other clean."""
    cells = np.repeat(G_M2[:, None, None], CELLS, axis=1).repeat(CELLS, axis=2) * np.float32(2)
    cells[:, :, CELLS // 2 :] = 0.05
    levels = 200 - 140 * target(cells)
    rgb = levels.repeat(STRIDE, axis=1).repeat(STRIDE, axis=2)[..., None].repeat(3, axis=3)
    noise = np.random.default_rng(1).normal(0, 6, rgb.shape)
    return Pictures(rgb=np.clip(rgb + noise, 0, 255).astype(np.uint8), coverage_g_m2=G_M2, cells_g_m2=cells)


def no_ducts() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(2).integers(0, 256, (40, SIDE, SIDE, 3), np.uint8)


def always(logit: float) -> Any:
    """A network that says so of each picture."""
    image = tf.keras.Input((SIDE, SIDE, 3))
    same = tf.keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer=tf.keras.initializers.Constant(logit))
    answer = same(tf.keras.layers.GlobalAveragePooling2D()(image))
    return tf.keras.Model(image, tf.keras.layers.Reshape(())(answer))


def loss(logits: npt.ArrayLike, dirty: npt.ArrayLike) -> float:
    return float(degree_loss(tf.constant(logits, tf.float32), tf.constant(dirty, tf.float32)))


@pytest.mark.parametrize("dirty", [0.02, 0.25, 0.5, 0.9])
def test_the_best_answer_is_the_degree_itself(dirty: float) -> None:
    right = float(np.log(dirty / (1 - dirty)))

    losses = [loss([right + off], [dirty]) for off in (-2, -0.5, 0, 0.5, 2)]

    assert min(losses) == losses[2]
    assert losses == sorted(losses[:3], reverse=True) + sorted(losses[3:])


def test_a_part_that_cannot_be_seen_does_not_drag() -> None:
    far, farther = (loss([off], [0.5]) for off in (20.0, 21.0))

    assert farther - far < 1.0


def test_the_same_draw_spoils_in_the_same_way_and_another_otherwise() -> None:
    grey = tf.random.stateless_uniform((6, 32, 32, 3), (1, 2), -0.5, 0.5)

    once, again, other = (spoilt(grey, tf.constant(seed))[0].numpy() for seed in ((3, 4), (3, 4), (3, 5)))

    assert (once == again).all()
    assert (once != other).any()


def test_what_is_spoilt_is_still_a_picture() -> None:
    grey = tf.zeros((8, 32, 32, 3))
    drawn = np.stack([spoilt(grey, tf.constant((0, number)))[0].numpy() for number in range(40)])

    assert drawn.shape == (40, 8, 32, 32, 3)
    assert np.abs(drawn).max() <= 1.0
    levels = drawn.mean(axis=(2, 3, 4)).ravel()
    assert levels.min() < -0.7 < 0.3 < levels.max()  # a lamp that has all but gone


def test_what_a_veil_hides_is_doubtful() -> None:
    checked = tf.constant(np.indices((32, 32)).sum(0) % 2 * 1.6 - 0.8, tf.float32)[None, :, :, None]
    shown = tf.tile(checked, (8, 1, 1, 3))
    drawn = [spoilt(shown, tf.constant((0, number))) for number in range(40)]

    contrast = np.concatenate([images.numpy().std(axis=(1, 2, 3)) for images, _ in drawn])
    doubt = np.concatenate([doubts.numpy() for _, doubts in drawn])

    assert 0.0 <= doubt.min() < 0.1 < 0.5 < doubt.max() <= 1.0
    assert (doubt == 0).mean() > 0.5
    assert np.median(contrast[doubt > 0.5]) < 0.6 * np.median(contrast[doubt == 0])


def test_of_what_is_doubtful_nothing_is_to_be_told() -> None:
    dirty, doubt = tf.constant([0.02, 0.02, 0.9]), tf.constant([0.0, 1.0, 0.5])

    assert doubtful(dirty, doubt).numpy() == pytest.approx([0.02, 0.5, 0.75], abs=1e-3)


def test_it_learns_the_degree_of_the_whole_from_its_parts() -> None:
    shown = pictures()
    said: list[str] = []

    network = train(shown, no_ducts(), learned(), seed=1, progress=said.append)

    answers = look(network, shown.rgb)
    assert answers.shape == (len(G_M2),)
    assert np.corrcoef(answers, np.log(G_M2))[0, 1] > 0.9
    assert answers[0] < 0 < answers[-1]
    assert said[-1].startswith("step 100 of 120")


def test_a_student_says_of_the_whole_what_its_teacher_says() -> None:
    """One that is wrong, so that the student cannot have it from the pictures' own degrees."""
    shown = pictures()
    plan = Plan(rate=3e-3, batch=24, crop_steps=0, whole_steps=60)

    alone, taught = (
        look(train(shown, no_ducts(), learned(plan), seed=1, progress=lambda _: None, teacher=one), shown.rgb).mean()
        for one in (None, always(3.0))
    )

    assert taught > alone + 0.5


def test_a_teacher_that_is_all_too_sure_is_learned_from() -> None:
    """In float32, the logistic of some 17 and more is 1, whose logit is infinite."""
    shown = pictures()
    plan = Plan(rate=3e-3, batch=24, crop_steps=0, whole_steps=20)

    taught = train(shown, no_ducts(), learned(plan), seed=1, progress=lambda _: None, teacher=always(40.0))

    assert np.isfinite(look(taught, shown.rgb)).all()


def test_a_teacher_that_has_been_taught_is_not_taught_again() -> None:
    jpeg = encode_jpeg(flat(SIDE, SIDE, (120, 120, 120)))
    ducts = Drawings(
        jpegs=(jpeg,) * 24,
        coverage_g_m2=np.ones(24, np.float32),
        maps_g_m2=np.ones((24, MAP, MAP), np.float16),
    )
    student = replace(ARCHITECTURES["student-160"], plan=Plan(rate=3e-3, batch=4, crop_steps=0, whole_steps=1))
    taught = {ARCHITECTURES["lite0-160"]: always(3.0)}
    said: list[str] = []

    network, _ = teach(student, ducts, seed=1, say=said.append, taught=taught)

    assert said == [f"training {student.title}, 160 x 160"]
    assert taught[student] is network
