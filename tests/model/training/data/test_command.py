"""`ductwatch model data` on folders and manifests as they are sent to us."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from model.errors import ModelError
from model.training.data.command import main
from model.training.data.decisions import read_decisions
from model.training.data.groundtruth import manifest_lines
from model.training.data.looking import look
from model.training.data.samples import read_samples
from model.types import Label
from tests.model.training.data.asked import asked
from tests.model.training.data.photos import folder, listed, photo, save


def said(capsys: pytest.CaptureFixture[str], data: Path, *options: str) -> dict[str, Any]:
    main(asked(data, "--json", *options))
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def found(document: dict[str, Any]) -> dict[str, list[list[str]]]:
    kinds: dict[str, list[list[str]]] = {}
    for finding in document["findings"]:
        kinds.setdefault(finding["kind"], []).append(finding["pictures"])
    return kinds


def decide(place: Path, photos: Path, **choices: str) -> Path:
    """`dirty_0="exclude"` decides on dirty/0.jpg."""
    sha256 = {sample.name: look(sample).seen.sha256 for sample in read_samples(photos)}
    names = {key.replace("_", "/") + ".jpg": choice for key, choice in choices.items()}
    decisions = [{"name": name, "sha256": sha256[name], "decision": choice} for name, choice in names.items()]
    place.write_text(json.dumps({"schema": "ductwatch.decisions/1", "decisions": decisions}))
    return place


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_five_pictures_that_are_all_the_same_are_told_to_be_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        save(tmp_path / f"photos/clean/{number}.jpg", photo(1))

    assert main(asked(tmp_path / "photos")) == 1

    out, err = capsys.readouterr()
    assert "5 pictures, 5 clean and 0 dirty can be used, 1 different thing" in out
    assert "the same file 5 times" in out
    assert "Wrong labels and outliers were not looked for: that takes 40 pictures or more." in out
    assert err == ""


def test_a_folder_of_broken_files_is_gone_through_to_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    (photos / "clean/empty.jpg").touch()
    (photos / "dirty/text.jpg").write_text("a text")
    (photos / "dirty/cut.jpg").write_bytes((photos / "dirty/0.jpg").read_bytes()[:900])

    kinds = found(said(capsys, photos, "--report", str(tmp_path / "report")))

    assert kinds["unreadable"] == [["clean/empty.jpg"], ["dirty/cut.jpg"], ["dirty/text.jpg"]]
    assert len(list((tmp_path / "report/pictures").iterdir())) == 2


def test_photos_of_a_kind_that_is_not_read_are_no_silent_gap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    (photos / "clean/phone.heic").touch()
    (photos / "dirty/gone.jpg").symlink_to("nowhere.jpg")

    document = said(capsys, photos)

    assert document["notes"][0].endswith("no pictures that can be read here: 1 (1 .heic).")
    assert found(document)["missing"] == [["dirty/gone.jpg"]]


def test_a_link_that_leads_in_a_circle_is_a_missing_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    (photos / "dirty/loop.jpg").symlink_to("loop.jpg")
    places = ("--report", str(tmp_path / "report"), "--export-manifest", str(tmp_path / "left.manifest"))

    assert found(said(capsys, photos, *places))["missing"] == [["dirty/loop.jpg"]]


def test_files_that_a_manifest_names_and_nobody_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = folder(tmp_path / "copy", clean=1, dirty=0)
    refs = [("s3://ducts/clean/0.jpg", Label.CLEAN), ("s3://ducts/clean/gone.jpg", Label.DIRTY)]
    manifest = tmp_path / "out.manifest"
    manifest.write_text("".join(manifest_lines(refs, attribute="duct", job="x", created="2026-11-26T10:00:00")))

    document = said(
        capsys, manifest, "--map", f"s3://ducts={photos}", "--export-manifest", str(tmp_path / "left.manifest")
    )

    assert found(document)["missing"] == [["s3://ducts/clean/gone.jpg"]]
    left = read_samples(tmp_path / "left.manifest", places={"s3://ducts": photos})
    assert [sample.name for sample in left] == ["s3://ducts/clean/0.jpg"]


def test_a_manifest_whose_labelling_failed_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tmp_path / "s.manifest"
    metadata = {"duct-metadata": {"failure-reason": "ClientError: no image"}}
    manifest.write_text("".join(json.dumps({"source-ref": ref} | metadata) + "\n" for ref in ("a.jpg", "b.jpg")))

    with pytest.raises(ModelError) as refused:
        main(asked(manifest))

    said = f"Lines left out, as labelling failed: 2, such as {manifest}, line 1: ClientError: no image\n"
    assert capsys.readouterr().err == said
    problem = f"{manifest}: no line of this manifest has a label"
    assert str(refused.value) == f"{problem}. Label its pictures, or name another manifest"


def test_a_folder_of_nothing_that_is_read_says_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos/clean").mkdir(parents=True)
    (tmp_path / "photos/clean/phone.heic").touch()

    with pytest.raises(ModelError, match="holds no picture"):
        main(asked(tmp_path / "photos"))
    assert "no pictures that can be read here: 1 (1 .heic)." in capsys.readouterr().err


def test_a_train_and_a_test_folder_that_share_a_photo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder(tmp_path / "photos/train", clean=2, dirty=2)
    save(tmp_path / "photos/test/dirty/again.png", photo(1000)[:, ::-1])
    save(tmp_path / "photos/test/clean/other.jpg", photo(5))

    kinds = found(said(capsys, tmp_path / "photos"))

    assert kinds["twins across splits"] == [["train/dirty/0.jpg", "test/dirty/again.png"]]


def test_decisions_beside_the_data_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = folder(tmp_path / "photos", clean=2, dirty=2)
    decide(tmp_path / "photos.decisions.json", photos, dirty_0="exclude", clean_0="dirty")

    document = said(capsys, photos, "--export-manifest", str(tmp_path / "left.manifest"))

    assert document["decided"] == {"clean/0.jpg": "dirty", "dirty/0.jpg": "exclude"}
    assert document["usable"] == {"clean": 1, "dirty": 2}
    left = read_samples(tmp_path / "left.manifest")
    assert [(sample.name, sample.label.value) for sample in left] == [
        ("photos/clean/0.jpg", "DIRTY"),
        ("photos/clean/1.jpg", "CLEAN"),
        ("photos/dirty/1.jpg", "DIRTY"),
    ]


def test_a_decision_on_a_photo_that_was_replaced_does_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = folder(tmp_path / "photos", clean=2, dirty=2)
    decide(tmp_path / "photos.decisions.json", photos, dirty_0="exclude")
    save(photos / "dirty/0.jpg", photo(77))

    document = said(capsys, photos)

    assert (document["decided"], document["decisions_that_do_not_count"]) == ({}, ["dirty/0.jpg"])


def test_saved_decisions_are_put_beside_the_data_with_those_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = folder(tmp_path / "photos", clean=2, dirty=2)
    decide(tmp_path / "photos.decisions.json", photos, dirty_0="exclude")
    saved = decide(tmp_path / "photos.decisions (1).json", photos, clean_0="keep")

    document = said(capsys, photos, "--decisions", str(saved))

    assert document["decided"] == {"clean/0.jpg": "keep", "dirty/0.jpg": "exclude"}
    assert read_decisions(tmp_path / "photos.decisions.json").keys() == {"clean/0.jpg", "dirty/0.jpg"}


def test_saved_decisions_are_put_beside_the_data_with_those_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = folder(tmp_path / "photos", clean=2, dirty=2)
    decide(photos / "photos.decisions.json", photos, dirty_0="exclude")
    before = contents(photos)

    said(capsys, photos, "--decisions", str(decide(tmp_path / "saved.json", photos, clean_0="keep")))

    assert read_decisions(tmp_path / "photos.decisions.json").keys() == {"clean/0.jpg", "dirty/0.jpg"}
    assert contents(photos) == before


def test_decisions_on_other_data_are_refused(tmp_path: Path) -> None:
    photos, others = folder(tmp_path / "photos", clean=1, dirty=1), folder(tmp_path / "others", clean=3, dirty=1)
    saved = decide(tmp_path / "others.decisions.json", others, clean_2="keep")

    with pytest.raises(ModelError, match="decides on none of these pictures"):
        main(asked(photos, "--decisions", str(saved)))
    assert not (tmp_path / "photos.decisions.json").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--report", "photos/report"], "lies in the data"),
        (["--report", "."], "lies in the data|holds other things"),
        (["--export-manifest", "photos/new.manifest"], "lies in the data"),
        (["--decisions", "none.json"], "there is no such file"),
        (["--decisions", 300 * "n"], r"cannot be read \(File name too long\)"),
        (["--export-manifest", "paid.manifest"], "is something else, and is not replaced"),
    ],
    ids=str,
)
def test_what_would_harm_the_data_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    folder(tmp_path / "photos", clean=1, dirty=1)
    (tmp_path / "paid.manifest").write_text("what somebody was paid for")
    before = contents(tmp_path)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ModelError, match=said):
        main(asked(Path("photos"), *options))
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "options", [["--report", "photos/clean/rep"], ["--export-manifest", "photos/dirty/new.manifest"]], ids=str
)
def test_the_folders_of_a_manifests_photos_are_no_place_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    listed(tmp_path / "s.manifest", folder(tmp_path / "photos", clean=1, dirty=1))
    before = contents(tmp_path)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ModelError, match="lies in the data photos/"):
        main(asked(Path("s.manifest"), *options))
    assert contents(tmp_path) == before


def test_broken_decisions_stop_it_and_stay_as_they_are(tmp_path: Path) -> None:
    folder(tmp_path / "photos", clean=1, dirty=1)
    (tmp_path / "photos.decisions.json").write_text("{")
    before = contents(tmp_path)

    with pytest.raises(ModelError, match=r"photos.decisions.json: not JSON"):
        main(asked(tmp_path / "photos", "--report", str(tmp_path / "report")))
    assert contents(tmp_path) == before


def test_the_data_are_never_touched(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=3, dirty=3)
    before = contents(photos)

    main(asked(photos, "--report", str(tmp_path / "report"), "--export-manifest", str(tmp_path / "left.manifest")))

    assert contents(photos) == before
    shutil.rmtree(photos)
    assert (tmp_path / "report/index.html").is_file()
