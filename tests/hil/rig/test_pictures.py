from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drivers.camera.jpeg import encode_jpeg
from drivers.camera.negotiate import Size
from drivers.types import PixelFormat
from hil.rig.darkroom import Prints, develop, order
from hil.rig.pictures import BARS, CLEAN, COVERED, DIRTY, DUSTY_LENS, FOGGED, Scene, bars, black, photo, photos
from hil.rig.uvc import HD, QVGA, VGA
from hil.rig.uvc_controls import Development
from model.classifier import Classifier
from model.manifest import parse_manifest
from model.shipped import shipped_bundle
from model.types import Judgement, Label, Reason
from model.viewpoint import KNOWN_AFTER, Viewpoint
from tests.hil.rig.seen import as_frame

SURE = 0.15  # from the end of the scale; the thresholds are 0.25 from it

every_stream = pytest.mark.parametrize(
    ("size", "pixel_format"),
    [(size, pixel_format) for size in (VGA, HD) for pixel_format in PixelFormat],
    ids=lambda value: value.name if isinstance(value, PixelFormat) else str(value),
)


@pytest.fixture
def classifier() -> Classifier:
    bundle = shipped_bundle()
    return Classifier((bundle / "model.tflite").read_bytes(), parse_manifest((bundle / "manifest.json").read_bytes()))


def judged(classifier: Classifier, scene: Scene, pixel_format: PixelFormat, size: Size) -> list[Judgement]:
    """Three snapshots, each with its picture without the light."""

    def printed(light: float) -> Prints:
        return develop(order(scene, light, Development(), pixel_format, size))

    lit, dark = printed(1.0), printed(0.0)
    return [
        classifier.judge(
            as_frame(lit.frame(number), pixel_format, size), as_frame(dark.frame(number), pixel_format, size)
        )
        for number in (1, 2, 500)
    ]


@every_stream
def test_the_shipped_model_is_sure_of_the_clean_and_of_the_dirty_duct(
    classifier: Classifier, size: Size, pixel_format: PixelFormat
) -> None:
    clean = judged(classifier, CLEAN, pixel_format, size)
    dirty = judged(classifier, DIRTY, pixel_format, size)

    assert {judgement.label for judgement in clean} == {Label.CLEAN}
    assert {judgement.label for judgement in dirty} == {Label.DIRTY}
    assert all(judgement.score is not None and judgement.score < SURE for judgement in clean)
    assert all(judgement.score is not None and judgement.score > 1 - SURE for judgement in dirty)


@every_stream
@pytest.mark.parametrize(
    ("scene", "reason"),
    [(FOGGED, Reason.FOGGED), (COVERED, Reason.DARK), (BARS, Reason.BLURRED)],
    ids=["fogged", "covered", "bars"],
)
def test_what_cannot_be_judged_is_not(
    classifier: Classifier, size: Size, pixel_format: PixelFormat, scene: Scene, reason: Reason
) -> None:
    judgements = judged(classifier, scene, pixel_format, size)

    assert {judgement.label for judgement in judgements} == {Label.CANNOT_TELL}
    assert all(reason in judgement.reasons for judgement in judgements)
    assert not any(Reason.FROZEN in judgement.reasons for judgement in judgements)


@every_stream
def test_the_clean_and_the_dirty_duct_are_one_view_and_a_dusty_lens_is_noticed(
    classifier: Classifier, size: Size, pixel_format: PixelFormat
) -> None:
    viewpoint = Viewpoint(5)

    def reasons(scene: Scene, number: int) -> tuple[Reason, ...]:
        lit = develop(order(scene, 1.0, Development(), pixel_format, size)).frame(number)
        return classifier.judge(as_frame(lit, pixel_format, size), viewpoint=viewpoint).reasons

    told = [reasons(scene, number) for number, scene in enumerate([*[CLEAN] * KNOWN_AFTER, DIRTY, CLEAN, DIRTY])]

    assert set(told) == {()}
    assert reasons(DUSTY_LENS, 99) == (Reason.HAZY,)


def test_a_photo_is_cut_to_the_cameras_shape(tmp_path: Path) -> None:
    path = tmp_path / "duct.jpg"
    path.write_bytes(encode_jpeg(bars(Size(800, 200))))
    look = photo(path)

    assert look(QVGA).shape == (240, 320, 3)
    assert look(QVGA) is look(QVGA)
    assert abs(look(HD).astype(int).mean() - 96) < 12


def test_photos_of_a_folder_are_scenes_of_their_names_that_the_led_lights(tmp_path: Path) -> None:
    (tmp_path / "attic.JPG").write_bytes(encode_jpeg(bars(QVGA)))
    (tmp_path / "notes.txt").write_text("no photo")
    scenes = photos(tmp_path, [QVGA])

    assert list(scenes) == ["photo attic"]
    assert abs(scenes["photo attic"].lit(QVGA).astype(int) - bars(QVGA)).mean() < 4
    assert scenes["photo attic"].dark(QVGA).max() == 0


def test_a_folder_without_photos_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"0 photos. Use 1 to"):
        photos(tmp_path, [QVGA])
    (tmp_path / "attic.png").write_text("no photo")
    with pytest.raises(OSError, match=r"attic\.png"):
        photos(tmp_path, [QVGA])


def test_without_its_light_a_duct_is_nearly_black_and_drawn_but_once() -> None:
    BARS.draw([QVGA])
    assert BARS.dark(QVGA).max() == 0
    assert BARS.lit(QVGA) is bars(QVGA)
    assert np.array_equal(black(QVGA), BARS.dark(QVGA))
