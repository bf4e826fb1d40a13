from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from drivers.types import PixelFormat
from model.classifier import MAX_SOURCES, Classifier
from model.degree import degree_of
from model.errors import UnfitModel
from model.manifest import DegreePoint, Thresholds
from model.types import Label, ModelId, Reason
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
    assert judgement.model == ModelId("bootstrap", shipped()[1].version)


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
