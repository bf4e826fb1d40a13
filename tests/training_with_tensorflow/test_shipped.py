"""How the shipped model's network learns: from the degree of each part, from spoilt pictures, to one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from drivers.camera.jpeg import encode_jpeg
from model.manifest import Manifest, parse_manifest
from model.training.architectures import ARCHITECTURES, Architecture, Plan
from model.training.backbone import look
from model.training.finetune import HAZE
from model.training.measurements import BETWEEN
from model.training.network import degree_loss, doubtful, train
from model.training.render import MAP, Drawings, Pictures
from model.training.rendered_set import CLEAN, DIRTY, Rendered, RenderedSet
from model.training.spoil import HIDDEN, SEEN_THROUGH, spoilt
from model.training.targets import CLEAN_G_M2, DIRTY_G_M2, target
from model.training.train import Worth, teach, write_out
from ota.bundle import open_bundle
from tests.model.pictures import flat, ripples

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


def test_motion_smears_along_one_side_and_far() -> None:
    rough = tf.random.stateless_uniform((2, 64, 64, 3), (1, 2), -0.5, 0.5)

    drawn = [spoilt(rough, tf.constant((0, number)))[0].numpy() for number in range(240)]

    edges = [(np.abs(np.diff(one, axis=2)).mean(), np.abs(np.diff(one, axis=1)).mean()) for one in drawn]
    across_by_down = [across / down for across, down in edges]
    assert min(across_by_down) < 0.35  # .47 to 1.9 if it smeared two pixels at most
    assert max(across_by_down) > 2.9


def in_fog(level: float, side: int, number: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What becomes of eight pictures that are all of one level, (8, side, side), and the doubt of each."""
    images, doubt = spoilt(tf.fill((8, side, side, 3), level), tf.constant((1, number)))
    return images.numpy().astype(float).mean(axis=3), doubt.numpy()


def test_fog_takes_light_in_clouds_or_as_much_everywhere() -> None:
    followed = []
    for number in range(60):
        (black, doubt), (grey, _) = in_fog(-1.0, 64, number), in_fog(-0.5, 64, number)
        for thrown_back, left, one in zip(black + 1, grey - black, doubt, strict=True):
            if 0 < one < 1 and thrown_back.std() > 0.1 * thrown_back.mean():
                taken = SEEN_THROUGH + (HIDDEN - SEEN_THROUGH) * one  # the mean, of which doubt tells
                uneven = left.std() / left.mean() * (1 - taken) / taken
                followed.append(uneven * thrown_back.mean() / thrown_back.std())

    assert np.quantile(followed, 0.1) < 0.4  # of the clouds: next to nothing
    assert np.quantile(followed, 0.9) > 0.7  # and nearly all


def test_some_clouds_are_smooth_and_some_are_rough() -> None:
    fine = []
    for number in range(60):
        black, doubt = in_fog(-1.0, SIDE, number)
        small = (black + 1).reshape(8, 40, 4, 40, 4).mean(axis=(2, 4))
        large = small.reshape(8, 8, 5, 8, 5).mean(axis=(2, 4)).repeat(5, axis=1).repeat(5, axis=2)
        pairs = zip(small, large, doubt, strict=True)
        fine += [(of - coarse).var() / of.var() for of, coarse, one in pairs if one > 0 and of.std() > 0.15 * of.mean()]

    assert np.quantile(fine, 0.1) < 0.12  # share of the variance that is within an eighth of the side
    assert np.quantile(fine, 0.9) > 0.22


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
    taught = {ARCHITECTURES["cut-160"]: always(3.0)}
    said: list[str] = []

    network, _ = teach(student, ducts, seed=1, say=said.append, taught=taught)

    assert said == [f"training {student.title}, 160 x 160"]
    assert taught[student] is network


def ducts(folder: Path, *, seed: int, shine: float = 1.0, pictures: int = 24) -> RenderedSet:
    """Walls of which dust takes the light, or some of it."""
    drawn = []
    for number, g_m2 in enumerate(np.random.default_rng(seed).permutation(np.geomspace(0.1, 15, pictures))):
        kind = CLEAN if g_m2 < CLEAN_G_M2 else DIRTY if g_m2 > DIRTY_G_M2 else BETWEEN
        light = 1 - 0.6 * shine * float(target(np.array([g_m2], np.float32))[0])
        wall = np.rint(ripples(SIDE, SIDE, seed=100 * seed + number) * light).astype(np.uint8)
        drawn.append(Rendered(f"{kind}/{number}.jpg", float(g_m2)))
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / drawn[-1].name).write_bytes(encode_jpeg(wall))
    return RenderedSet(folder, tuple(drawn))


def darker_is_dirtier() -> Any:
    image = tf.keras.Input((SIDE, SIDE, 3))
    head = tf.keras.layers.Dense(1, name=HAZE)
    network = tf.keras.Model(image, tf.keras.layers.Reshape(())(head(tf.keras.layers.GlobalAveragePooling2D()(image))))
    head.set_weights([np.full((3, 1), -5.0, np.float32), np.full(1, -5.0, np.float32)])
    return network


def test_scores_are_fitted_on_some_ducts_and_what_it_is_worth_is_of_others(tmp_path: Path) -> None:
    tuned, other = ducts(tmp_path / "tuned", seed=1), ducts(tmp_path / "paler", seed=2, shine=0.8)
    held_out, further = ducts(tmp_path / "held-out", seed=3), ducts(tmp_path / "further", seed=4, pictures=36)

    def written(name: str, tuned: RenderedSet, held_out: RenderedSet) -> tuple[Worth, Mapping[str, bytes], Manifest]:
        out = tmp_path / name
        tf.keras.utils.clear_session()  # layers are numbered by what was built before
        worth = write_out(out, learned(), darker_is_dirtier(), pictures(), tuned=tuned, held_out=held_out)
        bundle = open_bundle(out)
        return worth, bundle.files, parse_manifest(bundle.manifest)

    worth, files, manifest = written("one", tuned, held_out)
    _, of_other, other_manifest = written("two", other, held_out)
    of_further_worth, of_further, further_manifest = written("three", tuned, further)

    golden = {content for name, content in files.items() if name.endswith(".jpg")}
    assert golden
    assert golden <= {held_out.jpeg(one) for one in held_out.pictures}
    assert not golden & {tuned.jpeg(one) for one in tuned.pictures}
    assert worth.figures.obvious == sum(one.kind != BETWEEN for one in held_out.pictures)
    assert of_further_worth.figures.obvious == sum(one.kind != BETWEEN for one in further.pictures)
    assert files["model.tflite"] == of_further["model.tflite"] != of_other["model.tflite"]
    assert manifest.degree == further_manifest.degree != other_manifest.degree
