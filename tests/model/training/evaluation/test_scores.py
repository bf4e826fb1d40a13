"""Photos judged as a board would judge them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drivers.camera.jpeg import encode_jpeg
from model.classifier import Classifier
from model.errors import Unreadable
from model.tensors import jpeg_frame
from model.training.data.samples import Sample, Split
from model.training.evaluation.frames import decode, read_jpeg
from model.training.evaluation.scores import forced_threshold, measured, score_sample
from model.types import Label, Reason
from tests.model.pictures import flat, ripples, shipped_classifier
from tests.model.training.evaluation.data import SIZE, sample

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return shipped_classifier()


def png(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_jpeg_reaches_the_classifier_byte_for_byte(tmp_path: Path, classifier: Classifier) -> None:
    jpeg = encode_jpeg(ripples(*SIZE))

    found = score_sample(classifier, sample(tmp_path / "a.jpg", jpeg))

    assert read_jpeg(tmp_path / "a.jpg") == jpeg
    said = shipped_classifier().judge(jpeg_frame(jpeg, "camera"))
    assert (found.score, found.label, found.reasons) == (said.score, said.label, said.reasons)
    assert found.score is not None
    assert found.invoke_ns > 0


def test_a_png_becomes_the_jpeg_of_a_camera(tmp_path: Path, classifier: Classifier) -> None:
    path = tmp_path / "a.png"
    found = score_sample(classifier, sample(path, png(ripples(*SIZE))))

    assert found.score is not None
    assert np.abs(decode(read_jpeg(path)).astype(int) - ripples(*SIZE)).mean() < 4


def lying(rgb: np.ndarray, kind: str, orientation: int = 6) -> bytes:
    """As of a camera that was held on its side, and says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(np.rot90(rgb)).save(buffer, kind, exif=exif, quality=95)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_camera_held_on_its_side_gives_an_upright_picture_of_whatever_kind(tmp_path: Path, kind: str) -> None:
    upright = ripples(1200, 900)
    path = sample(tmp_path / "a", lying(upright, kind)).path

    assert decode(read_jpeg(path), longest_px=1024).shape == (768, 1024, 3)
    assert np.abs(decode(read_jpeg(path)).astype(int) - decode(encode_jpeg(upright))).mean() < 4


def test_a_jpeg_that_says_that_it_is_upright_stays_byte_for_byte(tmp_path: Path) -> None:
    jpeg = lying(ripples(*SIZE), "JPEG", orientation=1)

    assert read_jpeg(sample(tmp_path / "a.jpg", jpeg).path) == jpeg


def test_a_sliver_and_what_no_jpeg_has_room_for_are_answers(tmp_path: Path, classifier: Classifier) -> None:
    sliver = score_sample(classifier, sample(tmp_path / "a.png", png(ripples(32, 30_000))))
    long = score_sample(classifier, sample(tmp_path / "b.png", png(np.zeros((40, 70_000, 3), np.uint8))))

    assert sliver.score is not None
    assert (long.score, long.reasons) == (None, (Reason.UNREADABLE,))


def test_a_picture_that_the_board_would_not_judge_has_a_forced_score(tmp_path: Path, classifier: Classifier) -> None:
    found = score_sample(classifier, sample(tmp_path / "a.jpg", encode_jpeg(flat(*SIZE, (5, 5, 5)))))

    assert found.label is Label.CANNOT_TELL
    assert Reason.DARK in found.reasons
    assert found.score is not None
    assert found.invoke_ns == 0


def test_the_forced_score_is_the_one_that_the_board_would_give(tmp_path: Path, classifier: Classifier) -> None:
    jpeg = encode_jpeg(ripples(*SIZE))

    judged = score_sample(classifier, sample(tmp_path / "a.jpg", jpeg)).score

    assert classifier.forced_score(jpeg_frame(jpeg, "camera")) == judged


def test_equal_photos_are_no_frozen_camera(tmp_path: Path, classifier: Classifier) -> None:
    twice = [score_sample(classifier, sample(tmp_path / name)) for name in ("a.jpg", "b.jpg")]

    assert all(Reason.FROZEN not in found.reasons for found in twice)
    assert twice[0].score == twice[1].score


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x89PNG\r\n\x1a\n cut", b"\xff\xd8\xff\xe0 rubbish", encode_jpeg(ripples(*SIZE))[:-5000]],
    ids=["empty", "text", "a cut PNG", "no JPEG", "a cut JPEG"],
)
def test_a_file_that_is_no_picture_is_an_answer(tmp_path: Path, classifier: Classifier, content: bytes) -> None:
    found = score_sample(classifier, sample(tmp_path / "a.jpg", content))

    assert (found.score, found.label, found.reasons) == (None, Label.CANNOT_TELL, (Reason.UNREADABLE,))
    assert not found.is_right(0.5)


def test_a_file_that_is_gone_is_an_answer(tmp_path: Path, classifier: Classifier) -> None:
    gone = Sample(name="gone.jpg", path=tmp_path / "gone.jpg", label=Label.CLEAN)

    assert score_sample(classifier, gone).reasons == (Reason.UNREADABLE,)


@pytest.mark.parametrize(
    ("size", "shrunk"), [((640, 480), (320, 240)), ((300, 200), (300, 200)), ((1600, 16), (320, 16))], ids=str
)
def test_pictures_are_shrunk_whole(size: tuple[int, int], shrunk: tuple[int, int]) -> None:
    assert decode(encode_jpeg(ripples(*size)), longest_px=320).shape == (*reversed(shrunk), 3)


@pytest.mark.parametrize("content", [b"rubbish", encode_jpeg(ripples(15, 300))], ids=["no JPEG", "a sliver"])
def test_what_a_boards_decoder_cannot_shrink_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(content, longest_px=320)


def test_whoever_has_split_is_measured_on_the_test_part(tmp_path: Path) -> None:
    train, test = (
        Sample(name=split.value, path=tmp_path, label=Label.CLEAN, split=split) for split in (Split.TRAIN, Split.TEST)
    )

    assert measured([train, test]) == (test,)
    assert measured([train]) == (train,)


def test_forced_to_answer_the_thresholds_meet_in_their_middle(classifier: Classifier) -> None:
    thresholds = classifier.manifest.thresholds

    assert forced_threshold(classifier.manifest) == (thresholds.clean_below + thresholds.dirty_above) / 2
