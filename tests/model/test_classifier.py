from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
from msgspec.structs import replace

from drivers.duct.optics import FAULTS, Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from drivers.types import Frame, PixelFormat
from model.classifier import MAX_SOURCES, Classifier
from model.degree import degree_of
from model.errors import UnfitModel
from model.manifest import DegreePoint, Thresholds
from model.types import Label, ModelId, Reason
from model.viewpoint import KNOWN_AFTER, Viewpoint
from tests.model.pictures import flat, frame_of, mjpeg, ripples, shipped, shipped_classifier, yuyv


def deciding(*, clean_below: float, dirty_above: float) -> Classifier:
    bundle, manifest = shipped()
    thresholds = Thresholds(clean_below=clean_below, dirty_above=dirty_above)
    return Classifier(bundle.files["model.tflite"], replace(manifest, thresholds=thresholds))


@pytest.mark.parametrize("encode", [mjpeg, yuyv])
def test_a_good_picture_gets_a_score_and_the_times_it_took(encode: type) -> None:
    judgement = shipped_classifier().judge(encode(ripples(1280, 720)))

    assert judgement.score is not None
    assert 0 <= judgement.score <= 1
    assert judgement.decode_ns > 0
    assert judgement.invoke_ns > 0
    assert judgement.model == ModelId("visual-clean", shipped()[1].version)


@pytest.mark.parametrize(
    ("clean_below", "dirty_above", "label", "reasons"),
    [
        (1.0, 1.0, Label.CLEAN, ()),
        (0.0, 0.0, Label.DIRTY, ()),
        (0.0, 1.0, Label.CANNOT_TELL, (Reason.UNSURE,)),
    ],
    ids=["all below is clean", "all above is dirty", "all between is unsure"],
)
def test_thresholds_decide(clean_below: float, dirty_above: float, label: Label, reasons: tuple[Reason, ...]) -> None:
    classifier = deciding(clean_below=clean_below, dirty_above=dirty_above)

    judgement = classifier.judge(mjpeg(ripples(640, 480)))

    assert judgement.score is not None
    assert 0 < judgement.score < 1
    assert (judgement.label, judgement.reasons) == (label, reasons)


TABLE = tuple(DegreePoint(score=score, g_m2=1 + score, low_g_m2=1, high_g_m2=3) for score in (0.0, 1.0))


def with_table(table: tuple[DegreePoint, ...] | None) -> Classifier:
    bundle, manifest = shipped()
    return Classifier(bundle.files["model.tflite"], replace(manifest, degree=table))


def test_a_model_with_a_table_estimates_the_deposit_of_what_it_scores() -> None:
    judgement = with_table(TABLE).judge(mjpeg(ripples(640, 480)))

    assert judgement.score is not None
    assert judgement.degree == degree_of(judgement.score, TABLE)


def test_a_model_without_a_table_estimates_nothing() -> None:
    assert with_table(None).judge(mjpeg(ripples(640, 480))).degree is None


def test_a_picture_that_is_not_fit_to_judge_has_no_estimate() -> None:
    judgement = with_table(TABLE).judge(mjpeg(flat(640, 480, (5, 5, 5))))

    assert (judgement.score, judgement.degree) == (None, None)


def test_a_frame_that_does_not_decode_is_an_answer_not_an_error() -> None:
    judgement = shipped_classifier().judge(frame_of(b"\xff\xd8 cut", PixelFormat.MJPEG, 640, 480))

    assert judgement.label is Label.CANNOT_TELL
    assert judgement.reasons == (Reason.UNREADABLE,)
    assert judgement.score is None
    assert judgement.invoke_ns == 0


def test_an_unreadable_dark_frame_leaves_the_led_unproven() -> None:
    broken = frame_of(b"", PixelFormat.MJPEG, 640, 480)

    judgement = shipped_classifier().judge(mjpeg(ripples(640, 480)), broken)

    assert judgement.reasons == (Reason.UNREADABLE,)


def test_the_same_picture_twice_is_a_frozen_camera() -> None:
    classifier = shipped_classifier()
    still, live = mjpeg(ripples(640, 480)), mjpeg(ripples(640, 480, seed=1))

    judgements = [classifier.judge(frame) for frame in (still, still, live, still)]

    assert [Reason.FROZEN in judgement.reasons for judgement in judgements] == [False, True, False, False]
    assert judgements[1].label is Label.CANNOT_TELL


def test_two_cameras_that_see_the_same_are_not_frozen() -> None:
    classifier = shipped_classifier()
    scene = ripples(640, 480)

    for source in ("upstream", "downstream"):
        assert classifier.judge(mjpeg(scene, source)).reasons in ((), (Reason.UNSURE,))


