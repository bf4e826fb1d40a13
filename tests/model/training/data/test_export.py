"""The manifest of what is left, as Rekognition imports it."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.training.data.export import ExportFailed, check_export, export_manifest
from model.training.data.groundtruth import manifest_lines
from model.training.data.samples import read_samples
from model.types import Label
from tests.model.training.data.photos import folder


def test_a_folder_becomes_a_manifest_that_is_read_back(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=2, dirty=1)
    (tmp_path / "out").mkdir()

    export_manifest(tmp_path / "out/left.manifest", read_samples(photos), photos)

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
    export_manifest(tmp_path / "out/new.manifest", samples, manifest)

    again = read_samples(tmp_path / "out/new.manifest", places={"s3://ducts": photos})
    assert {sample.name for sample in again} == {"s3://ducts/clean/0.jpg", "../copy/dirty/0.jpg"}
    assert all(sample.path.is_file() for sample in again)


def test_nothing_left_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="no picture is left"):
        export_manifest(tmp_path / "new.manifest", [], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["photos/new.manifest", "photos", "none/new.manifest"])
def test_a_manifest_that_would_be_in_the_way_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(ExportFailed):
        check_export(tmp_path / place, folder(tmp_path / "photos", clean=1, dirty=0))


def test_the_manifest_that_was_read_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "old.manifest").touch()

    with pytest.raises(ExportFailed, match="is the data"):
        check_export(tmp_path / "old.manifest", tmp_path / "old.manifest")
