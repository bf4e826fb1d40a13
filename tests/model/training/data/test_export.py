"""The manifest of what is left, as Rekognition imports it."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import ModelError, NoPlace
from model.training.data.export import ExportFailed, check_export, export_manifests, source_refs
from model.training.data.groundtruth import manifest_lines
from model.training.data.samples import read_samples
from model.types import Label
from tests.model.training.data.photos import folder


def test_a_folder_becomes_a_manifest_that_is_read_back(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=2, dirty=1)
    (tmp_path / "out").mkdir()

    export_manifests(tmp_path / "out/left.manifest", read_samples(photos), data=photos, places={})

    again = read_samples(tmp_path / "out/left.manifest")
    assert [(sample.name, sample.label) for sample in again] == [
        ("../photos/clean/0.jpg", Label.CLEAN),
        ("../photos/clean/1.jpg", Label.CLEAN),
        ("../photos/dirty/0.jpg", Label.DIRTY),
    ]
    assert all(sample.path.is_file() for sample in again)


def test_what_lies_in_a_bucket_keeps_its_name_and_what_lies_beside_is_found_from_the_new_place(tmp_path: Path) -> None:
    photos = folder(tmp_path / "copy", clean=1, dirty=1)
    (tmp_path / "out").mkdir()
    manifest = tmp_path / "old.manifest"
    refs = [("s3://ducts/clean/0.jpg", Label.CLEAN), ("copy/dirty/0.jpg", Label.DIRTY)]
    manifest.write_text("".join(manifest_lines(refs, attribute="duct", job="x", created="2026-11-26T10:00:00")))

    samples = read_samples(manifest, places={"s3://ducts": photos})
    export_manifests(tmp_path / "out/new.manifest", samples, data=manifest, places={})

    again = read_samples(tmp_path / "out/new.manifest", places={"s3://ducts": photos})
    assert {sample.name for sample in again} == {"s3://ducts/clean/0.jpg", "../copy/dirty/0.jpg"}
    assert all(sample.path.is_file() for sample in again)


def test_nothing_left_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="no picture is left"):
        export_manifests(tmp_path / "new.manifest", [], data=tmp_path, places={})
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_named_as_they_will_lie_in_the_bucket(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    folder(tmp_path / "elsewhere", clean=1, dirty=0)
    (photos / "clean/linked").symlink_to(tmp_path / "elsewhere")
    places = {"s3://ducts/2026/": photos, "s3://others": photos / "dirty"}

    refs = source_refs(read_samples(photos), data=photos, file=tmp_path / "left.manifest", places=places)

    assert refs == [
        "s3://ducts/2026/clean/0.jpg",
        "s3://ducts/2026/clean/linked/clean/0.jpg",
        "s3://others/0.jpg",
    ]


def test_the_folder_may_be_called_otherwise_than_where_it_is_said_to_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path / "photos", clean=1, dirty=0)
    (tmp_path / "link").symlink_to("photos")
    monkeypatch.chdir(tmp_path)
    data, places = Path("link"), {"s3://ducts": tmp_path / "photos"}

    assert source_refs(read_samples(data), data=data, file=Path("a.json"), places=places) == ["s3://ducts/clean/0.jpg"]


def test_train_and_test_are_manifests_of_their_own(tmp_path: Path) -> None:
    folder(tmp_path / "photos/train", clean=1, dirty=1)
    folder(tmp_path / "photos/test", clean=1, dirty=0)
    photos, places = tmp_path / "photos", {"s3://ducts": tmp_path / "photos"}

    said = export_manifests(tmp_path / "left.manifest", read_samples(photos), data=photos, places=places)

    assert sorted(said) == [
        f"What is left of test/ is in {tmp_path}/left.test.manifest.",
        f"What is left of train/ is in {tmp_path}/left.train.manifest.",
    ]
    assert not (tmp_path / "left.manifest").exists()
    of_train = read_samples(tmp_path / "left.train.manifest", places=places)
    assert [sample.name for sample in of_train] == ["s3://ducts/train/clean/0.jpg", "s3://ducts/train/dirty/0.jpg"]


def test_a_manifest_that_rekognition_cannot_read_says_how_it_could(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=0)

    *_, said = export_manifests(tmp_path / "left.manifest", read_samples(photos), data=photos, places={})

    assert "such as photos/clean/0.jpg" in said
    assert f"--map s3://BUCKET/FOLDER={photos}" in said


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("photos/new.manifest", "lies in the data"),
        ("photos", "is no name of a manifest"),
        ("none/new.manifest", "is a folder, or in none"),
        ("keep.jpg", "is no name of a manifest"),
        ("photos.decisions.json", "is of the data"),
        ("elsewhere/linked.json", "is of the data"),
        ("split.manifest", "is a folder, or in none"),
    ],
)
def test_a_manifest_that_would_be_in_the_way_is_refused(tmp_path: Path, place: str, said: str) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=0)
    (tmp_path / "elsewhere").mkdir()
    (photos / "clean/linked.jpg").symlink_to(tmp_path / "elsewhere/linked.json")
    (tmp_path / "split.manifest").mkdir()

    with pytest.raises(ModelError, match=said):
        check_export(tmp_path / place, read_samples(photos), data=photos, away_from=[photos])


def test_the_manifest_that_was_read_and_its_pictures_are_not_overwritten(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    export_manifests(tmp_path / "old.manifest", read_samples(photos), data=photos, places={"s3://ducts": photos})
    samples = read_samples(tmp_path / "old.manifest", places={"s3://ducts": photos})

    places = {
        "old.manifest": "is of the data",
        "photos/clean/0.jpg": "is no name of a manifest",
        "photos/new.manifest": "lies in the data",
        "other.train.jpg": "is no name of a manifest",
    }
    for place, said in places.items():
        with pytest.raises(ModelError, match=said):
            check_export(tmp_path / place, samples, data=tmp_path / "old.manifest", away_from=[photos])
    check_export(tmp_path / "new.manifest", samples, data=tmp_path / "old.manifest", away_from=[photos])


@pytest.mark.parametrize("name", ["others.decisions.json", "package.json", "paid.manifest"])
def test_a_file_of_another_kind_is_not_replaced(tmp_path: Path, name: str) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=0)
    paid = manifest_lines([("a.jpg", Label.CLEAN)], attribute="duct", job="labeling-job/duct", created="2026-11-26")
    (tmp_path / name).write_text("".join(paid))

    with pytest.raises(NoPlace, match="is something else, and is not replaced"):
        check_export(tmp_path / name, read_samples(photos), data=photos, away_from=[photos])


def test_a_manifest_made_here_is_replaced(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=0)
    samples = read_samples(photos)
    export_manifests(tmp_path / "left.manifest", samples, data=photos, places={})

    check_export(tmp_path / "left.manifest", samples, data=photos, away_from=[photos])


def test_links_that_lead_in_a_circle_are_no_place_and_in_the_data_in_nobodys_way(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=0)
    (photos / "clean/loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "loop").symlink_to("loop")
    samples, places = read_samples(photos), {"s3://ducts": tmp_path / "loop"}

    check_export(tmp_path / "left.manifest", samples, data=photos, away_from=[photos])
    export_manifests(tmp_path / "left.manifest", samples, data=photos, places=places)
    with pytest.raises(NoPlace, match="Symlink loop"):
        check_export(tmp_path / "loop/left.manifest", samples, data=photos, away_from=[photos])