def test_only_so_many_last_pictures_are_kept() -> None:
    classifier = shipped_classifier()
    scene = ripples(320, 240)

    for number in range(MAX_SOURCES + 1):
        classifier.judge(mjpeg(scene, f"photo-{number}"))

    assert Reason.FROZEN not in classifier.judge(mjpeg(scene, "photo-0")).reasons
    assert Reason.FROZEN in classifier.judge(mjpeg(scene, f"photo-{MAX_SOURCES}")).reasons


def test_a_dead_led_in_daylight_is_never_clean() -> None:
    classifier = deciding(clean_below=1.0, dirty_above=1.0)

    judgement = classifier.judge(mjpeg(ripples(640, 480)), mjpeg(ripples(640, 480, seed=1)))

    assert judgement.label is Label.CANNOT_TELL
    assert judgement.reasons == (Reason.UNLIT,)


def test_with_the_led_on_the_dark_frame_does_no_harm() -> None:
    classifier = deciding(clean_below=1.0, dirty_above=1.0)

    judgement = classifier.judge(mjpeg(ripples(640, 480)), mjpeg(flat(640, 480, (5, 5, 5))))

    assert judgement.label is Label.CLEAN


@lru_cache
def duct(seed: int) -> Renderer:
    return Renderer(random_scene(seed), 320, 240)


def shot(number: int, *, seed: int = 34, optics: Optics | None = None) -> Frame:
    return mjpeg(duct(seed).render(mean_g_m2=0.1, light=1.0, optics=optics or Optics(), frame_seed=number))


def test_a_camera_that_has_moved_cannot_tell_until_its_new_view_is_known() -> None:
    classifier, viewpoint = deciding(clean_below=1.0, dirty_above=1.0), Viewpoint(2)
    frames = [*(shot(number) for number in range(KNOWN_AFTER)), *(shot(number, seed=35) for number in range(3))]

    judgements = [classifier.judge(frame, viewpoint=viewpoint) for frame in frames]

    assert [judgement.reasons for judgement in judgements[-4:]] == [(), (Reason.MOVED,), (Reason.MOVED,), ()]
    assert [judgement.label for judgement in judgements[-3:]] == [Label.CANNOT_TELL, Label.CANNOT_TELL, Label.CLEAN]
    assert judgements[-2].score is None


def test_pictures_that_are_not_fit_to_judge_are_no_view() -> None:
    classifier, viewpoint = shipped_classifier(), Viewpoint(5)
    for number in range(KNOWN_AFTER):
        classifier.judge(shot(number), viewpoint=viewpoint)

    foggy = [classifier.judge(shot(number, optics=FAULTS["lens-fog"]), viewpoint=viewpoint) for number in range(9)]
    clear = classifier.judge(shot(9), viewpoint=viewpoint)

    assert {judgement.reasons for judgement in foggy} == {(Reason.FOGGED,)}
    assert clear.score is not None


def test_a_model_for_another_input_is_unfit() -> None:
    bundle, manifest = shipped()
    model = bundle.files["model.tflite"]
    unfit = {
        "int8.*not int8": replace(manifest, input=replace(manifest.input, height=96)),
        "output is quantised": replace(manifest, output=replace(manifest.output, scale=0.1)),
        "not by 2/255": replace(manifest, input=replace(manifest.input, zero_point=0)),
    }

    for problem, other in unfit.items():
        with pytest.raises(UnfitModel, match=problem):
            Classifier(model, other)


@pytest.mark.parametrize(
    "model", [b"", b"\0" * 1000, np.random.default_rng(0).bytes(1000)], ids=["empty", "zeros", "noise"]
)
def test_bytes_that_are_no_network_are_unfit(model: bytes) -> None:
    with pytest.raises(UnfitModel, match="cannot be loaded"):
        Classifier(model, shipped()[1])


def test_a_score_is_the_logistic_of_how_far_dirty_is_above_clean() -> None:
    classifier = shipped_classifier()
    frame = mjpeg(ripples(640, 480))
    clean, dirty = (int(answer) for answer in classifier.raw_output(frame))

    above = (dirty - clean) * classifier.manifest.output.scale

    assert classifier.manifest.output.kind == "logits"
    assert classifier.forced_score(frame) == pytest.approx(1 / (1 + math.exp(-above)))


def test_a_network_may_answer_in_probabilities_too() -> None:
    bundle, manifest = shipped()
    answers = replace(manifest.output, kind="probabilities")
    classifier = Classifier(bundle.files["model.tflite"], replace(manifest, output=answers))
    frame = mjpeg(ripples(640, 480))

    dirty = (int(classifier.raw_output(frame)[1]) - answers.zero_point) * answers.scale

    assert classifier.forced_score(frame) == pytest.approx(min(max(dirty, 0.0), 1.0))
