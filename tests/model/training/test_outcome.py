"""What a training leaves in its folder, made of the model that ships: it needs no TensorFlow."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Container, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from firmware.cli import parser
from firmware.model_tools import main
from model.errors import NoPlace
from model.selftest import answers
from model.shipped import shipped_bundle
from model.training.bundle import Recipe, classifier_of
from model.training.card import card_of_photos
from model.training.curve import Curve
from model.training.data.pictures import open_picture
from model.training.data.samples import BadDataset, Sample, read_samples
from model.training.evaluation.command import score_all
from model.training.evaluation.figures import Figures, measure
from model.training.evaluation.scores import forced_threshold
from model.training.learned_from import FILE as LEARNED_FROM
from model.training.outcome import (
    BUNDLE,
    CURVE,
    CURVE_PAGE,
    GOLDEN_PX,
    GOLDEN_QUALITY,
    REPORT,
    Measured,
    Taught,
    require_no_bundle,
    write_outcome,
)
from model.training.photos import measured_samples, parts
from model.types import Label
from ota.bundle import open_bundle
from tests.model.pictures import shipped
from tests.model.training.evaluation.data import ducts, write
from tests.model.training.test_photos import loaded

pytestmark = pytest.mark.real

CURVE_MADE = Curve(losses=(0.7, 0.6, 0.5, 0.2), planned=6)


def recipe() -> Recipe:
    """Of the model that ships, under another name."""
    _, manifest = shipped()
    return Recipe(
        name="east wing",
        version="1.0.0",
        release_counter=1,
        side=manifest.input.height,
        clean_below=manifest.thresholds.clean_below,
        dirty_above=manifest.thresholds.dirty_above,
        image_limits=structs.asdict(manifest.image_limits),
    )


def finished(
    out: Path, data: Path, *, learned: Sequence[Sample] = (), told_right: Container[str] = frozenset()
) -> Path:
    """As if the model that ships had been taught, and was measured on `data`: surely right of `told_right`, by name."""
    taught = Taught(
        model=shipped()[0].files["model.tflite"],
        recipe=recipe(),
        curve=CURVE_MADE,
        second_opinion=True,
        float_accuracy=0.875,
    )
    classifier = classifier_of(taught.recipe, taught.model)
    samples = read_samples(data)
    scored = [
        replace(one, score=float(one.dirty), label=Label.DIRTY if one.dirty else Label.CLEAN)
        if one.name in told_right
        else one
        for one in score_all(classifier, samples)
    ]
    figures = measure(scored, forced_threshold(classifier.manifest))
    card = card_of(figures)
    measured = Measured(samples=samples, scored=scored, figures=figures)
    write_outcome(out, taught, learned, measured, classifier, card=card, data_sha256="0" * 64, seed=7)
    return out


def card_of(figures: Figures, *, twins: int | None = 0, second_opinion: bool = True) -> str:
    return card_of_photos(
        recipe(),
        figures,
        float_accuracy=0.875,
        learned=200,
        clean=100,
        second_opinion=second_opinion,
        twins=twins,
        seed=7,
        data="0" * 12,
    )


def jpeg_of(content: bytes) -> bytes:
    return open_picture(content).jpeg(GOLDEN_PX, quality=GOLDEN_QUALITY)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = ducts(tmp_path_factory.mktemp("photos"), scenes=3)
    write(root / "dirty/broken.jpg", b"no picture")
    return root


def test_a_board_takes_the_bundle_and_evaluate_finds_the_figures_that_training_told(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = finished(tmp_path, photos)

    found = main(parser().parse_args(["model", "evaluate", str(out / BUNDLE), "--data", str(photos), "--json"]))

    figures = json.loads(capsys.readouterr().out)["figures"]
    assert (found, figures["unreadable"]) == (0, ["dirty/broken.jpg"])
    card = open_bundle(out / BUNDLE).files["card.md"].decode()
    assert f"| accuracy | {figures['accuracy']['value']:.3f} " in card
    assert "Measured on 7 other photos" in card
    assert "In floats, before it was made int8, accuracy was 0.875." in card


@pytest.mark.parametrize(
    ("twins", "said"),
    [
        (0, "Measured on 0 other photos without a twin among those,"),
        (3, "Measured on 0 other photos, 3 of them with a twin among those,"),
        (None, "Measured on 0 other photos of the same cameras, which never move,"),
    ],
)
def test_the_card_says_how_far_measured_photos_are_from_those_learned(twins: int | None, said: str) -> None:
    assert said in card_of(measure([], 0.5), twins=twins)


@pytest.mark.parametrize(
    ("second_opinion", "said"),
    [
        (True, "16 pixels wide, beside all of Lite1 as it was."),
        (False, "16 pixels wide. All of Lite1 as it was knew nothing of these photos, and is left out."),
    ],
)
def test_the_card_says_whether_a_second_opinion_stands_beside(second_opinion: bool, said: str) -> None:
    assert said in card_of(measure([], 0.5), second_opinion=second_opinion)


def test_its_golden_pictures_are_of_both_classes(photos: Path, tmp_path: Path) -> None:
    files = open_bundle(finished(tmp_path, photos) / BUNDLE).files

    golden = {name for name in files if name.startswith("golden/") and name.endswith(".jpg")}
    assert golden == {f"golden/{number}-{name}.jpg" for number in (0, 1) for name in ("clean", "dirty")}


def test_what_it_gets_wrong_is_no_golden_picture_however_sure_it_is(photos: Path, tmp_path: Path) -> None:
    """A board takes no model that is right about fewer of them than the one that it has."""
    data = tmp_path / "photos"
    shutil.copytree(photos, data)
    for number, path in enumerate(sorted((photos / "dirty").glob("duct-*.jpg"))):
        shutil.copy(path, data / f"clean/dirty-{number}.jpg")

    files = open_bundle(finished(tmp_path, data) / BUNDLE).files

    right = {name.removeprefix("golden/") for name in json.loads(files["golden/right.json"])}
    assert right == {"0-clean.jpg", "1-clean.jpg", "0-dirty.jpg", "1-dirty.jpg"}
    clean = {path.read_bytes() for path in (photos / "clean").iterdir()}
    assert {files[f"golden/{number}-clean.jpg"] for number in (0, 1)} <= {jpeg_of(content) for content in clean}


def test_a_golden_picture_is_one_whose_own_answer_is_right(photos: Path, tmp_path: Path) -> None:
    """It is saved anew, smaller and upright: what the model said of the photo, it need not say of that."""
    data = tmp_path / "photos"
    shutil.copytree(photos, data)
    turned = write(data / "dirty/turned.jpg", (photos / "clean/duct-0.jpg").read_bytes())

    files = open_bundle(finished(tmp_path, data, told_right={"dirty/turned.jpg"}) / BUNDLE).files

    golden = [files[f"golden/{number}-dirty.jpg"] for number in (0, 1)]
    assert jpeg_of(turned.read_bytes()) not in golden
    assert answers(classifier_of(recipe(), files["model.tflite"]), files).accuracy == 1.0


def test_a_model_that_is_right_about_nothing_is_no_outcome(photos: Path, tmp_path: Path) -> None:
    for path in (photos / "dirty").glob("duct-*.jpg"):
        write(tmp_path / "photos/clean" / path.name, path.read_bytes())
    write(tmp_path / "photos/dirty/broken.jpg", b"no picture")

    with pytest.raises(BadDataset, match="right about none of the 4 photos"):
        finished(tmp_path, tmp_path / "photos")


def test_a_photo_whose_name_is_no_text_is_on_the_page_all_the_same(photos: Path, tmp_path: Path) -> None:
    data = tmp_path / "photos"
    shutil.copytree(photos, data)
    dirty = next((photos / "dirty").glob("duct-*.jpg"))
    (data / "clean" / os.fsdecode(b"\xff\xfe.jpg")).write_bytes(dirty.read_bytes())

    assert r"\udcff\udcfe.jpg" in (finished(tmp_path, data) / REPORT).read_text()


def test_its_pages_open_from_disk_and_lead_to_each_other(photos: Path, tmp_path: Path) -> None:
    out = finished(tmp_path, photos)

    page, report = (out / CURVE_PAGE).read_text(), (out / REPORT).read_text()
    assert "4 of 6 steps were made; then there was nothing left to learn." in page
    assert page.count("<svg") == 1
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', page)) == {REPORT}
    assert report.count("<svg") == 4
    assert "broken.jpg" in report
    learned = json.loads((out / CURVE).read_text())
    assert (learned["curve"][1], learned["float_accuracy"]) == ({"step": 2, "loss": 0.6}, 0.875)


def test_what_a_killed_training_has_left_is_no_bundle(photos: Path, tmp_path: Path) -> None:
    half = write(tmp_path / ".ductwatch-x1/bundle/model.tflite", b"half of i")
    require_no_bundle(tmp_path)

    finished(tmp_path, photos)

    assert half.exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        *(BUNDLE, CURVE, CURVE_PAGE, LEARNED_FROM, "report"),
        half.parent.parent.name,
    }
    with pytest.raises(NoPlace, match="has a bundle already"):
        require_no_bundle(tmp_path)


def test_a_report_of_another_kind_is_not_replaced_but_that_of_a_training_before_is(
    photos: Path, tmp_path: Path
) -> None:
    finished(tmp_path / "before", photos)
    shutil.rmtree(tmp_path / "before" / BUNDLE)
    write(tmp_path / "other" / REPORT, b"<title>photos: what would mislead a training</title>")

    require_no_bundle(tmp_path / "before")
    with pytest.raises(NoPlace, match=r"report/index.html: is something else, and is not replaced\. .* --out"):
        require_no_bundle(tmp_path / "other")


def test_unreadable_pictures_in_test_are_measured_on_as_evaluate_does(photos: Path, tmp_path: Path) -> None:
    """None of them could be loaded; all that is in test/ counts all the same."""
    (tmp_path / "test").symlink_to(photos)
    samples = read_samples(tmp_path)
    readable = loaded(200)

    assert measured_samples(samples, readable, parts(readable, seed=1)) == list(samples)


def test_without_test_a_fifth_of_what_can_be_read_is_measured_on(photos: Path) -> None:
    readable = loaded(200)

    assert len(measured_samples(read_samples(photos), readable, parts(readable, seed=1))) == 40


def asked(command: str, *arguments: str | Path) -> int:
    return main(parser().parse_args(["model", command, *map(str, arguments)]))


def test_nothing_is_measured_on_what_a_model_learned_from(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learned = [one for one in read_samples(photos) if one.name in ("clean/duct-0.jpg", "dirty/duct-0.jpg")]
    out = finished(tmp_path, photos, learned=learned)

    assert asked("evaluate", out / BUNDLE, "--data", photos, "--json") == 0
    assert asked("compare", shipped_bundle(), out / BUNDLE, "--data", photos) == 0
    assert asked("evaluate", out / BUNDLE, "--data", photos, "--learned-too", "--json") == 0

    shown = capsys.readouterr()
    assert shown.err.count(f"left out: 2 of 7 pictures are ones that {out / BUNDLE} has learned from") == 2
    first, *compared, last = shown.out.splitlines()
    assert (json.loads(first)["figures"]["pictures"], json.loads(last)["figures"]["pictures"]) == (5, 7)
    assert any("5 pictures (3 clean" in line or "5 pictures (2 clean" in line for line in compared)


def test_a_model_cannot_be_measured_on_nothing_but_what_it_learned_from(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = finished(tmp_path, photos, learned=[one for one in read_samples(photos) if "duct" in one.name])
    (tmp_path / "same").mkdir()
    shutil.copytree(photos / "clean", tmp_path / "same/clean")

    assert asked("evaluate", out / BUNDLE, "--data", tmp_path / "same") == 2
    assert "add --learned-too, and believe none of the figures" in capsys.readouterr().err


def test_a_record_of_another_model_says_nothing_of_this_one(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = finished(tmp_path, photos, learned=read_samples(photos))
    record = json.loads((out / LEARNED_FROM).read_text())
    (out / LEARNED_FROM).write_text(json.dumps(record | {"model_sha256": "0" * 64}))

    assert asked("evaluate", out / BUNDLE, "--data", photos) == 0
    assert "left out" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"schema": "another"}', '{"schema": "ductwatch.learned-from/1", "model_sha256": "0"}'],
)
def test_a_record_that_is_none_is_said(
    content: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = finished(tmp_path, photos)
    (out / LEARNED_FROM).write_text(content)

    assert asked("evaluate", out / BUNDLE, "--data", photos) == 2
    assert "learned-from.json: is no record of what a model learned from: " in capsys.readouterr().err
