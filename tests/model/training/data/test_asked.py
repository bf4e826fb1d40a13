"""What `train`, `evaluate` and `compare` say of the photos that they were asked to take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firmware.cli import parser
from firmware.model_tools import main
from model.shipped import shipped_bundle
from model.training.data.asked import asked_for
from model.training.data.looking import look
from model.training.data.samples import BadDataset, Sample, Split, read_samples
from tests.model.training.data.photos import folder, photo, save


def exclude(place: Path, *samples: Sample) -> None:
    decisions = [{"name": one.name, "sha256": look(one).seen.sha256, "decision": "exclude"} for one in samples]
    place.write_text(json.dumps({"schema": "ductwatch.decisions/1", "decisions": decisions}))


def names(data: Path) -> list[str]:
    """Of what an evaluation is to judge."""
    return [one.name for one in asked_for(parser().parse_args(["model", "evaluate", "b", "--data", str(data)]))]


def test_what_was_excluded_is_not_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    exclude(tmp_path / "photos.decisions.json", read_samples(photos)[0])

    assert names(photos) == ["dirty/0.jpg"]
    assert capsys.readouterr().err == f"as {photos}.decisions.json has it: 1 of 2 pictures are left\n"


@pytest.mark.parametrize("command", [("evaluate", shipped_bundle()), ("compare", shipped_bundle(), shipped_bundle())])
def test_where_all_are_excluded_there_is_nothing_to_measure_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str | Path, ...]
) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    exclude(tmp_path / "photos.decisions.json", *read_samples(photos))

    assert main(parser().parse_args(["model", *map(str, command), "--data", str(photos)])) == 2

    out, err = capsys.readouterr()
    assert f"photos.decisions.json: excludes all 2 pictures of {photos}. Take some of them back" in err
    assert out == ""


def test_a_decision_on_a_photo_that_was_saved_anew_is_said_not_to_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    exclude(tmp_path / "photos.decisions.json", read_samples(photos)[0])
    save(photos / "clean/0.jpg", photo(7))

    assert names(photos) == ["clean/0.jpg", "dirty/0.jpg"]
    assert "or are other files now, do not count: clean/0.jpg." in capsys.readouterr().err


def test_decisions_in_the_folder_count_as_those_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = folder(tmp_path / "training", clean=2, dirty=1)
    exclude(photos / "photos.decisions.json", read_samples(photos)[0])
    exclude(tmp_path / "training.decisions.json", read_samples(photos)[1])

    assert names(photos) == ["dirty/0.jpg"]
    files = f"{photos}/photos.decisions.json and {photos}.decisions.json"
    assert capsys.readouterr().err == f"as {files} has it: 1 of 3 pictures are left\n"


def test_files_that_are_left_out_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    (photos / "clean/phone.heic").touch()

    names(photos)

    assert "1 (1 .heic)" in capsys.readouterr().err


def test_where_all_of_test_is_excluded_the_rest_is_not_measured_on_instead(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    folder(photos / "train", clean=1, dirty=1)
    folder(photos / "test", clean=1, dirty=1)
    tests = [one for one in read_samples(photos) if one.split is Split.TEST]
    exclude(tmp_path / "photos.decisions.json", *tests)

    with pytest.raises(BadDataset, match="excludes all 2 pictures of test/"):
        names(photos)
